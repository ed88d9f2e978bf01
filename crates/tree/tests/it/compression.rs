//! Which dictionaries the tables of a tree have.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, Result};
use sediment_codec::{
    compress::{Method, Unpacker, ZstdLevel},
    header::{FileHeader, FileKind},
    seal::{Region, Seal},
};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::TreeOptions;
use std::collections::BTreeSet;

fn value(i: u32) -> String {
    let token = u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!(
        "{{\"token\":\"{token:016x}\",\"state\":\"pending\",\"attempts\":{},\"owner\":null,\"created_by\":\"system\"}}",
        i % 7
    )
}

/// How many tables are on the disk, and the dictionaries in them.
fn dictionaries(disk: &MemFs) -> (usize, usize, BTreeSet<Vec<u8>>) {
    let (mut tables, mut with, mut found) = (0, 0, BTreeSet::new());
    for bytes in disk.tree().into_values() {
        let Ok(header) = FileHeader::decode(&bytes) else { continue };
        if header.kind != FileKind::Table {
            continue;
        }
        tables += 1;
        let mut at = 128;
        while at < bytes.len() - 128 {
            let frame = Seal::peek(&bytes[at..]).unwrap();
            if frame.region == Region::Dictionary as u8 {
                let (_, plain) = Seal { uuid: header.uuid }.open(&Unpacker::default(), at as u64, &bytes[at..]).unwrap();
                with += 1;
                found.insert(plain.into_owned());
            }
            at += frame.frame_bytes() as usize;
        }
    }
    (tables, with, found)
}

/// The same, once the inputs of compactions are gone.
fn settled(pair: &Pair, disk: &MemFs) -> (usize, usize, BTreeSet<Vec<u8>>) {
    let live: usize = pair.tree.stats().levels.iter().map(|level| level.tables).sum();
    assert!(pair.eventually(|| dictionaries(disk).0 == live), "inputs go");
    dictionaries(disk)
}

#[test]
fn tables_of_one_compaction_share_a_dictionary_and_the_settings_may_end_it() -> Result<()> {
    let disk = MemFs::new();
    let mut options = TreeOptions {
        block_bytes: 512,
        table_bytes: 64 << 10,
        codec: Method::Zstd(ZstdLevel::FASTEST),
        dictionary_bytes: 2048,
        ..small_options(KeyOrder::bytewise())
    };
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), 1), options.clone())?;
    for i in 0..6000 {
        pair.write(format!("job:{i:06}").as_bytes(), Some(value(i).as_bytes()))?;
    }
    pair.flush()?;
    assert_eq!(dictionaries(&disk).1, 0, "level 0 is not compressed");
    pair.compact_all()?;
    let (tables, with, found) = settled(&pair, &disk);
    assert!(tables > 2 && with == tables && found.len() == 1, "{tables} tables, {with} with one of {}", found.len());
    let check = |pair: &Pair| {
        (0..6000).step_by(7).all(|i| {
            let key = format!("job:{i:06}");
            pair.tree.get(key.as_bytes(), pair.visible()).unwrap().as_deref() == Some(value(i).as_bytes())
        })
    };
    assert!(check(&pair));
    options.dictionary_bytes = 0;
    pair.options = options;
    pair.tree.set_options(&pair.options)?;
    pair.write(b"job:1", Some(b"one more"))?;
    pair.flush()?;
    pair.compact_all()?;
    assert_eq!(settled(&pair, &disk).1, 0);
    assert!(check(&pair));
    Ok(())
}
