//! Rows with checksums of their own: what memory has lost before a block was sealed is told, never returned and never written on.

use crate::disks::{builder, eventually, killed, open, recorded};
use sediment_codec::{
    header::{FileHeader, HEADER_BYTES},
    seal::{FrameId, Region, Seal},
};
use sediment_env::MemFs;
use sedimentdb::{Error, ErrorKind, Keyspace, KeyspaceOptions, Result, dump_file};
use std::path::{Path, PathBuf};

const ROWS: u64 = 300;

fn switched(is_on: bool) -> KeyspaceOptions {
    KeyspaceOptions { entry_checksums: Some(is_on), ..KeyspaceOptions::default() }
}

fn key(number: u64) -> String {
    format!("key {number:04}")
}

fn value(number: u64) -> String {
    format!("value {number:04}")
}

fn fill(keyspace: &Keyspace) -> Result<()> {
    (0..ROWS).try_for_each(|number| keyspace.insert(key(number), value(number)))
}

fn is_table(path: &Path) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with("tables"))
}

fn tables(disk: &MemFs) -> Vec<PathBuf> {
    disk.tree().into_keys().filter(|path| is_table(path)).collect()
}

/// Of each table, whether its rows have digests, as its dump tells.
fn digested(disk: &MemFs) -> Vec<bool> {
    let folder = tempfile::tempdir().expect("a real disk");
    let copy = folder.path().join("table");
    let dump = |(_, bytes): (PathBuf, Vec<u8>)| {
        std::fs::write(&copy, bytes).expect("room for a table");
        let mut text = String::new();
        dump_file(&copy, &mut text).expect("a sound table");
        text.contains("row_digests 1")
    };
    disk.tree().into_iter().filter(|(path, _)| is_table(path)).map(dump).collect()
}

/// Turns over a bit of this value in the table that holds it, and makes the checksum of its block fit.
fn turn_bit(disk: &MemFs, value: &str) -> Result<PathBuf> {
    for path in tables(disk) {
        let file = disk.tree().remove(&path).expect("it is there");
        let seal = Seal { uuid: FileHeader::decode(&file)?.uuid };
        let mut at = HEADER_BYTES;
        while at < file.len() - HEADER_BYTES {
            let (header, stored) = seal.verify(at as u64, &file[at..])?;
            let found = stored.windows(value.len()).position(|bytes| bytes == value.as_bytes());
            if let Some(found) = found.filter(|_| header.region == Region::Data as u8) {
                let (mut plain, mut sealed) = (stored.to_vec(), Vec::new());
                plain[found] ^= 2;
                let id = FrameId { region: header.region, kind: header.kind, ordinal: header.ordinal };
                seal.seal(id, at as u64, &plain, &mut sealed)?;
                change(disk, &path, at, &file, &sealed)?;
                return Ok(path);
            }
            at += header.frame_bytes() as usize;
        }
    }
    panic!("no table has the value");
}

fn change(disk: &MemFs, path: &Path, at: usize, file: &[u8], bytes: &[u8]) -> Result<()> {
    for (index, byte) in bytes.iter().enumerate() {
        let differs = |bit: &u8| (file[at + index] ^ byte) >> bit & 1 == 1;
        (0..8).filter(differs).try_for_each(|bit| disk.flip(path, (at + index) as u64, bit))?;
    }
    Ok(())
}

fn names(error: &Error, path: &Path) {
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    let place = error.location().expect("an error says where");
    assert!(path.ends_with(&place.file) && place.offset.is_some() && error.to_string().contains("digest"), "{error}");
}

#[test]
fn it_is_switched_at_any_time_and_rows_follow_when_they_are_rewritten() -> Result<()> {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace_with("k", switched(false))?;
    for is_on in [false, true, false] {
        keyspace.set_options(switched(is_on))?;
        fill(&keyspace)?;
        db.flush()?;
        db.compact()?;
        let has_followed = || {
            let of_tables = digested(&disk);
            !of_tables.is_empty() && of_tables.iter().all(|has| *has == is_on)
        };
        assert!(eventually(&keyspace, has_followed), "{:?}", digested(&disk));
        assert_eq!(keyspace.get(key(7))?.as_deref(), Some(value(7).as_bytes()));
        assert!(db.verify()?.faults.is_empty());
    }
    Ok(())
}

#[test]
fn what_is_replayed_after_a_crash_has_them() -> Result<()> {
    let disk = recorded();
    let db = open(&disk);
    fill(&db.keyspace_with("k", switched(true))?)?;
    let disk = killed(&disk);
    let db = open(&disk);
    let keyspace = db.keyspace("k")?;
    assert_eq!((keyspace.options(), keyspace.iter().count()), (switched(true), ROWS as usize));
    db.flush()?;
    assert!(digested(&disk).iter().all(|has| *has));
    assert!(db.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn a_damaged_row_is_told_by_whoever_comes_to_it_and_the_others_are_read() -> Result<()> {
    let disk = MemFs::new();
    let db = open(&disk);
    fill(&db.keyspace_with("k", switched(true))?)?;
    db.flush()?;
    db.close()?;
    let path = turn_bit(&disk, &value(200))?;
    let db = builder(&disk).open()?;
    let keyspace = db.keyspace("k")?;
    names(&keyspace.get(key(200)).unwrap_err(), &path);
    names(&keyspace.contains_key(key(200)).unwrap_err(), &path);
    names(&keyspace.iter().collect::<Result<Vec<_>>>().unwrap_err(), &path);
    names(&keyspace.iter().rev().collect::<Result<Vec<_>>>().unwrap_err(), &path);
    for number in (0..ROWS).filter(|number| *number != 200) {
        assert_eq!(keyspace.get(key(number))?.as_deref(), Some(value(number).as_bytes()));
    }
    let before = tables(&disk);
    names(&db.compact().unwrap_err(), &path);
    assert_eq!(tables(&disk), before, "nothing of it is written on");
    assert!(db.verify()?.faults.iter().any(|fault| fault.to_string().contains("digest")));
    Ok(())
}
