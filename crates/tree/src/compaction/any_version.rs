//! What holds of the plans of every strategy, for any version.

use super::{
    busy::Busy,
    lazy::Lazy,
    leveled::Leveled,
    plan::{Action, Plan},
    scripts::{build, score},
    strategy::{Coming, Strategy, TreeView},
    sweep::pick_sweep,
    tiered::Tiered,
};
use crate::{
    options::TreeOptions,
    version::{AddedTable, Edit, TableFile, Version, tests as sample},
};
use proptest::{collection::vec, option, prop_assert, prop_assert_eq, proptest};
use sediment_base::{KeyOrder, TableId};
use std::sync::Arc;

/// Tables as `(min, width, bytes, seqno, tombstones)`, those of a deeper level laid one behind the other with gaps of `min`.
type Tables = Vec<(u8, u8, u64, u64, u64)>;

fn placed(level: usize, tables: Tables, next_id: &mut u64) -> Vec<AddedTable> {
    let mut end = 0;
    let mut place = |(min, width, bytes, seqno, tombstones): (u8, u8, u64, u64, u64)| {
        let min = if level == 0 { min } else { end + min / 8 + 1 };
        end = min + width;
        *next_id += 1;
        sample::table(&format!(
            "{level} {next_id} {next_id} k{min:03}..k{end:03} {bytes} 1 {tombstones} 0..{seqno} 0 {}",
            tombstones * 90
        ))
    };
    tables.into_iter().map(&mut place).collect()
}

/// The edit of a plan, with an output as wide as it may be.
fn edit(version: &Version, plan: &Plan, next_id: &mut u64) -> Edit {
    let inputs: Vec<_> = version.tables().filter(|file| plan.tables().any(|id| id == file.meta.id)).collect();
    let moved = inputs.iter().map(|file| file.added(plan.target, TableId(0)));
    let mut added: Vec<_> = moved.collect();
    if plan.action == Action::Rewrite {
        *next_id += 1;
        added.truncate(1);
        added[0].meta.id = TableId(*next_id);
        added[0].hides_bytes = 0;
        added[0].meta.range = plan.range.clone();
        added[0].meta.file_bytes = inputs.iter().map(|file| file.meta.file_bytes).sum();
    }
    Edit { removed: plan.tables().collect(), added, ..Edit::default() }
}

/// The tables of all runs.
fn ids(version: &Version) -> Vec<Vec<TableId>> {
    version.runs.iter().map(|run| run.tables().iter().map(|file| file.meta.id).collect()).collect()
}

/// What is taken passes no table that stays: neither one below it on its way down, nor, where it stays in level 0, one between tables that
/// become one.
fn check_order(version: &Version, plan: &Plan, order: &KeyOrder) {
    let levels = version.levels.iter().enumerate();
    let all: Vec<(usize, &Arc<TableFile>)> =
        levels.flat_map(|(index, level)| level.tables().map(move |file| (index, file))).collect();
    let (taken, staying): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, file)| plan.tables().any(|id| id == file.meta.id));
    let is_newer = |a: (usize, &Arc<TableFile>), b: (usize, &Arc<TableFile>)| match (a.0, b.0) {
        (0, 0) => a.1.age() > b.1.age(),
        (above, below) => above < below,
    };
    for stays in staying.into_iter().filter(|(level, _)| *level <= plan.target) {
        let met = || taken.iter().copied().filter(|(_, file)| file.meta.range.overlaps(&stays.1.meta.range, order));
        let passes = met().any(|newer| is_newer(newer, stays));
        let is_between = met().any(|older| is_newer(stays, older));
        assert!(!(passes && (plan.target > 0 || is_between)), "{plan} passes {}", stays.1.meta.id);
    }
}

fn strategy(number: u8) -> Arc<dyn Strategy> {
    match number % 4 {
        0 => Arc::new(Leveled),
        1 => Arc::new(Tiered),
        2 => Arc::new(Lazy::default()),
        _ => Arc::new(Lazy::new(100)),
    }
}

proptest! {
    /// All that is picked may run at the same time and end in any order, score and pick agree about what is due, and whatever strategies
    /// have left, each comes to rest.
    #[test]
    fn picks_of_any_version_go_together(
        level0 in vec((0..40_u8, 0..12_u8, 1..60_u64, 1..9_u64, 0..2_u64), 0..24),
        level1 in vec((0..40_u8, 0..12_u8, 1..60_u64, 1..9_u64, 0..2_u64), 0..10),
        level2 in vec((0..40_u8, 0..12_u8, 1..60_u64, 1..9_u64, 0..2_u64), 0..10),
        trigger in 1..4_usize, dense in 1..3_u64, table_bytes in 1..200_u64, numbers in vec(0..4_u8, 1..6), toll in option::of(0..1000_u64)
    ) {
        let (home, mut next_id) = (sample::home(), 0);
        let order = &home.context.order;
        let options = TreeOptions {
            level0_trigger: trigger, level_base_bytes: 100, level_ratio: 2, tombstones_due: dense, table_bytes,
            ..TreeOptions::new(Arc::clone(&home.context.cache))
        };
        let coming = toll.map(|toll_bytes| Coming { toll_bytes });
        let levels = [level0, level1, level2].into_iter().enumerate();
        let added = levels.flat_map(|(level, tables)| placed(level, tables, &mut next_id)).collect();
        let mut version = build(&home, Edit { identity: Some(sample::identity()), added, ..Edit::default() });
        let nothing = Busy::default();
        for round in 0..60 {
            let strategy = strategy(numbers[round.min(numbers.len() - 1)]);
            let (mut busy, mut plans) = (Busy::default(), Vec::new());
            let pick = |busy: &Busy| {
                let view = TreeView::new(&version, busy, &options).awaiting(coming);
                pick_sweep(&view).or_else(|| strategy.pick(&view))
            };
            while let Some(plan) = pick(&busy) {
                check_order(&version, &plan, order);
                busy.take(&plan);
                plans.push(plan);
            }
            let sweeps = pick_sweep(&TreeView::new(&version, &nothing, &options)).is_some();
            let view = TreeView::new(&version, &nothing, &options).awaiting(coming);
            prop_assert_eq!(sweeps || score(&*strategy, &view) >= 1.0, !plans.is_empty(), "{:?}", strategy);
            let mut taken: Vec<TableId> = plans.iter().flat_map(Plan::tables).collect();
            taken.sort_unstable();
            prop_assert!(taken.windows(2).all(|pair| pair[0] != pair[1]), "a table is taken twice");
            let edits: Vec<Edit> = plans.iter().rev().map(|plan| edit(&version, plan, &mut next_id)).collect();
            for edit in edits {
                version = version.apply(&home, edit).expect("no two tables of a level overlap");
                version.check(order);
                let made = build(&home, version.snapshot(home.next_id()));
                prop_assert_eq!(ids(&version), ids(&made), "as if it were made from nothing");
            }
        }
        let last = strategy(numbers[numbers.len() - 1]);
        let view = TreeView::new(&version, &nothing, &options).awaiting(coming);
        prop_assert!(score(&*last, &view) < 1.0, "{last:?} comes to rest");
    }
}
