//! The tests of this crate find each mistake that somebody might make in it. Only in builds with `--cfg planted_bugs`, where
//! one mistake at a time is switched on for the whole process: run this test alone.

use crate::{compare, crash, faults};
use sediment_base::planted::{Bug, plant};
use sediment_testkit::alone::assert_alone;
use std::panic::{AssertUnwindSafe, catch_unwind};

const OURS: [Bug; 9] = [
    Bug::SkipTableDirectorySync,
    Bug::SkipTableSync,
    Bug::PublishBeforeManifestSync,
    Bug::SwitchCurrentBeforeSync,
    Bug::RetryFailedSync,
    Bug::ReuseTableId,
    Bug::DropVersionUnderSnapshot,
    Bug::DropTombstoneAboveBottom,
    Bug::CarryUnderRangeTombstone,
];

#[test]
fn every_planted_bug_is_found() {
    assert_alone("planted");
    let missed: Vec<Bug> = OURS.into_iter().filter(|bug| !is_found(*bug)).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

fn is_found(bug: Bug) -> bool {
    plant(Some(bug));
    let found = catch_unwind(AssertUnwindSafe(|| {
        crash::sweep().expect("the script runs");
        compare::all().expect("the histories run");
        faults::all().expect("the script runs");
    }));
    plant(None);
    found.is_err()
}
