//! Running a plan: inputs opened, rewritten, in portions where they are many, replaced by one edit.
//!
//! The inputs stay until the edit is durable and nobody holds them. A job that fails or is cancelled changes nothing: its
//! outputs are discarded with their ids.

use super::{
    CompactionContext, CompactionReport,
    chosen::Chosen,
    plan::{Action, Plan},
    portions::{Failure, run_portions, sources, split},
};
use crate::{
    cursor::{Leaves, Merging},
    options::TreeOptions,
    rewrite::{Arriving, Cuts, Elsewhere, FilterWidth, Judge, OutputSpec, Progress, Rewrite, Rewritten, width},
    super_version::{Change, SuperVersion, SuperVersions},
    version::{AddedTable, Edit, History, Level, Run, TableFile, Version},
};
use sediment_base::{
    Error, KeyOrder, KeyRange, Result, SeqNo, Stats, TableId, compaction_filter::FilterContext, range::compare_starts,
    stats::Counter,
};
use std::{collections::HashSet, ops::ControlFlow, sync::Arc};

/// Runs a plan that was reserved.
pub(crate) fn run(
    versions: &SuperVersions,
    strategy: &Chosen,
    plan: &Plan,
    context: &CompactionContext<'_>,
) -> Result<CompactionReport> {
    versions.check_retention(&context.retention)?;
    if let Some(cause) = versions.poison() {
        return Err(cause);
    }
    let pinned = versions.pin();
    let wanted: HashSet<TableId> = plan.tables().collect();
    let inputs: Vec<Arc<TableFile>> = pinned.version.tables().filter(|file| wanted.contains(&file.meta.id)).cloned().collect();
    if inputs.len() != wanted.len() {
        return Err(Error::invalid_input(format!("the tree no longer has the tables of the plan: {plan}")));
    }
    let mut report = CompactionReport {
        tables_in: inputs.len(),
        bytes_in: inputs.iter().map(|file| file.meta.file_bytes).sum(),
        bytes_in_level0: pinned.version.levels[0]
            .tables()
            .filter(|file| wanted.contains(&file.meta.id))
            .map(|file| file.meta.file_bytes)
            .sum(),
        rows_in: inputs.iter().map(|file| file.meta.rows).sum(),
        moved: plan.action == Action::Move,
        ..CompactionReport::default()
    };
    let Made { tables, history, stamp, warm, uncovered } = match plan.action {
        Action::Move => {
            Made { tables: inputs.iter().map(|file| file.added(plan.target, TableId(0))).collect(), ..Made::default() }
        }
        Action::Rewrite => rewrite((versions, strategy), pinned, &inputs, plan, context, &mut report)?,
        Action::Discard => discard(versions, &inputs, context, &mut report)?,
    };
    // Nothing here may hold the inputs when they become obsolete.
    drop(inputs);
    report.tables_out = tables.len();
    report.bytes_out = tables.iter().map(|table| table.meta.file_bytes).sum();
    report.rows_out = tables.iter().map(|table| table.meta.rows).sum();
    let made: HashSet<TableId> = tables.iter().map(|table| table.meta.id).collect();
    let edit = Edit { removed: plan.tables().collect(), added: tables, history, ..Edit::default() };
    versions.install(Change::compaction(edit, &context.retention).stamped(stamp).uncovering(uncovered))?;
    warm_up(versions, &made, &warm);
    count(&versions.options.stats, &report);
    Ok(report)
}

/// Has in memory what readers want before they ask, as far as it can be read: otherwise they will tell.
fn warm_up(versions: &SuperVersions, made: &HashSet<TableId>, warm: &[KeyRange]) {
    if warm.is_empty() {
        return;
    }
    let (pinned, order) = (versions.pin(), &versions.options.order);
    for file in pinned.version.tables().filter(|file| made.contains(&file.meta.id)) {
        for keys in warm.iter().filter(|keys| keys.overlaps(&file.meta.range, order)) {
            if file.open().and_then(|table| table.warm(keys)).is_err() {
                return;
            }
        }
    }
}

fn count(stats: &Stats, report: &CompactionReport) {
    let stats = stats.local();
    if report.moved {
        return stats.add(Counter::CompactionMoves, 1);
    }
    stats.add(Counter::CompactionCount, 1);
    stats.add(Counter::CompactionPortions, report.portions as u64);
    stats.add(Counter::CompactionRowsRead, report.rows_in);
    stats.add(Counter::CompactionRowsWritten, report.rows_out);
    stats.add(Counter::CompactionRowsDropped, report.rows_in.saturating_sub(report.rows_out));
    stats.add(Counter::CompactionBlocksCarried, report.blocks_carried);
    stats.add(Counter::CompactionRowsFiltered, report.rows_filtered);
    stats.add(Counter::CompactionTablesDropped, report.tables_dropped as u64);
    stats.add(Counter::CompactionBytesRead, report.bytes_in - report.bytes_dropped);
    stats.add(Counter::CompactionBytesWritten, report.bytes_out);
}

