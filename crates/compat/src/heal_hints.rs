//! `HealHints`: tables that parity has mended on reading.

use crate::descriptor_table::GlobalTableId;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Tables that ought to be rewritten. Nothing records any as long as there is no parity.
#[derive(Debug, Default)]
pub struct HealHints {
    is_enabled: AtomicBool,
    tables: Mutex<BTreeSet<GlobalTableId>>,
}

impl HealHints {
    /// No table yet.
    pub fn new_shared(enabled: bool) -> Arc<Self> {
        Arc::new(Self { is_enabled: AtomicBool::new(enabled), tables: Mutex::default() })
    }

    /// Whether tables are recorded.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Relaxed)
    }

    /// Whether tables are recorded from now on.
    pub fn set_enabled(&self, enabled: bool) {
        self.is_enabled.store(enabled, Ordering::Relaxed);
    }

    /// Records a table; whether it is a new one. False where recording is off.
    pub fn record(&self, id: GlobalTableId) -> bool {
        self.is_enabled() && self.lock().insert(id)
    }

    /// Takes a table.
    pub fn pop(&self) -> Option<GlobalTableId> {
        self.lock().pop_first()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<GlobalTableId>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
