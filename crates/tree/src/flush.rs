//! Sealed memtables become tables of level 0.
//!
//! Order, and each step is finished before the next begins: the memtables closed, so that they grow no more; table files synced,
//! the name of each synced, the caller's log durable up to the highest seqno inside, the edit synced, the new version shown. A
//! failure before the edit discards the files with their ids; the memtables stay sealed and closed, and the next flush writes
//! them again.

use crate::{
    compaction::Chosen,
    cursor::{Merging, Source},
    memtable::Memtable,
    options::TreeOptions,
    retention::Retention,
    rewrite::{Arriving, Cuts, Elsewhere, FilterWidth, OnSlice, OutputSpec, Portion, Removed, Rewrite, width},
    super_version::{Change, SuperVersion, SuperVersions},
    version::Edit,
};
use sediment_base::{
    Cursor, KeyRange, Result, SeqNo, Stats, TableId,
    planted::{Bug, planted},
    stats::Counter,
};
use std::{collections::HashSet, fmt, sync::Arc};

/// What a flush needs from its caller.
pub struct FlushContext<'a> {
    /// Which versions must survive.
    pub retention: Retention,
    /// The wall clock, in microseconds since 1970.
    pub now_us: u64,
    /// Memtables sealed at a boundary up to here are flushed, the others wait. The caller knows that every row at or below this
    /// seqno has been inserted; where no insert is under way, `SeqNo::MAX` flushes all.
    pub through: SeqNo,
    /// Up to here the rows of all other trees under the caller's log are in tables, durably, if the caller knows of such a seqno. The
    /// lower of this and the new mark is kept in the manifest, see [`Tree::covered`](crate::Tree::covered).
    pub covered: Option<SeqNo>,
    /// Called once with the highest seqno of the flushed rows, when the tables are durable and before the manifest names them:
    /// it returns once the caller's log is durable up to there, so that no later write can survive an earlier one.
    pub before_publish: &'a dyn Fn(SeqNo) -> Result<()>,
    /// Asked after every slice whether to go on.
    pub on_slice: OnSlice<'a>,
}

impl fmt::Debug for FlushContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlushContext").field("retention", &self.retention).finish_non_exhaustive()
    }
}

/// What a flush did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// Memtables that are now on disk.
    pub memtables: usize,
    /// Rows in them.
    pub rows_in: u64,
    /// Tables made.
    pub tables: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// The boundary up to which everything is now in tables; `None` if nothing was due.
    pub mark: Option<SeqNo>,
}

/// Writes the sealed memtables up to `context.through` as one run, cut where the strategy says. One caller at a time.
pub(crate) fn flush(versions: &SuperVersions, strategy: &Chosen, context: &FlushContext<'_>) -> Result<FlushReport> {
    versions.check_retention(&context.retention)?;
    let sealed = versions.close_through(context.through);
    let Some(mark) = sealed.iter().map(|sealed| sealed.boundary).max() else {
        return Ok(FlushReport::default());
    };
    if let Some(cause) = versions.poison() {
        return Err(cause);
    }
    let memtables: Vec<Arc<Memtable>> = sealed.iter().map(|sealed| Arc::clone(&sealed.memtable)).collect();
    let (order, settings) = (&versions.options.order, versions.settings());
    let pinned = versions.pin();
    let cuts = Cuts::at(strategy.guards(&pinned.version, &settings), &settings);
    let removed = Removed::new(versions, &memtables, settings.removed_run_rows, context.on_slice);
    let rewrite = Rewrite {
        spec: OutputSpec {
            home: &versions.home,
            options: &settings,
            is_flush: true,
            filter_width: filter_width(&pinned, &settings, &memtables)?,
            now_us: context.now_us,
            oldest_write_us: context.now_us,
            cold_but_for: None,
        },
        cuts: &cuts,
        retention: &context.retention,
        range_tombstones: memtables.iter().flat_map(|memtable| memtable.range_tombstone_list()).collect(),
        elsewhere: Elsewhere::new(&pinned, order.clone(), &memtables, &HashSet::new()),
        is_last_level: false,
        keeps_seqnos: strategy.keeps_seqnos(),
        removed: Some(&removed),
        on_slice: context.on_slice,
    };
    drop(pinned);
    let sources = memtables.iter().map(|memtable| Source::Memtable(memtable.cursor())).collect();
    let rewriting = rewrite.begin();
    let rewritten = rewriting.run(&Portion::whole(), Merging::new(sources, order.clone()), None);
    versions.obsolete.reclaim_soon();
    let rewritten = rewritten?;
    let highest_seqno = memtables.iter().filter_map(|memtable| memtable.max_seqno()).max();
    if let Some(highest) = highest_seqno
        && !planted(Bug::FlushBeforeLog)
    {
        (context.before_publish)(highest)?;
    }
    let (rows_in, history) = (rewritten.rows_in, rewritten.history);
    let tables = rewritten.outputs.keep();
    let report = FlushReport {
        memtables: memtables.len(),
        rows_in,
        tables: tables.len(),
        bytes: tables.iter().map(|table| table.meta.file_bytes).sum(),
        rows: tables.iter().map(|table| table.meta.rows).sum(),
        mark: Some(mark),
    };
    let run = tables.first().map_or(TableId(0), |table| table.meta.id);
    let added = tables.into_iter().map(|table| table.added(0, run)).collect();
    let covered = context.covered.map(|covered| covered.min(mark));
    let edit = Edit { added, mark: Some(mark), covered, history, highest_seqno, ..Edit::default() };
    versions.pin().toll.flushed();
    versions.install(Change::flush(edit, &sealed, &context.retention).settled_at(removed.settled_at()))?;
    count(&versions.options.stats, &report);
    Ok(report)
}

/// That of what these become.
fn filter_width(pinned: &SuperVersion, settings: &TreeOptions, memtables: &[Arc<Memtable>]) -> Result<FilterWidth> {
    let mut range: Option<KeyRange> = None;
    for memtable in memtables {
        let (mut first, mut last) = (memtable.cursor(), memtable.cursor());
        first.seek_to_first()?;
        last.seek_to_last()?;
        if !first.is_valid() {
            continue;
        }
        let own = KeyRange::closed(first.key().user_key.into(), last.key().user_key.into());
        range = Some(range.map_or(own.clone(), |range| range.union(own, &settings.order)));
    }
    // Without rows there is nothing to be filtered.
    let Some(range) = range else { return Ok(FilterWidth::exactly(0)) };
    let rows = memtables.iter().map(|memtable| memtable.rows() as u64).sum();
    let arriving = Arriving { level: 0, range, rows, kind: settings.level0_filter, replaced: &HashSet::new() };
    Ok(width(pinned, settings, &arriving))
}

fn count(stats: &Stats, report: &FlushReport) {
    let stats = stats.local();
    stats.add(Counter::FlushCount, 1);
    stats.add(Counter::FlushRowsWritten, report.rows);
    stats.add(Counter::FlushRowsDropped, report.rows_in.saturating_sub(report.rows));
    stats.add(Counter::FlushBytesWritten, report.bytes);
}