/// What takes the place of the inputs.
#[derive(Default)]
struct Made {
    tables: Vec<AddedTable>,
    history: Option<History>,
    stamp: Option<SeqNo>,
    /// What readers want of the inputs.
    warm: Vec<KeyRange>,
    /// Where a row may have gone that hid older ones.
    uncovered: Vec<KeyRange>,
}

fn rewrite(
    (versions, strategy): (&SuperVersions, &Chosen),
    pinned: Arc<SuperVersion>,
    inputs: &[Arc<TableFile>],
    plan: &Plan,
    context: &CompactionContext<'_>,
    report: &mut CompactionReport,
) -> Result<Made> {
    let (order, settings) = (&versions.options.order, versions.settings());
    let cuts = plan.cuts.clone().unwrap_or_else(|| Cuts::by_size(&settings));
    let is_last_level = plan.target > 0 && pinned.version.levels[plan.target + 1..].iter().all(Level::is_empty);
    let inside = plan.tables().collect();
    let filter_width = filter_width(&pinned, &settings, inputs, (plan, &inside));
    let oldest_write_us = inputs.iter().map(|file| file.meta.oldest_write_us).min().unwrap_or(context.now_us);
    let (home, options, now_us) = (&versions.home, &*settings, context.now_us);
    let is_cold = report.bytes_in >= options.cold_input_bytes && is_deep(&pinned.version, plan.target, is_last_level);
    let warm = is_cold.then(|| warm_keys(inputs, order));
    let leaves = if warm.is_some() { Leaves::Nothing } else { Leaves::Uncached };
    let mut range_tombstones = Vec::new();
    for file in inputs {
        range_tombstones.extend(file.range_tombstones()?);
    }
    let failure = Failure::default();
    let on_slice = |progress: Progress| match failure.is_set() {
        true => ControlFlow::Break(()),
        false => (context.on_slice)(progress),
    };
    let mut rewriting = Rewrite {
        spec: OutputSpec { home, options, is_flush: false, filter_width, now_us, oldest_write_us, cold_but_for: warm.as_ref() },
        cuts: &cuts,
        retention: &context.retention,
        range_tombstones,
        elsewhere: Elsewhere::new(&pinned, order.clone(), &[], &inside),
        is_last_level,
        keeps_seqnos: strategy.keeps_seqnos(),
        removed: None,
        on_slice: &on_slice,
    }
    .begin();
    let (dropped, read): (Vec<_>, Vec<_>) = inputs.iter().partition(|file| rewriting.drops(&file.meta));
    let runs = runs_of(&pinned, &read.iter().map(|file| file.meta.id).collect(), order)?;
    // Memtables that are flushed while this runs may go.
    drop(pinned);
    let portions = split(&read, cuts.table_bytes, context.helpers.as_ref(), order)?;
    let portions = portions.with(|| judge(versions, &settings, is_last_level, context))?;
    let rewritten = run_portions(portions, context.helpers.as_ref(), &failure, &|(portion, judge)| {
        rewriting.run(&portion, Merging::new(sources(&runs, &portion, order, leaves), order.clone()), judge)
    });
    versions.obsolete.reclaim_soon();
    let rewritten = rewritten?;
    report.portions = rewritten.len();
    report.tables_dropped = dropped.len();
    report.bytes_dropped = dropped.iter().map(|file| file.meta.file_bytes).sum();
    report.blocks_carried = rewritten.iter().map(|portion| portion.blocks_carried).sum();
    report.rows_filtered = rewritten.iter().map(|portion| portion.rows_filtered).sum();
    let destroys = rewritten.iter().any(|portion| portion.rows_destroyed > 0);
    let history = rewritten.iter().filter_map(|portion| portion.history).reduce(History::raised);
    // As long as the outputs are not kept, a failure discards them.
    let stamp = if report.rows_filtered > 0 { stamp(versions, context)? } else { None };
    let outputs: Vec<_> = rewritten.into_iter().flat_map(|Rewritten { outputs, .. }| outputs.keep()).collect();
    let run = outputs.first().filter(|_| plan.target == 0).map_or(TableId(0), |first| first.meta.id);
    let tables = outputs.into_iter().map(|output| output.added(plan.target, run)).collect();
    let warm = wanted(inputs).collect();
    let uncovered = if destroys { vec![plan.range.clone()] } else { Vec::new() };
    Ok(Made { tables, history, stamp, warm, uncovered })
}

