//! Configuration (API 12, 14).

use crate::common::World;
use lsm_tree::{
    AbstractTree, Cache, CompressionType, Config, KvSeparationOptions, Result, SeqNo,
    config::{
        BlockSizePolicy, BloomConstructionPolicy, CompactionSpawner, CompressionPolicy, FilterPolicy, FilterPolicyEntry,
        HashRatioPolicy, LevelRoute, ManifestRecoveryMode, PinningPolicy, RestartIntervalPolicy,
    },
    fs::{MemFs, StdFs, SyncMode},
    runtime_config::{EccScheme, RuntimeConfig},
};
use std::{path::Path, sync::Arc};

#[test]
fn the_defaults_are_those_of_the_interface() {
    let config = Config::default();
    assert_eq!((config.path.as_path(), config.level_count, config.cache.capacity()), (Path::new(".lsm.data"), 7, 16 << 20));
    assert_eq!(&config.filter_policy[..], [FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0))]);
    assert_eq!((&config.data_block_size_policy[..], &config.data_block_restart_interval_policy[..]), (&[4096][..], &[16][..]));
    assert_eq!(
        (&config.index_block_restart_interval_policy[..], &config.data_block_hash_ratio_policy[..]),
        (&[1][..], &[0.0][..])
    );
    assert_eq!(&config.filter_block_partitioning_policy[..], [false, false, false, true]);
    assert_eq!(&config.index_block_pinning_policy[..], [true, true, false]);
    assert!(config.merge_operator.is_none() && config.prefix_extractor.is_none() && config.compaction_filter_factory.is_none());
    let separation = KvSeparationOptions::default();
    assert_eq!((separation.separation_threshold, separation.file_target_size), (1024, 64 << 20));
    assert_eq!((separation.staleness_threshold, separation.age_cutoff), (0.25, 0.25));
}

/// Every setting that is accepted, far from its default.
fn odd(config: Config) -> Config {
    config
        .use_cache(Arc::new(Cache::with_capacity_bytes(0)))
        .use_descriptor_table(None)
        .expect_point_read_hits(true)
        .disable_cow_on_sst_files(false)
        .use_reflink_for_checkpoint(false)
        .filter_policy(FilterPolicy::disabled())
        .filter_block_partitioning_policy(PinningPolicy::all(true))
        .index_block_partitioning_policy(PinningPolicy::disabled())
        .filter_block_pinning_policy(PinningPolicy::disabled())
        .index_block_pinning_policy(PinningPolicy::new([false, true]))
        .data_block_restart_interval_policy(RestartIntervalPolicy::all(7))
        .index_block_restart_interval_policy(RestartIntervalPolicy::all(9))
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        .index_block_compression_policy(CompressionPolicy::disabled())
        .data_block_size_policy(BlockSizePolicy::new([1, 1_000_000]))
        .data_block_hash_ratio_policy(HashRatioPolicy::all(0.5))
        .manifest_recovery_mode(ManifestRecoveryMode::default())
        .sync_mode(SyncMode::Full)
        .manifest_log_rotate_bytes(1)
        .compaction_threads(0)
        .subcompaction_min_bytes(1)
        .compaction_pool(None)
        .with_encryption(None)
        .with_kv_separation(None)
        .level_routes(Vec::new())
        .with_fs(StdFs)
}

#[test]
fn odd_settings_change_no_answer() -> Result<()> {
    let world = World::with(odd)?;
    for n in 0..200 {
        world.put(&format!("{n:04}"), &"v".repeat(n));
    }
    world.flush();
    world.major(SeqNo::MAX);
    assert_eq!((world.keys().len(), world.get("0150").map(|value| value.len())), (200, Some(150)));
    assert_eq!((world.tree.filter_size(), world.tree.tree_config().cache.size()), (0, 0));
    let world = world.reopened(|config| config)?;
    assert_eq!(world.keys().len(), 200, "files of other settings are read");
    Ok(())
}

#[test]
fn folders_of_tables_are_told() {
    let route = LevelRoute { levels: 5..7, path: "/cold".into(), fs: Arc::new(MemFs::new()) };
    assert!(format!("{route:?}").contains("5..7") && format!("{route:?}").contains("/cold"));
    let config = Config::new("/hot", Default::default(), Default::default()).level_routes(vec![route.clone()]);
    assert_eq!(config.tables_folder_for_level(6).0, Path::new("/cold/tables"));
    assert_eq!(config.tables_folder_for_level(0).0, Path::new("/hot/tables"));
    assert_eq!(config.all_tables_folders().len(), 2);
    assert_eq!(config.level_routes.as_ref().map(Vec::len), Some(1));
}

fn routed(levels: &[(u8, u8)]) {
    let route = |levels: &(u8, u8)| LevelRoute { levels: levels.0..levels.1, path: "/r".into(), fs: Arc::new(MemFs::new()) };
    let _ = Config::default().level_routes(levels.iter().map(route).collect());
}

