//! Injected faults: each call of the file system fails, once and from then on, under an application that goes on.
//!
//! By default every `SEDIMENT_FAULT_STRIDE`-th place of each kind of fault is tried; 1 tries all.

use crate::{
    crash::{Script, scripts},
    parallel::parallel,
    store::DbStore,
};
use sediment_testkit::{
    faults::{Row, Tried, rows, try_row},
    ops::print_script,
    seed::number,
};
use std::sync::Mutex;

/// Scripts without kills and power loss: those end the world that the faults live in.
pub(crate) fn is_chosen(script: &Script) -> bool {
    !["killed", "manifest_rotation"].iter().any(|name| script.name.starts_with(name))
}

/// Tries one row of faults on one script.
pub(crate) fn tried(script: &Script, row: &Row) -> Tried {
    let mut tried = try_row::<DbStore>(&script.ops, &script.settings, row, script.seed);
    for failure in &mut tried.failures {
        *failure = format!("script {}, {failure}\n{}", script.name, print_script(&script.ops));
    }
    tried
}

#[test]
fn whatever_fails_nothing_promised_is_lost_and_no_answer_is_wrong() {
    let only = std::env::var("SEDIMENT_SCRIPT").unwrap_or_default();
    let stride = number("SEDIMENT_FAULT_STRIDE", 7);
    let chosen: Vec<Script> = scripts().into_iter().filter(is_chosen).collect();
    let chosen = chosen.iter().filter(|script| script.name.contains(&only));
    let work: Vec<(&Script, Row)> = chosen.flat_map(|script| rows(stride).into_iter().map(move |row| (script, row))).collect();
    let all = Mutex::new(Tried::default());
    parallel(&work, |(script, row)| {
        let tried = tried(script, row);
        eprintln!("faults: {}, {:?}{}: {tried}", script.name, row.fault, if row.sticky { ", sticky" } else { "" });
        all.lock().expect("nobody panics with it").add(tried);
    });
    let all = all.into_inner().expect("nobody panics with it");
    eprintln!("faults: {all}");
    assert!(all.failures.is_empty(), "{} failures:\n{}", all.failures.len(), all.failures.join("\n"));
    assert!(all.trials > 500 && all.reopens > 100 || !only.is_empty(), "{all}");
}
