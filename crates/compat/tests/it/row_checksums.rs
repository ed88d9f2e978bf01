//! Checksums of rows (API 21, 26).

use crate::common::World;
use lsm_tree::{
    Result,
    runtime_config::{KvChecksumPolicy, RuntimeConfig},
    verify::verify_kv_checksums,
};
use std::{fs, path::PathBuf};

const ROWS: u64 = 500;

/// The one file of a table, which takes so many bytes.
fn table(world: &World) -> (PathBuf, u64) {
    let files = fs::read_dir(world.folder.path().join("tables")).expect("a directory");
    let mut files = files.map(|file| file.expect("a file").path());
    let file = files.next().expect("a table");
    assert_eq!(files.next(), None);
    let bytes = file.metadata().expect("it is there").len();
    (file, bytes)
}

/// All rows in one table.
fn fill(world: &World) -> u64 {
    (0..ROWS).for_each(|number| {
        world.put(&format!("{number:04}"), "value");
    });
    world.flush();
    table(world).1
}

#[test]
fn rows_have_them_from_when_they_are_switched_on() -> Result<()> {
    let without = fill(&World::new()?);
    let world = World::with(|config| {
        let mut runtime = RuntimeConfig::default();
        runtime.kv_checksums = KvChecksumPolicy::AllLevels;
        config.with_runtime_config(runtime)
    })?;
    assert!(fill(&world) >= without + 4 * ROWS, "four bytes a row");
    let world = World::new()?;
    world.tree.update_runtime_config(|config| config.kv_checksums = KvChecksumPolicy::AllLevels)?;
    assert!(fill(&world) >= without + 4 * ROWS);
    verify_kv_checksums(&world.tree)?;
    let (file, bytes) = table(&world);
    let mut damaged = fs::read(&file)?;
    damaged[bytes as usize / 3] ^= 1;
    fs::write(&file, damaged)?;
    let error = verify_kv_checksums(&world.tree).expect_err("it is damaged");
    assert!(error.to_string().contains("tables"), "{error}");
    Ok(())
}
