//! Scripts: a version and what is busy in, the plan out.

use super::{
    busy::Busy,
    full::pick_all,
    plan::{Action, Plan},
    strategy::{Coming, Strategy, TreeView},
    sweep::pick_sweep,
};
use crate::{
    options::TreeOptions,
    version::{Edit, TableHome, Version, VersionBuilder, tests as sample},
};
use sediment_base::TableId;
use sediment_testkit::script::{self, Case};
use std::{path::Path, sync::Arc};

/// Runs the scripts of these names.
pub(super) fn check(strategy: &dyn Strategy, folder: &str, names: &[&str]) {
    for name in names {
        let path = format!("{}/testdata/{folder}/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        script::run(Path::new(&path), |case| answer(strategy, case));
    }
}

/// `pick trigger=4 base=100 ratio=10 dense=10 table=32 now=7 toll=0` (what readers pay while more is expected), `picks …` (one after the other, as if all were to run at the same time),
/// `score …`, `all …` or `sweep …`, then tables `level run id min..max bytes rows tombstones [min..max of the seqnos [oldest write [hidden bytes]]]`, in level 0 the higher id
/// newer unless the seqnos say otherwise, and plans that run already, as `busy <target level> <id> …`.
fn answer(strategy: &dyn Strategy, case: &Case) -> String {
    let home = sample::home();
    let (busy_lines, table_lines): (Vec<&str>, Vec<&str>) = case.input.lines().partition(|line| line.starts_with("busy"));
    let added = table_lines.into_iter().map(sample::table).collect();
    let version = build(&home, Edit { identity: Some(sample::identity()), added, ..Edit::default() });
    let mut busy = Busy::default();
    for line in busy_lines {
        let numbers: Vec<u64> = line.split_whitespace().skip(1).map(|word| word.parse().expect("a number")).collect();
        let taken = numbers[1..].iter().map(|id| TableId(*id)).collect::<Vec<_>>();
        let files = version.tables().filter(|file| taken.contains(&file.meta.id)).cloned().collect();
        let order = &home.context.order;
        let plan = Plan::new(Action::Rewrite, vec![(0, files)], numbers[0] as usize, order);
        busy.take(&plan.expect("tables"));
    }
    let (options, now_us, coming) = options(case, &home);
    let shown = |plan: Option<Plan>| plan.map_or("nothing".into(), |plan| plan.to_string());
    match case.verb() {
        "pick" => shown(strategy.pick(&TreeView::new(&version, &busy, &options).at(now_us).awaiting(coming))),
        "sweep" => shown(pick_sweep(&TreeView::new(&version, &busy, &options))),
        "picks" => picks(strategy, &version, busy, &options),
        "all" => shown(pick_all(&version, &options)),
        "score" => {
            let busy = Busy::default();
            format!("{:.2}", score(strategy, &TreeView::new(&version, &busy, &options).at(now_us).awaiting(coming)))
        }
        other => panic!("{other}"),
    }
}

/// The highest score of a level.
pub(super) fn score(strategy: &dyn Strategy, view: &TreeView<'_>) -> f64 {
    strategy.scores(view).into_iter().fold(0.0, f64::max)
}

fn picks(strategy: &dyn Strategy, version: &Version, mut busy: Busy, options: &TreeOptions) -> String {
    let mut lines = Vec::new();
    while let Some(plan) = strategy.pick(&TreeView::new(version, &busy, options)) {
        busy.take(&plan);
        lines.push(plan.to_string());
    }
    lines.join("\n")
}

/// The version that an edit makes from nothing.
pub(super) fn build(home: &Arc<TableHome>, edit: Edit) -> Version {
    let mut builder = VersionBuilder::empty(home);
    builder.apply(edit).expect("a sound edit");
    builder.build().expect("a sound version")
}

/// With the time that it is.
fn options(case: &Case, home: &TableHome) -> (TreeOptions, u64, Option<Coming>) {
    let (mut now_us, mut coming) = (0, None);
    let mut options = TreeOptions::new(Arc::clone(&home.context.cache));
    for arg in case.args() {
        let (name, value) = arg.split_once('=').expect("name=value");
        let value: u64 = value.parse().expect("a number");
        match name {
            "trigger" => options.level0_trigger = value as usize,
            "base" => options.level_base_bytes = value,
            "ratio" => options.level_ratio = value,
            "dense" => options.tombstones_due = value,
            "table" => options.table_bytes = value,
            "now" => now_us = value,
            "toll" => coming = Some(Coming { toll_bytes: value }),
            other => panic!("{other}"),
        }
    }
    (options, now_us, coming)
}
