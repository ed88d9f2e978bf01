//! Errors (API 29), and the verification of a sound tree.

use crate::common::World;
use lsm_tree::{AbstractTree, Error, Result, verify};
use std::error::Error as _;

#[test]
fn an_error_shows_itself_and_only_that_of_the_system_has_a_source() {
    let error = Error::from(std::io::Error::other("disk"));
    assert!(error.to_string().starts_with("LsmTreeError: Io(") && error.source().is_some());
    assert_eq!(Error::Unrecoverable.to_string(), "LsmTreeError: Unrecoverable");
    assert!(Error::InvalidTag(("x", 1)).source().is_none());
}

#[test]
fn a_sound_tree_has_no_fault() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let report = verify::verify_integrity(&world.tree);
    assert_eq!((report.is_ok(), report.files_checked(), report.sst_files_checked), (true, 1, 1));
    let options = verify::VerifyOptions::default().parallelism(4).throttle(std::time::Duration::ZERO);
    assert_eq!((options.parallelism, options.throttle), (4, Some(std::time::Duration::ZERO)));
    for report in
        [world.tree.verify_checksum(), world.tree.verify_checksum_with(&options), verify::verify_block_checksums(&world.tree)]
    {
        assert_eq!(
            (report.is_ok(), report.has_warnings(), report.sst_files_scanned, report.blocks_scanned),
            (true, false, 1, 1)
        );
    }
    Ok(())
}
