//! Flipped bytes: an error with file and offset, or what was written.

use crate::{settings, store::DbStore};
use sediment_testkit::{
    crash::record,
    damage::{Flipped, flip_bytes},
    ops::parse_script,
    seed::number,
};

/// Flips bytes of a store at rest.
pub(crate) fn flipped(stride: u64) -> Result<Flipped, String> {
    let ops = parse_script(include_str!("../../testdata/crash/settled.txt")).expect("operations");
    let lives = record::<DbStore>(&ops, &settings::tiny(), 1)?;
    Ok(flip_bytes::<DbStore>(lives.last().expect("one life"), &settings::tiny(), stride))
}

#[test]
fn a_flipped_byte_is_an_error_with_its_place_or_was_not_needed() {
    let flipped = flipped(number("SEDIMENT_FLIP_STRIDE", 1)).expect("the script runs");
    eprintln!("damage: {flipped}");
    assert!(flipped.failures.is_empty(), "{} failures:\n{}", flipped.failures.len(), flipped.failures.join("\n"));
    assert!(flipped.refused > flipped.flips / 2, "{flipped}");
}
