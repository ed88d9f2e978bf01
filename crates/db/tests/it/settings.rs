//! Option sets: tiny ones, so that a short script flushes, compacts and rotates; and a range of them, because behaviour may not
//! depend on any.

use sediment_testkit::seed::Rng;
use sedimentdb::Options;

/// Everything so small that a few dozen writes go through every room. An empty memtable takes 5 KB; the rest is for rows.
pub(crate) fn tiny() -> Options {
    Options {
        memory_bytes: 64 << 10,
        memtable_bytes: Some(8 << 10),
        wal_file_bytes: 4 << 10,
        table_bytes: 2 << 10,
        block_bytes: 512,
        level0_trigger: 2,
        level_ratio: 3,
        level_base_bytes: 4 << 10,
        ..Options::default()
    }
}

/// The same, but each write is flushed at once.
pub(crate) fn hasty() -> Options {
    Options { memtable_bytes: Some(4 << 10), ..tiny() }
}

/// Another set for each seed.
pub(crate) fn random(seed: u64) -> Options {
    let mut rng = Rng::new(seed);
    Options {
        memory_bytes: 1 << rng.between(14, 22),
        memtable_bytes: Some((4 << 10) + (1 << rng.between(8, 17))),
        wal_file_bytes: 1 << rng.between(12, 18),
        table_bytes: 1 << rng.between(11, 16),
        block_bytes: *rng.pick(&[256, 512, 1024, 4096, 16384]),
        filter_bits_per_key: *rng.pick(&[0, 1, 8, 10, 20]),
        level0_trigger: rng.between(1, 6) as usize,
        level_ratio: rng.between(2, 10),
        level_base_bytes: 1 << rng.between(12, 17),
        ..Options::default()
    }
}
