//! Digests of rows go with them from the memtable to the last level, and damage that the checksum of a block came too late for is found.

use crate::model::{Pair, small_options};
use sediment_base::{Error, ErrorKind, KeyOrder, Result, SeqNo};
use sediment_codec::{
    header::{FileHeader, HEADER_BYTES},
    seal::{FrameId, Region, Seal},
};
use sediment_env::{Env, MemFs};
use sediment_tree::TreeOptions;
use std::path::{Path, PathBuf};

const ROWS: u64 = 400;

fn pair(disk: &MemFs, entry_checksums: bool) -> Result<Pair> {
    let options = TreeOptions { entry_checksums, ..small_options(KeyOrder::bytewise()) };
    Pair::create_with(Env::simulated(disk.clone(), 1), options)
}

fn key(number: u64) -> Vec<u8> {
    format!("key {number:04}").into_bytes()
}

fn value(number: u64) -> Vec<u8> {
    format!("value of {number:04}").into_bytes()
}

fn fill(pair: &mut Pair) -> Result<()> {
    (0..ROWS).try_for_each(|number| pair.write(&key(number), Some(&value(number))))?;
    pair.flush()
}

/// Of each table, whether its rows have digests.
fn digested(pair: &Pair) -> Result<Vec<bool>> {
    let ids = pair.tree.table_metas().into_iter().flatten().flatten().map(|meta| meta.id);
    ids.map(|id| Ok(pair.tree.table_properties(id)?.has_digests())).collect()
}

