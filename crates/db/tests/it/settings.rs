//! Option sets: tiny ones, so that a short script flushes, compacts and rotates; and a range of them, because behaviour may not
//! depend on any.

use sediment_testkit::seed::Rng;
use sedimentdb::{Compression, ExpertOptions, FilterKind, FilterWidths, Goal, KeyspaceOptions, Options, Residency, ZstdLevel};

/// Everything so small that a few dozen writes go through every room. An empty memtable takes 5 KB; the rest is for rows.
pub(crate) fn tiny() -> Options {
    Options {
        memory_bytes: 64 << 10,
        expert: ExpertOptions {
            background_threads: Some(0),
            reserve_bytes: 0,
            memtable_bytes: Some(8 << 10),
            wal_file_bytes: 4 << 10,
            table_bytes: Some(2 << 10),
            block_bytes: Some(512),
            level0_trigger: Some(2),
            level_ratio: Some(3),
            level_base_bytes: Some(4 << 10),
            ..ExpertOptions::default()
        },
        ..Options::default()
    }
}

/// The same, but each write is flushed at once.
pub(crate) fn hasty() -> Options {
    let mut options = tiny();
    options.expert.memtable_bytes = Some(4 << 10);
    options
}

/// The same as [`tiny`], with threads for maintenance.
pub(crate) fn threaded() -> Options {
    let mut options = tiny();
    options.expert.background_threads = Some(1);
    options
}

const COMPRESSIONS: [Option<Compression>; 5] = [
    None,
    Some(Compression::None),
    Some(Compression::Lz4),
    Some(Compression::Zstd(ZstdLevel::FASTEST)),
    Some(Compression::Zstd(ZstdLevel::DEFAULT)),
];

const DICTIONARIES: [Option<u32>; 3] = [None, Some(0), Some(512)];

const FILTERS: [Option<FilterKind>; 3] = [None, Some(FilterKind::SplitBlock), Some(FilterKind::Burr)];

const WIDTHS: [Option<FilterWidths>; 3] = [None, Some(FilterWidths::Uniform), Some(FilterWidths::ByLevel)];

const CHECKSUMS: [Option<bool>; 3] = [None, Some(false), Some(true)];
const LOCATORS: [Option<bool>; 3] = [None, Some(false), Some(true)];
const RESIDENCIES: [Option<Residency>; 3] = [None, Some(Residency::Resident), Some(Residency::Paged)];

/// Other settings of a keyspace for each seed, as small as those of [`tiny`].
pub(crate) fn of_keyspace(seed: u64) -> KeyspaceOptions {
    let mut rng = Rng::new(seed);
    KeyspaceOptions {
        goal: *rng.pick(&[None, Some(Goal::Balanced), Some(Goal::Write), Some(Goal::Space)]),
        memtable_bytes: *rng.pick(&[None, Some(4 << 10), Some(7 << 10)]),
        block_bytes: *rng.pick(&[None, Some(256), Some(1024)]),
        compression: *rng.pick(&COMPRESSIONS),
        level0_compression: *rng.pick(&COMPRESSIONS),
        dictionary_bytes: *rng.pick(&DICTIONARIES),
        filter: *rng.pick(&FILTERS),
        filter_bits_per_key: *rng.pick(&[None, Some(0), Some(16)]),
        filter_widths: *rng.pick(&WIDTHS),
        locators: *rng.pick(&LOCATORS),
        filter_residency: *rng.pick(&RESIDENCIES),
        entry_checksums: *rng.pick(&CHECKSUMS),
        table_bytes: *rng.pick(&[None, Some(1 << 10), Some(4 << 10)]),
        level0_trigger: *rng.pick(&[None, Some(1), Some(3)]),
        level_ratio: *rng.pick(&[None, Some(2), Some(6)]),
        level_base_bytes: *rng.pick(&[None, Some(1 << 10), Some(8 << 10)]),
        fence_residency: *rng.pick(&RESIDENCIES),
        ..appending()
    }
}

/// What every keyspace under the harness has: merges append.
pub(crate) fn appending() -> KeyspaceOptions {
    KeyspaceOptions { merge_operator: Some("append".into()), ..KeyspaceOptions::default() }
}

/// Another set for each seed.
pub(crate) fn random(seed: u64) -> Options {
    let mut rng = Rng::new(seed);
    Options {
        memory_bytes: 1 << rng.between(14, 22),
        goal: *rng.pick(&[Goal::Balanced, Goal::Write, Goal::Space]),
        expert: ExpertOptions {
            background_threads: Some(*rng.pick(&[0, 1, 1, 3])),
            reserve_bytes: *rng.pick(&[0, 0, 5000]),
            memtable_bytes: Some((4 << 10) + (1 << rng.between(8, 17))),
            wal_file_bytes: 1 << rng.between(12, 18),
            table_bytes: Some(1 << rng.between(11, 16)),
            block_bytes: *rng.pick(&[None, Some(256), Some(512), Some(1024), Some(4096), Some(16384)]),
            compression: *rng.pick(&COMPRESSIONS),
            level0_compression: *rng.pick(&COMPRESSIONS),
            dictionary_bytes: *rng.pick(&DICTIONARIES),
            filter: *rng.pick(&FILTERS),
            filter_bits_per_key: *rng.pick(&[None, Some(0), Some(1), Some(8), Some(10), Some(20)]),
            filter_widths: *rng.pick(&WIDTHS),
            locators: *rng.pick(&LOCATORS),
            filter_residency: *rng.pick(&RESIDENCIES),
            entry_checksums: *rng.pick(&CHECKSUMS),
            level0_trigger: Some(rng.between(1, 6) as usize),
            level_ratio: Some(rng.between(2, 10)),
            level_base_bytes: Some(1 << rng.between(12, 17)),
            compaction_portions_max: *rng.pick(&[None, None, Some(1), Some(2)]),
            cold_input_bytes: *rng.pick(&[None, Some(1), Some(1 << 14)]),
            fence_residency: *rng.pick(&RESIDENCIES),
            ..ExpertOptions::default()
        },
        ..Options::default()
    }
}
