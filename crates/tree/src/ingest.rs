//! Sorted rows straight into tables, past the memtable.
//!
//! The tables are written while the caller brings the rows, and get their one seqno when all are there; one edit then shows them
//! all. They are newer than all that was written before, whatever lies in memtables: readers compare seqnos and not places. So they
//! go as deep as nothing in their way overlaps them, and most often are never rewritten.

use crate::{
    compaction::{Plan, Reservations},
    options::TreeOptions,
    rewrite::{FilterWidth, OutputSpec},
    super_version::{Change, SuperVersions},
    version::{AddedTable, Edit, Level, TableHome, Version},
};
use sediment_base::{Error, InternalKey, KeyOrder, KeyRange, Kind, Result, RowFlags, SeqNo, TableId, stats::Counter};
use sediment_table::{TableMeta, TableWriter, UnnumberedTable};
use std::sync::Arc;

/// What an ingestion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestReport {
    /// Tables made.
    pub tables: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// The level where they lie.
    pub level: usize,
}

/// Tables on their way into a tree. Their files go with it unless it is finished.
#[derive(Debug)]
pub(crate) struct Ingesting {
    home: Arc<TableHome>,
    settings: Arc<TreeOptions>,
    filter_width: FilterWidth,
    now_us: u64,
    writer: Option<TableWriter>,
    written: Vec<UnnumberedTable>,
    ids: Vec<TableId>,
    last_key: Vec<u8>,
}

impl Ingesting {
    /// Nothing yet. `now_us` is the wall clock, in microseconds since 1970.
    pub(crate) fn new(versions: &SuperVersions, now_us: u64) -> Self {
        let (home, settings) = (Arc::clone(&versions.home), versions.settings());
        // How many rows will come, and where they go, is not known yet; only that all is below where nothing is.
        let is_empty = versions.load().version.tables().next().is_none();
        let filter_width = FilterWidth::exactly(settings.filter_bits_per_key).with_locators(settings.locators && is_empty);
        let (writer, written, ids, last_key) = (None, Vec::new(), Vec::new(), Vec::new());
        Self { home, settings, filter_width, now_us, writer, written, ids, last_key }
    }

    /// Adds a row. Keys ascend, each once; another is `InvalidInput`, and harmless.
    pub(crate) fn add(&mut self, kind: Kind, key: &[u8], value: &[u8]) -> Result<()> {
        if !self.last_key.is_empty() && self.settings.order.compare(&self.last_key, key).is_ge() {
            let (last, key) = (self.last_key.escape_ascii(), key.escape_ascii());
            return Err(Error::invalid_input(format!("keys to ingest must ascend: \"{key}\" after \"{last}\"")));
        }
        if self.writer.as_ref().is_some_and(|writer| writer.written_bytes() >= self.settings.table_bytes) {
            self.cut()?;
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let spec = OutputSpec {
                    home: &self.home,
                    options: &self.settings,
                    is_flush: false,
                    filter_width: self.filter_width,
                    now_us: self.now_us,
                    oldest_write_us: self.now_us,
                    cold_but_for: None,
                };
                self.writer.insert(spec.begin_table(&mut self.ids, None)?)
            }
        };
        writer.add(InternalKey::new(key, 0, kind), RowFlags::NONE, value)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        Ok(())
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Gives all rows this seqno, makes them durable and shows them, at once or not at all.
    pub(crate) fn finish(
        mut self,
        versions: &SuperVersions,
        reservations: &Arc<Reservations>,
        seqno: SeqNo,
    ) -> Result<IngestReport> {
        self.cut()?;
        if let Some(cause) = versions.poison() {
            return Err(cause);
        }
        let tables: Vec<TableMeta> = self.written.drain(..).map(|table| table.number(seqno)).collect::<Result<_>>()?;
        let order = &versions.options.order;
        let Some(range) = tables.iter().map(|table| table.range.clone()).reduce(|a, b| a.union(b, order)) else {
            return Ok(IngestReport::default());
        };
        self.home.sync_names()?;
        let bytes = tables.iter().map(|table| table.file_bytes).sum();
        let place = reservations.reserve(|busy| {
            let level = place(&versions.load().version, &range, order)?;
            (!busy.is_target(level, &range, order)).then(|| Plan::arrival(level, range.clone()))
        });
        let level = place.as_ref().map_or(0, |place| place.target);
        let rows = tables.iter().map(|table| table.rows).sum();
        let report = IngestReport { tables: tables.len(), bytes, rows, level };
        let run = if level == 0 { tables[0].id } else { TableId(0) };
        let added = tables.into_iter().map(|meta| AddedTable { level, run, meta, hides_bytes: 0 }).collect();
        // From here on the files may be named on disk.
        self.ids.clear();
        let edit = Edit { added, highest_seqno: Some(seqno), ..Edit::default() };
        versions.install(Change::ingestion(edit, seqno))?;
        let stats = versions.options.stats.local();
        stats.add(Counter::IngestCount, 1);
        stats.add(Counter::IngestRows, report.rows);
        stats.add(Counter::IngestBytesWritten, report.bytes);
        Ok(report)
    }

    fn cut(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            self.written.push(writer.end_rows()?);
        }
        Ok(())
    }
}

impl Drop for Ingesting {
    fn drop(&mut self) {
        self.writer = None;
        self.written.clear();
        self.ids.drain(..).for_each(|id| self.home.discard(id, None));
    }
}

/// The deepest level that new tables of this range can lie in without meeting one that overlaps them on the way. `None` where only
/// level 0 is left.
fn place(version: &Version, range: &KeyRange, order: &KeyOrder) -> Option<usize> {
    let overlaps = |level: &Level| level.overlapping(range, order).next().is_some();
    let free = version.levels.iter().take_while(|level| !overlaps(level)).count();
    free.checked_sub(1).filter(|level| *level > 0)
}
