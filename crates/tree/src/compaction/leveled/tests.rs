//! Scripts: a version and what is busy in, the plan out.

use super::{pick, pick_all};
use crate::{
    compaction::busy::Busy,
    options::TreeOptions,
    version::{Edit, TableHome, Version, VersionBuilder, tests as sample},
};
use sediment_base::TableId;
use sediment_testkit::script::{self, Case};
use std::{path::Path, sync::Arc};

#[test]
fn the_plan_relieves_the_fullest_level_cheaply() {
    for name in ["level0", "deeper", "moves", "busy", "all"] {
        let path = format!("{}/testdata/leveled/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        script::run(Path::new(&path), answer);
    }
}

/// `pick trigger=4 base=100 ratio=10` or `all …`, then tables `level run id min..max bytes rows tombstones`, level 0 oldest
/// first, and `busy rewrite …` lines: plans that run already, as `busy <target level> <id> …`.
fn answer(case: &Case) -> String {
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
        let plan = super::Plan::new(super::Action::Rewrite, vec![(0, files)], numbers[0] as usize, order);
        busy.take(&plan.expect("tables"));
    }
    let options = options(case, &home);
    let plan = match case.verb() {
        "pick" => pick(&version, &busy, &options),
        "all" => pick_all(&version, &options),
        other => panic!("{other}"),
    };
    plan.map_or("nothing".into(), |plan| plan.to_string())
}

fn build(home: &Arc<TableHome>, edit: Edit) -> Version {
    let mut builder = VersionBuilder::empty(home);
    builder.apply(edit).expect("a sound edit");
    builder.build().expect("a sound version")
}

fn options(case: &Case, home: &TableHome) -> TreeOptions {
    let mut options = TreeOptions::new(Arc::clone(&home.context.cache));
    for arg in case.args() {
        let (name, value) = arg.split_once('=').expect("name=value");
        let value: u64 = value.parse().expect("a number");
        match name {
            "trigger" => options.level0_trigger = value as usize,
            "base" => options.level_base_bytes = value,
            "ratio" => options.level_ratio = value,
            other => panic!("{other}"),
        }
    }
    options
}