#[test]
#[should_panic(expected = "empty or inverted level route range")]
fn a_route_of_no_level_panics() {
    routed(&[(3, 3)]);
}

#[test]
#[should_panic(expected = "overlapping level routes")]
fn routes_of_one_level_panic() {
    routed(&[(0, 3), (2, 4)]);
}

#[test]
fn what_is_not_asked_for_is_off() {
    let config = Config::default();
    assert_eq!(&config.data_block_compression_policy[..], [CompressionType::None, CompressionType::Lz4]);
    assert_eq!(&config.index_block_compression_policy[..], [CompressionType::None]);
    assert_eq!(
        (&config.index_block_partitioning_policy[..], &config.filter_block_pinning_policy[..]),
        (&[true][..], &[true, false][..])
    );
    assert_eq!(
        (&config.top_level_index_block_pinning_policy[..], &config.top_level_filter_block_pinning_policy[..]),
        (&[true][..], &[true][..])
    );
    assert_eq!(
        (&config.index_block_partition_size_policy[..], &config.filter_block_partition_size_policy[..]),
        (&[4096][..], &[4096][..])
    );
    assert!(config.descriptor_table.is_some() && config.level_routes.is_none() && config.kv_separation_opts.is_none());
    assert_eq!(config.all_tables_folders().len(), 1);
    assert_eq!(ManifestRecoveryMode::default(), ManifestRecoveryMode::AbsoluteConsistency);
    assert_eq!(SyncMode::default(), SyncMode::Normal);
}

#[test]
fn paths_and_fields_are_given_in_any_shape() {
    let folder = lsm_tree::get_tmp_folder();
    let path = |config: Config| config.path;
    let of = |path: &str| Config::new(path, Default::default(), Default::default());
    assert_eq!(path(Config::new(&folder, Default::default(), Default::default())), folder.path());
    let owned = folder.path().join("tree");
    assert_eq!(path(Config::new(owned.clone(), Default::default(), Default::default())), owned);
    let mut config = of("here");
    config.level_count = 3;
    config.level_routes = None;
    assert_eq!((config.level_count, path(config).as_path()), (3, Path::new("here")));
    assert_eq!(KvSeparationOptions { separation_threshold: 1, ..Default::default() }.separation_threshold, 1);
}

#[test]
fn settings_that_may_change_begin_as_configured() -> Result<()> {
    let runtime = |change: fn(Config) -> Config| World::with(change).map(|world| world.tree.runtime_config());
    let begun = runtime(|config| config.disable_cow_on_sst_files(false).use_reflink_for_checkpoint(false))?;
    assert!(!begun.disable_cow_on_sst_files && !begun.use_reflink_for_checkpoint);
    let scheme = EccScheme::Xor { data_shards: 4 };
    assert_eq!(runtime(|config| config.ecc_scheme(EccScheme::Xor { data_shards: 4 }))?.ecc_scheme, scheme);
    let begun = runtime(|config| {
        let mut runtime = RuntimeConfig::default();
        runtime.seqno_in_index = true;
        config.disable_cow_on_sst_files(false).with_runtime_config(runtime)
    })?;
    assert!(begun.seqno_in_index && begun.disable_cow_on_sst_files, "it replaces them all");
    Ok(())
}

#[test]
fn a_settings_snapshot_keeps_its_values() -> Result<()> {
    let world = World::new()?;
    let held = world.tree.runtime_config();
    world.tree.update_runtime_config(|config| config.seqno_in_index = true)?;
    assert!(!held.seqno_in_index && world.tree.runtime_config().seqno_in_index);
    Ok(())
}

#[test]
fn folders_of_one_path_are_told_once() {
    let route = |levels| LevelRoute { levels, path: "/cold".into(), fs: Arc::new(MemFs::new()) };
    let config = Config::new("/hot", Default::default(), Default::default()).level_routes(vec![route(1..2), route(4..5)]);
    let folders: Vec<_> = config.all_tables_folders().into_iter().map(|(path, _)| path).collect();
    assert_eq!(folders, [Path::new("/hot/tables"), Path::new("/cold/tables")]);
}

/// Would run what it is given, and is given nothing.
struct Pool;

impl CompactionSpawner for Pool {
    fn spawn(&self, _work: Box<dyn FnOnce() + Send>) {
        panic!("a compaction has left its thread");
    }
}

/// Otherwise than in the family, which splits a compaction among threads.
#[test]
fn a_compaction_runs_on_the_thread_that_calls_it() -> Result<()> {
    let world =
        World::with(|config| config.compaction_threads(4).subcompaction_min_bytes(1).compaction_pool(Some(Arc::new(Pool))))?;
    for n in 0..500 {
        world.put(&format!("{n:03}"), &"v".repeat(100));
    }
    world.flush();
    world.flushed("000");
    world.tree.major_compact(1 << 10, 0)?;
    assert_eq!((world.keys().len(), world.get("000").as_deref()), (500, Some("000")));
    Ok(())
}