fn read_all(pair: &Pair) -> Result<()> {
    let read_seqno = pair.visible();
    for number in 0..ROWS {
        assert_eq!(pair.tree.get(&key(number), read_seqno)?.as_deref(), pair.expected(&key(number), read_seqno).as_deref());
    }
    let everything = (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
    assert_eq!(pair.scanned(&everything, read_seqno)?, pair.expected_range(&everything, read_seqno));
    let faults = pair.tree.verify()?.faults;
    assert!(faults.is_empty(), "{faults:?}");
    Ok(())
}

#[test]
fn rows_have_them_from_when_it_is_switched_on_and_others_when_they_are_rewritten() -> Result<()> {
    let mut pair = pair(&MemFs::new(), false)?;
    fill(&mut pair)?;
    assert!(digested(&pair)?.iter().all(|is_digested| !is_digested));
    for (is_on, of_flush) in [(true, true), (false, false)] {
        let options = TreeOptions { entry_checksums: is_on, ..pair.options.clone() };
        pair.tree.set_options(&options)?;
        pair.options = options;
        pair.write(&key(7), Some(b"while it was otherwise"))?;
        pair.write(&key(8), None)?;
        pair.flush()?;
        let tables = digested(&pair)?;
        assert_eq!((tables[0], tables.contains(&!of_flush)), (of_flush, true), "tables of both kinds lie beside each other");
        read_all(&pair)?;
        pair.compact_all()?;
        assert!(digested(&pair)?.iter().all(|is_digested| *is_digested == is_on));
        read_all(&pair)?;
        pair.reopen()?;
        read_all(&pair)?;
    }
    Ok(())
}

#[test]
fn what_is_ingested_has_them() -> Result<()> {
    let mut pair = pair(&MemFs::new(), true)?;
    let rows: Vec<_> = (0..ROWS).map(|number| (key(number), Some(value(number)))).collect();
    pair.ingest(&rows)?;
    assert!(digested(&pair)?.iter().all(|is_digested| *is_digested));
    read_all(&pair)?;
    pair.compact_all()?;
    read_all(&pair)
}

/// Turns over a bit of this value in the one table that holds it, and makes the checksum of the block fit. The table.
fn turn_bit(pair: &Pair, disk: &MemFs, value: &[u8]) -> Result<PathBuf> {
    for meta in pair.tree.table_metas().into_iter().flatten().flatten() {
        let path = pair.tree.table_path(meta.id);
        let file = disk.tree().remove(&path).expect("it is there");
        let seal = Seal { uuid: FileHeader::decode(&file)?.uuid };
        let mut at = HEADER_BYTES;
        while at < file.len() - HEADER_BYTES {
            let (header, stored) = seal.verify(at as u64, &file[at..])?;
            let found = stored.windows(value.len()).position(|bytes| bytes == value);
            if let Some(found) = found.filter(|_| header.region == Region::Data as u8) {
                let (mut plain, mut sealed) = (stored.to_vec(), Vec::new());
                plain[found] ^= 2;
                let id = FrameId { region: header.region, kind: header.kind, ordinal: header.ordinal };
                seal.seal(id, at as u64, &plain, &mut sealed)?;
                change(disk, &path, at, &sealed)?;
                return Ok(path);
            }
            at += header.frame_bytes() as usize;
        }
    }
    panic!("no table has the value");
}

/// Puts these bytes into a file, where it is.
fn change(disk: &MemFs, path: &Path, at: usize, bytes: &[u8]) -> Result<()> {
    let file = disk.tree().remove(path).expect("it is there");
    for (index, byte) in bytes.iter().enumerate() {
        let differs = |bit: &u8| (file[at + index] ^ byte) >> bit & 1 == 1;
        (0..8).filter(differs).try_for_each(|bit| disk.flip(path, (at + index) as u64, bit))?;
    }
    Ok(())
}

fn names(error: &Error, path: &Path) {
    assert_eq!(error.kind(), ErrorKind::Corruption);
    let place = error.location().expect("an error says where");
    assert!(place.file == path && place.offset.is_some() && error.to_string().contains("digest"), "{error}");
}

#[test]
fn a_row_that_was_damaged_before_its_block_was_sealed_is_never_given_nor_written_on() -> Result<()> {
    for level in [0, 1] {
        let disk = MemFs::new();
        let mut pair = pair(&disk, true)?;
        fill(&mut pair)?;
        if level > 0 {
            pair.compact_all()?;
        }
        let path = turn_bit(&pair, &disk, &value(200))?;
        pair.reopen()?;
        let read_seqno: SeqNo = pair.visible();
        // Twice: from the disk, and from the cache.
        for _ in 0..2 {
            names(&pair.tree.get(&key(200), read_seqno).unwrap_err(), &path);
            names(&pair.tree.multi_get(&[key(199), key(200)], read_seqno).unwrap_err(), &path);
            names(&pair.tree.range(key(190)..key(210), read_seqno).collect::<Result<Vec<_>>>().unwrap_err(), &path);
            names(&pair.tree.range(key(190)..key(210), read_seqno).rev().collect::<Result<Vec<_>>>().unwrap_err(), &path);
            assert_eq!(pair.tree.get(&key(199), read_seqno)?.as_deref(), Some(&value(199)[..]));
        }
        let walked: Vec<_> = pair.tree.range(key(0).., read_seqno).take_while(Result::is_ok).collect::<Result<_>>()?;
        assert_eq!(walked.len(), 200, "all that comes before it is given");
        let before = pair.tree.table_metas();
        names(&pair.compact_all().unwrap_err(), &path);
        assert_eq!(pair.tree.table_metas(), before);
        let faults = pair.tree.verify()?.faults;
        assert!(faults.iter().any(|fault| fault.to_string().contains("digest")), "{faults:?}");
    }
    Ok(())
}

/// That the damage is one that nothing else finds.
#[test]
fn without_digests_it_is_given_and_written_on() -> Result<()> {
    let disk = MemFs::new();
    let mut pair = pair(&disk, false)?;
    fill(&mut pair)?;
    turn_bit(&pair, &disk, &value(200))?;
    pair.reopen()?;
    let found = pair.tree.get(&key(200), pair.visible())?.expect("it is there");
    assert_ne!(&found[..], &value(200)[..]);
    pair.compact_all()?;
    assert_eq!(pair.tree.get(&key(200), pair.visible())?, Some(found));
    Ok(())
}
