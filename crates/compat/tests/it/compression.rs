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