/// Whether what comes into this level stays there for long. What comes into the first one that has tables, while there are others
/// below, will be compacted again soon.
fn is_deep(version: &Version, level: usize, is_last_level: bool) -> bool {
    is_last_level || version.levels.iter().take(level).skip(1).any(|above| !above.is_empty())
}

/// What readers want of these tables. O(blocks) of those that are open.
fn wanted(inputs: &[Arc<TableFile>]) -> impl Iterator<Item = KeyRange> {
    inputs.iter().filter_map(|file| file.opened()).flat_map(|table| table.warm_keys())
}

/// The same, ascending, and what overlaps or touches as one.
fn warm_keys(inputs: &[Arc<TableFile>], order: &KeyOrder) -> Arc<[KeyRange]> {
    let mut keys: Vec<KeyRange> = wanted(inputs).collect();
    keys.sort_by(|a, b| compare_starts(&a.min, &b.min, order));
    let mut apart: Vec<KeyRange> = Vec::new();
    for range in keys {
        match apart.pop() {
            Some(before) if before.is_before(&range, order) => apart.extend([before, range]),
            Some(before) => apart.push(before.union(range, order)),
            None => apart.push(range),
        }
    }
    apart.into()
}

/// That of what these inputs, which a plan takes, become.
fn filter_width(
    pinned: &SuperVersion,
    settings: &TreeOptions,
    inputs: &[Arc<TableFile>],
    (plan, replaced): (&Plan, &HashSet<TableId>),
) -> FilterWidth {
    let ranges = inputs.iter().map(|file| file.meta.range.clone());
    let Some(range) = ranges.reduce(|a, b| a.union(b, &settings.order)) else { return FilterWidth::exactly(0) };
    let rows = inputs.iter().map(|file| file.meta.rows).sum();
    let arriving = Arriving { level: plan.target, range, rows, kind: settings.filter, replaced };
    width(pinned, settings, &arriving)
}

/// A stamp from the caller, unless the tree takes its own.
fn stamp(versions: &SuperVersions, context: &CompactionContext<'_>) -> Result<Option<SeqNo>> {
    let take_stamp = context.take_stamp.filter(|_| versions.options.seqno_source.is_none());
    take_stamp.map(|take_stamp| take_stamp()).transpose()
}

/// The filter of one portion of this compaction, if there is one.
fn judge(
    versions: &SuperVersions,
    settings: &TreeOptions,
    is_last_level: bool,
    context: &CompactionContext<'_>,
) -> Result<Option<Judge>> {
    let asked = FilterContext { is_last_level, now_us: context.now_us };
    let Some(filter) = settings.compaction_filter.as_ref().and_then(|factory| factory.make(&asked)) else { return Ok(None) };
    check_stamps(versions, context)?;
    Ok(Some(Judge::new(filter)))
}

/// Nothing takes the place of the inputs.
fn discard(
    versions: &SuperVersions,
    inputs: &[Arc<TableFile>],
    context: &CompactionContext<'_>,
    report: &mut CompactionReport,
) -> Result<Made> {
    check_stamps(versions, context)?;
    report.tables_dropped = inputs.len();
    report.bytes_dropped = report.bytes_in;
    let floor = inputs.iter().map(|file| file.meta.newest_seqno() + 1).max();
    let history = floor.map(|floor| History { oldest: floor, floor });
    let uncovered = inputs.iter().map(|file| file.meta.range.clone()).collect();
    Ok(Made { history, stamp: stamp(versions, context)?, uncovered, ..Made::default() })
}

/// Refuses what readers can tell where no stamp can be had.
fn check_stamps(versions: &SuperVersions, context: &CompactionContext<'_>) -> Result<()> {
    if context.take_stamp.is_some() || versions.options.seqno_source.is_some() {
        return Ok(());
    }
    let message = "a compaction that filters or discards needs a stamp, so that what has been read stays as it is for who goes on \
                   reading it: give `CompactionContext::take_stamp`, or open the tree with `TreeOptions::seqno_source`";
    Err(Error::invalid_input(message))
}

/// What each run has of these tables, newest first.
fn runs_of(pinned: &SuperVersion, wanted: &HashSet<TableId>, order: &KeyOrder) -> Result<Vec<Arc<Run>>> {
    let mut runs = Vec::new();
    for run in pinned.version.runs.iter() {
        let tables: Vec<_> = run.tables().iter().filter(|file| wanted.contains(&file.meta.id)).cloned().collect();
        if !tables.is_empty() {
            runs.push(Arc::new(Run::new(tables, order)?));
        }
    }
    Ok(runs)
}
