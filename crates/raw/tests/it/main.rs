//! What only a process of its own can show.

#![cfg(not(loom))]

mod epoch;

mod slots;

use std::sync::{Mutex, MutexGuard};

/// The epoch is one for the process: a pin in one test would keep another's objects.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
