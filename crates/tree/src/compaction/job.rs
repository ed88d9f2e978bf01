//! Running a plan: inputs opened, rewritten, replaced by one edit.
//!
//! The inputs stay until the edit is durable and nobody holds them. A job that fails or is cancelled changes nothing: its
//! outputs are discarded with their ids.

use super::{
    CompactionContext, CompactionReport,
    plan::{Action, Plan},
};
use crate::{
    cursor::{Merging, RunCursor, Source},
    rewrite::{Elsewhere, OutputSpec, Rewrite},
    super_version::{Change, SuperVersion, SuperVersions},
    version::{AddedTable, Edit, Level, Run, TableFile},
};
use sediment_base::{Error, KeyOrder, RangeTombstone, Result, Stats, TableId, stats::Counter};
use sediment_table::TableMeta;
use std::{collections::HashSet, sync::Arc};

/// Runs a plan that was reserved.
pub(crate) fn run(versions: &SuperVersions, plan: &Plan, context: &CompactionContext<'_>) -> Result<CompactionReport> {
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
    let (tables, history) = match plan.action {
        Action::Move => (inputs.iter().map(|file| file.meta.clone()).collect(), None),
        Action::Rewrite => rewrite(versions, pinned, &inputs, plan, context)?,
    };
    // Nothing here may hold the inputs when they become obsolete.
    drop(inputs);
    report.tables_out = tables.len();
    report.bytes_out = tables.iter().map(|table| table.file_bytes).sum();
    report.rows_out = tables.iter().map(|table| table.rows).sum();
    let run = tables.first().filter(|_| plan.target == 0).map_or(TableId(0), |first| first.id);
    let added = tables.into_iter().map(|meta| AddedTable { level: plan.target, run, meta }).collect();
    let edit = Edit { removed: plan.tables().collect(), added, history, ..Edit::default() };
    versions.install(Change::compaction(edit, &context.retention))?;
    count(&versions.options.stats, &report);
    Ok(report)
}

fn count(stats: &Stats, report: &CompactionReport) {
    let stats = stats.local();
    if report.moved {
        return stats.add(Counter::CompactionMoves, 1);
    }
    stats.add(Counter::CompactionCount, 1);
    stats.add(Counter::CompactionRowsRead, report.rows_in);
    stats.add(Counter::CompactionRowsWritten, report.rows_out);
    stats.add(Counter::CompactionRowsDropped, report.rows_in.saturating_sub(report.rows_out));
    stats.add(Counter::CompactionBytesRead, report.bytes_in);
    stats.add(Counter::CompactionBytesWritten, report.bytes_out);
}

type Made = (Vec<TableMeta>, Option<crate::version::History>);

fn rewrite(
    versions: &SuperVersions,
    pinned: Arc<SuperVersion>,
    inputs: &[Arc<TableFile>],
    plan: &Plan,
    context: &CompactionContext<'_>,
) -> Result<Made> {
    let (order, settings) = (&versions.options.order, versions.settings());
    let inside = plan.tables().collect();
    let sources = sources(&pinned, &inside, order)?;
    let oldest_write_us = inputs.iter().map(|file| file.meta.oldest_write_us).min().unwrap_or(context.now_us);
    let (home, options, now_us) = (&versions.home, &*settings, context.now_us);
    let rewrite = Rewrite {
        spec: OutputSpec { home, options, is_flush: false, now_us, oldest_write_us, guards: &[] },
        retention: &context.retention,
        range_tombstones: range_tombstones(inputs)?,
        elsewhere: Elsewhere::new(&pinned, order.clone(), &[], &inside),
        is_last_level: plan.target > 0 && pinned.version.levels[plan.target + 1..].iter().all(Level::is_empty),
        on_slice: context.on_slice,
    };
    // Memtables that are flushed while this runs may go.
    drop(pinned);
    let rewritten = rewrite.run(Merging::new(sources, order.clone()));
    versions.obsolete.reclaim_soon();
    let rewritten = rewritten?;
    Ok((rewritten.outputs.keep(), rewritten.history))
}

/// Those of all inputs.
fn range_tombstones(inputs: &[Arc<TableFile>]) -> Result<Vec<RangeTombstone>> {
    let mut all = Vec::new();
    for file in inputs.iter().filter(|file| file.meta.ranges.count > 0) {
        all.extend(file.open()?.range_tombstones().into_iter().flat_map(|ranges| ranges.iter().cloned()));
    }
    Ok(all)
}

/// One cursor per run, newest first, over those of its tables that are wanted.
fn sources(pinned: &SuperVersion, wanted: &HashSet<TableId>, order: &KeyOrder) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for run in pinned.version.runs.iter() {
        let tables: Vec<_> = run.tables().iter().filter(|file| wanted.contains(&file.meta.id)).cloned().collect();
        if !tables.is_empty() {
            let part = Arc::new(Run::new(tables, order)?);
            sources.push(Source::Run(RunCursor::uncached(part, order.clone())));
        }
    }
    Ok(sources)
}
