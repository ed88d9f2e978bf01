//! Compression by level, with dictionaries, over flushes, compactions and reopening.

use crate::common::World;
use lsm_tree::{AbstractTree, CompressionType, Config, Error, ZstdDictionary, config::CompressionPolicy};
use std::sync::Arc;

/// Rows that have much in common.
fn row(number: usize) -> String {
    format!(
        "{{\"id\":{number},\"name\":\"customer {number}\",\"status\":\"active\",\"tags\":[\"a\",\"b\"],\"score\":{}}}",
        number * 7 % 100
    )
}

fn dictionary() -> Arc<ZstdDictionary> {
    let raw: Vec<String> = (0..20).map(row).collect();
    Arc::new(ZstdDictionary::new(raw.concat().as_bytes()))
}

/// Bytes of the tables that hold the rows, by a policy.
fn disk_space(change: impl Fn(Config) -> Config) -> u64 {
    let world = World::with(&change).expect("it opens");
    for half in 0..2 {
        for number in 0..2000 {
            world.put(&format!("{:04}", number * 2 + half), &row(number));
        }
        world.flush();
    }
    world.tree.major_compact(u64::MAX, 0).expect("it compacts");
    let bytes = world.tree.disk_space();
    let world = world.reopened(&change).expect("it opens again");
    for number in 0..4000 {
        let found = world.tree.get(format!("{number:04}"), lsm_tree::MAX_SEQNO).expect("it can be read");
        assert_eq!(found.as_deref(), Some(row(number / 2).as_bytes()));
    }
    bytes
}

#[test]
fn zstd_takes_less_and_with_a_dictionary_least() {
    let policy = |compression| move |config: Config| config.data_block_compression_policy(CompressionPolicy::all(compression));
    let none = disk_space(policy(CompressionType::None));
    let lz4 = disk_space(policy(CompressionType::Lz4));
    let zstd = disk_space(policy(CompressionType::zstd(3).expect("in range")));
    let dictionary = dictionary();
    let with = policy(CompressionType::zstd_dict(3, dictionary.id()).expect("in range"));
    let dictionaries = disk_space(|config| with(config).zstd_dictionary(Some(Arc::clone(&dictionary))));
    assert!(dictionaries < zstd && zstd < lz4 && lz4 < none, "{dictionaries} {zstd} {lz4} {none}");
}

#[test]
fn policies_go_by_level() {
    let levels = |config: Config| {
        config.data_block_compression_policy(CompressionPolicy::new([CompressionType::Lz4, CompressionType::Zstd(1)]))
    };
    let all = |config: Config| config.data_block_compression_policy(CompressionPolicy::all(CompressionType::Zstd(1)));
    let (by_level, alike) = (disk_space(levels), disk_space(all));
    assert!(by_level.abs_diff(alike) < alike / 50, "the last level is compressed alike: {by_level} {alike}");
}

#[test]
fn what_is_no_level_or_dictionary_does_not_open() {
    let wrong = |config: Config| config.data_block_compression_policy(CompressionPolicy::all(CompressionType::Zstd(23)));
    assert!(matches!(World::with(wrong).map(drop), Err(Error::Io(_))));
    let tiny = Arc::new(ZstdDictionary::new(b"tiny"));
    let policy = CompressionPolicy::all(CompressionType::zstd_dict(3, tiny.id()).expect("in range"));
    let opened = World::with(|config| config.data_block_compression_policy(policy).zstd_dictionary(Some(tiny)));
    assert!(matches!(opened.map(drop), Err(Error::Io(_))));
}

/// Otherwise than in the family, where a tree without its dictionary can't be read.
#[test]
fn tables_are_read_without_the_dictionary_of_their_tree() {
    let dictionary = dictionary();
    let compression = CompressionType::zstd_dict(3, dictionary.id()).expect("in range");
    let with = |config: Config| {
        let policy = CompressionPolicy::new([CompressionType::None, compression]);
        config.data_block_compression_policy(policy).zstd_dictionary(Some(Arc::clone(&dictionary)))
    };
    let world = World::with(with).expect("it opens");
    for number in 0..200 {
        world.put(&format!("{number:04}"), &row(number));
    }
    world.flush();
    world.major(0);
    let world = world.reopened(|config| config).expect("it opens without it");
    let found = world.tree.multi_get(["0007", "0199", "x"], lsm_tree::MAX_SEQNO).expect("it can be read");
    assert_eq!((found[0].as_deref(), found[2].as_deref()), (Some(row(7).as_bytes()), None));
    assert_eq!(found[1].as_deref(), Some(row(199).as_bytes()));
    assert_eq!(world.tree.range("0050".."0150", lsm_tree::MAX_SEQNO, None).count(), 100);
    let other = Arc::new(ZstdDictionary::new(row(1).repeat(9).as_bytes()));
    let compression = CompressionType::zstd_dict(3, other.id()).expect("in range");
    let with_other = |config: Config| {
        config.data_block_compression_policy(CompressionPolicy::all(compression)).zstd_dictionary(Some(Arc::clone(&other)))
    };
    let world = world.reopened(with_other).expect("it opens with another");
    world.put("0200", &row(200));
    world.flush();
    assert_eq!(world.keys().len(), 201);
    assert_eq!((world.get("0007"), world.get("0200")), (Some(row(7)), Some(row(200))));
}

#[test]
fn a_flush_has_the_first_entry_and_a_compaction_the_last() {
    let policy = CompressionPolicy::new([CompressionType::None, CompressionType::Lz4]);
    let world = World::with(|config| config.data_block_compression_policy(policy)).expect("it opens");
    world.put("a", &"v".repeat(4000));
    world.flush();
    let flushed = world.tree.disk_space();
    world.major(0);
    assert!(flushed > world.tree.disk_space() + 3000, "{flushed}");
}

#[test]
fn a_dictionary_is_of_a_certain_length() {
    let opened = |len: usize| {
        let dictionary = Arc::new(ZstdDictionary::new(&row(1).repeat(9).as_bytes()[..len]));
        let policy = CompressionPolicy::all(CompressionType::zstd_dict(3, dictionary.id()).expect("in range"));
        World::with(|config| config.data_block_compression_policy(policy).zstd_dictionary(Some(dictionary))).map(drop)
    };
    assert!(matches!(opened(255), Err(Error::Io(_))));
    assert!(opened(256).is_ok());
}
