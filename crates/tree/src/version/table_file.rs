//! `TableFile`: one table of a version, opened when it is first touched.
//!
//! A version keeps only what the manifest says of a table; the file itself is attached by the first reader, and stays so while
//! any version, reader or rewrite holds it. A file that no version names any more is *obsolete*: when the last holder lets go,
//! it is put aside in the [`TableHome`], from where `super_version/obsolete.rs` removes it. Shared; opening is done once.

use super::{edit::AddedTable, home::TableHome};
use sediment_base::{Error, RangeTombstone, Result, SeqNo, TableId};
use sediment_table::{RemovedCounts, Table, TableMeta};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// One table of one or more versions.
#[derive(Debug)]
pub(crate) struct TableFile {
    pub(crate) meta: TableMeta,
    /// Tables of level 0 with the same number came from one flush. Meaningless below.
    pub(crate) run: TableId,
    /// Bytes of the tables of which its range tombstones hid every row when it was made.
    pub(crate) hides_bytes: u64,
    home: Arc<TableHome>,
    /// Where it lies, or is about to: by this it is opened.
    level: AtomicUsize,
    opened: OnceLock<Arc<Table>>,
    opening: Mutex<()>,
    obsolete: AtomicBool,
    /// Whether its runs of removed keys hold no more.
    is_outdated: AtomicBool,
}

impl TableFile {
    /// A table that the manifest describes, not yet opened.
    pub(crate) fn new(home: &Arc<TableHome>, run: TableId, meta: TableMeta, hides_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            meta,
            run,
            hides_bytes,
            home: Arc::clone(home),
            level: AtomicUsize::new(0),
            opened: OnceLock::new(),
            opening: Mutex::default(),
            obsolete: AtomicBool::new(false),
            is_outdated: AtomicBool::new(false),
        })
    }

    /// What an edit says to place it.
    pub(crate) fn added(&self, level: usize, run: TableId) -> AddedTable {
        let meta = TableMeta { removed: self.removed(), ..self.meta.clone() };
        AddedTable { level, run, meta, hides_bytes: self.hides_bytes }
    }

    /// Its runs of removed keys, as long as what they say holds.
    #[inline]
    pub(crate) fn removed(&self) -> RemovedCounts {
        if self.is_outdated.load(Ordering::Acquire) { RemovedCounts::default() } else { self.meta.removed }
    }

    /// What its runs of removed keys say holds no more. They only ever save work, so that nobody has to wait for this to be durable.
    pub(crate) fn outdate_removed(&self) {
        self.is_outdated.store(true, Ordering::Release);
    }

    /// The table, opened by the first who asks. A failure is not remembered: the next one tries again.
    #[inline]
    pub(crate) fn open(&self) -> Result<&Arc<Table>> {
        match self.opened() {
            Some(table) => Ok(table),
            None => self.attach(),
        }
    }

    /// The table, if somebody has opened it.
    #[inline]
    pub(crate) fn opened(&self) -> Option<&Arc<Table>> {
        self.opened.get()
    }

    #[cold]
    fn attach(&self) -> Result<&Arc<Table>> {
        let _one_at_a_time = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if self.opened.get().is_none() {
            let path = self.home.path(self.meta.id);
            let context = self.home.context_of(self.level.load(Ordering::Relaxed));
            let table = Table::open(&context, &path, &self.meta).map_err(|error| missing_is_damage(error, &path))?;
            self.opened.get_or_init(|| Arc::new(table));
        }
        Ok(self.opened.get().expect("set under this lock"))
    }

    /// It is about to lie in this level.
    pub(crate) fn move_to(&self, level: usize) {
        self.level.store(level, Ordering::Relaxed);
    }

    /// Its range tombstones. Opens it if it has any.
    pub(crate) fn range_tombstones(&self) -> Result<Vec<RangeTombstone>> {
        if self.meta.ranges.count == 0 {
            return Ok(Vec::new());
        }
        Ok(self.open()?.range_tombstones().map(|all| all.iter().cloned().collect()).unwrap_or_default())
    }

    /// Bytes of its file, with each tombstone counted as a row of average size of it.
    pub(crate) fn weighed_bytes(&self) -> u64 {
        let row_bytes = self.meta.file_bytes / self.meta.rows.max(1);
        self.meta.file_bytes.saturating_add(self.meta.tombstones.saturating_mul(row_bytes))
    }

    /// Orders the tables of level 0: the greater, the newer.
    pub(crate) fn age(&self) -> (SeqNo, TableId) {
        (self.meta.newest_seqno(), self.meta.id)
    }

    /// No version that can still be reached from the current one names this file: it goes with its last holder.
    pub(crate) fn mark_obsolete(&self) {
        self.obsolete.store(true, Ordering::Release);
    }
}

impl Drop for TableFile {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::Acquire) {
            self.home.discard(self.meta.id, self.opened.take());
        }
    }
}

fn missing_is_damage(error: Error, path: &Path) -> Error {
    if sediment_env::fs::is_not_found(&error) {
        return Error::corruption("a table that the manifest names is missing").in_file(path).with_source(error);
    }
    error
}
