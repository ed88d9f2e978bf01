//! Flipped bytes: an error with file and offset, or what was written.

use crate::{settings, store::DbStore};
use sediment_testkit::{
    crash::record,
    damage::{Flipped, flip_bytes},
    ops::parse_script,
    seed::number,
};

/// Flips bytes of a store at rest.
pub(crate) fn flipped_at_rest(stride: u64) -> Result<Flipped, String> {
    let ops = parse_script(include_str!("../../testdata/crash/settled.txt")).expect("operations");
    let lives = record::<DbStore>(&ops, &settings::tiny(), 1)?;
    let life = lives.last().expect("one life");
    Ok(flip_bytes::<DbStore>(life, &settings::tiny(), stride, life.model.now()..=life.model.now()))
}

/// Flips bytes of a store whose process was killed, with all it holds in the log.
pub(crate) fn flipped_in_log(stride: u64) -> Result<Flipped, String> {
    let ops = parse_script(include_str!("../../testdata/crash/unflushed.txt")).expect("operations");
    let lives = record::<DbStore>(&ops, &settings::tiny(), 1)?;
    let life = lives.last().expect("one life");
    let synced = life.mark(*life.history.points().end()).promised.sync;
    assert!(synced > 4 && synced < life.model.now(), "a part of it was synced");
    Ok(flip_bytes::<DbStore>(life, &settings::tiny(), stride, synced..=life.model.now()))
}

#[test]
fn a_flipped_byte_is_an_error_with_its_place_or_was_not_needed() {
    let flipped = flipped_at_rest(number("SEDIMENT_FLIP_STRIDE", 1)).expect("the script runs");
    eprintln!("damage: {flipped}");
    assert!(flipped.failures.is_empty(), "{} failures:\n{}", flipped.failures.len(), flipped.failures.join("\n"));
    assert!(flipped.refused > flipped.flips / 2, "{flipped}");
}

#[test]
fn damage_in_the_log_is_not_taken_for_its_torn_end() {
    let flipped = flipped_in_log(number("SEDIMENT_FLIP_STRIDE", 1)).expect("the script runs");
    eprintln!("damage in the log: {flipped}");
    assert!(flipped.failures.is_empty(), "{} failures:\n{}", flipped.failures.len(), flipped.failures.join("\n"));
}
