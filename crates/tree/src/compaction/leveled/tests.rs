//! Scripts, and what holds of the plans of any version.

use super::Leveled;
use crate::{
    compaction::{
        busy::Busy,
        plan::{Action, Plan},
        scripts::{self, build, score},
        strategy::{Strategy as _, TreeView},
    },
    options::TreeOptions,
    version::{AddedTable, Edit, TableFile, Version, tests as sample},
};
use proptest::{
    collection::vec,
    prelude::{Strategy, prop_assert, prop_assert_eq, proptest},
};
use sediment_base::{KeyOrder, TableId};
use std::sync::Arc;

#[test]
fn the_plan_relieves_the_fullest_level_cheaply() {
    let names = ["level0", "sublevels", "concurrent", "deeper", "moves", "busy", "scores", "tombstones", "all"];
    scripts::check(&Leveled, "leveled", &names);
}

/// Tables as `(min, width, bytes, seqno, tombstones)`, those of a deeper level laid one behind the other with gaps of `min`.
type Tables = Vec<(u8, u8, u64, u64, u64)>;

fn placed(level: usize, tables: Tables, next_id: &mut u64) -> Vec<AddedTable> {
    let mut end = 0;
    let mut place = |(min, width, bytes, seqno, tombstones): (u8, u8, u64, u64, u64)| {
        let min = if level == 0 { min } else { end + min / 8 + 1 };
        end = min + width;
        *next_id += 1;
        sample::table(&format!("{level} {next_id} {next_id} k{min:03}..k{end:03} {bytes} 1 {tombstones} 0..{seqno}"))
    };
    tables.into_iter().map(&mut place).collect()
}

/// The edit of a plan, with an output as wide as it may be.
fn edit(version: &Version, plan: &Plan, next_id: &mut u64) -> Edit {
    let inputs: Vec<_> = version.tables().filter(|file| plan.tables().any(|id| id == file.meta.id)).collect();
    let moved = inputs.iter().map(|file| AddedTable { level: plan.target, run: TableId(0), meta: file.meta.clone() });
    let mut added: Vec<_> = moved.collect();
    if plan.action == Action::Rewrite {
        *next_id += 1;
        added.truncate(1);
        added[0].meta.id = TableId(*next_id);
        added[0].meta.range = plan.range.clone();
        added[0].meta.file_bytes = inputs.iter().map(|file| file.meta.file_bytes).sum();
    }
    Edit { removed: plan.tables().collect(), added, ..Edit::default() }
}

/// What a plan takes from level 0, and leaves there or in level 1, may not be older than what goes deeper.
fn check_age(version: &Version, plan: &Plan, order: &KeyOrder) {
    let goes = |file: &&Arc<TableFile>| plan.tables().any(|id| id == file.meta.id);
    for chosen in version.levels[0].tables().filter(goes) {
        let stays = version.levels[0].tables().filter(|file| !goes(file) && file.age() < chosen.age());
        let mut in_the_way = stays.chain(version.levels[1].tables().filter(|file| !goes(file)));
        assert!(!in_the_way.any(|file| file.meta.range.overlaps(&chosen.meta.range, order)), "{plan}");
    }
}

fn level_of_tables(most: usize) -> impl Strategy<Value = Tables> {
    vec((0..40_u8, 0..12_u8, 1..60_u64, 1..9_u64, 0..2_u64), 0..most)
}

proptest! {
    /// All that is picked may run at the same time and end in any order, and score and pick agree about what is due.
    #[test]
    fn picks_of_any_version_go_together(
        level0 in level_of_tables(24), level1 in level_of_tables(10), level2 in level_of_tables(10), trigger in 1..4_usize,
        dense in 1..3_u64
    ) {
        let (home, mut next_id) = (sample::home(), 0);
        let order = &home.context.order;
        let options = TreeOptions {
            level0_trigger: trigger, level_base_bytes: 100, level_ratio: 2, tombstones_due: dense,
            ..TreeOptions::new(Arc::clone(&home.context.cache))
        };
        let levels = [level0, level1, level2].into_iter().enumerate();
        let added = levels.flat_map(|(level, tables)| placed(level, tables, &mut next_id)).collect();
        let mut version = build(&home, Edit { identity: Some(sample::identity()), added, ..Edit::default() });
        for _ in 0..60 {
            let (mut busy, mut plans) = (Busy::default(), Vec::new());
            while let Some(plan) = Leveled.pick(&TreeView::new(&version, &busy, &options)) {
                check_age(&version, &plan, order);
                busy.take(&plan);
                plans.push(plan);
            }
            prop_assert_eq!(score(&Leveled, &version, &options) >= 1.0, !plans.is_empty());
            let mut taken: Vec<TableId> = plans.iter().flat_map(Plan::tables).collect();
            taken.sort_unstable();
            prop_assert!(taken.windows(2).all(|pair| pair[0] != pair[1]), "a table is taken twice");
            let edits: Vec<Edit> = plans.iter().rev().map(|plan| edit(&version, plan, &mut next_id)).collect();
            for edit in edits {
                version = version.apply(&home, edit).expect("no two tables of a level overlap");
                version.check(order);
            }
        }
        prop_assert!(score(&Leveled, &version, &options) < 1.0, "it comes to rest");
    }
}
