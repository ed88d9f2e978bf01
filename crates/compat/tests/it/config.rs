//! Configuration, policies and opening (API 12, 13, 14).

use crate::common::{World, config, io_kind};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, DescriptorTable, Error, KvSeparationOptions, Result, SeqNo, Tree,
    config::{
        BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry, HashRatioPolicy,
        LevelRoute, ManifestRecoveryMode, PinningPolicy, RestartIntervalPolicy,
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
fn a_tree_comes_back_as_it_was_from_elsewhere_as_well() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let World { tree, folder, .. } = world;
    drop(tree);
    let elsewhere = folder.path().with_extension("moved");
    std::fs::rename(folder.path(), &elsewhere)?;
    let tree = Config::new(&elsewhere, Default::default(), Default::default()).open()?;
    assert_eq!(tree.get("a", SeqNo::MAX)?.as_deref(), Some(&b"a"[..]));
    drop(tree);
    std::fs::rename(elsewhere, folder.path())?;
    Ok(())
}

/// Otherwise than in the family: one handle at a time.
#[test]
fn a_directory_that_is_open_is_not_opened_again() -> Result<()> {
    let world = World::new()?;
    let again = || Config::new(&world.folder, Default::default(), Default::default()).open();
    assert_eq!(io_kind(again()), Some(std::io::ErrorKind::WouldBlock));
    let clone = world.tree.clone();
    drop(world.tree);
    assert_eq!(io_kind(again()), Some(std::io::ErrorKind::WouldBlock));
    drop(clone);
    again()?;
    Ok(())
}

#[test]
fn directories_of_the_family_are_refused() -> Result<()> {
    for (name, version) in [("version", 1), ("current", 5)] {
        let (config, _, _, folder) = config();
        std::fs::write(folder.path().join(name), b"x")?;
        let opened = config.open();
        assert!(matches!(opened, Err(Error::InvalidVersion(found)) if found == version), "{opened:?}");
    }
    Ok(())
}

/// Otherwise than in the family: nothing is deleted.
#[test]
fn files_that_nothing_names_are_set_aside() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let World { tree, folder, .. } = world;
    drop(tree);
    let stray = folder.path().join("tables").join("900");
    std::fs::write(&stray, b"what is it?")?;
    let tree = Config::new(&folder, Default::default(), Default::default()).open()?;
    assert!(stray.exists(), "opening writes nothing");
    tree.insert("b", "b", 100);
    tree.flush_active_memtable(0)?;
    assert!(!stray.exists() && tree.next_table_id() > 900);
    assert_eq!(std::fs::read(folder.path().join("lost").join("table-900"))?, b"what is it?");
    Ok(())
}

#[test]
fn names_on_disk_are_those_of_a_tree() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let mut names: Vec<_> = std::fs::read_dir(world.folder.path())?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    assert_eq!(names, ["CURRENT", "LOCK", "manifest-1", "tables"]);
    assert!(world.folder.path().join("tables").join("1").exists());
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
#[should_panic(expected = "data block restart interval must be greater than zero")]
fn no_restart_interval_panics() {
    let _ = Config::default().data_block_restart_interval_policy(RestartIntervalPolicy::all(0));
}

#[test]
#[should_panic(expected = "index block restart interval must be greater than zero")]
fn no_restart_interval_of_indexes_panics() {
    let _ = Config::default().index_block_restart_interval_policy(RestartIntervalPolicy::all(0));
}

#[test]
#[should_panic(expected = "compression policy may not be empty")]
fn a_policy_of_no_level_panics() {
    let _ = CompressionPolicy::new(Vec::new());
}

#[test]
#[should_panic(expected = "too large")]
fn a_policy_of_too_many_levels_panics() {
    let _ = BlockSizePolicy::new(vec![1; 256]);
}

#[test]
fn filters_are_active_within_their_bounds() {
    let bits = |bits| BloomConstructionPolicy::BitsPerKey(bits).is_active();
    let rate = |rate| BloomConstructionPolicy::FalsePositiveRate(rate).is_active();
    assert!(bits(1.0) && bits(64.0) && !bits(0.5) && !bits(65.0) && !bits(f32::NAN));
    assert!(rate(0.01) && !rate(0.0) && !rate(1.0));
    assert_eq!(BloomConstructionPolicy::default().estimated_filter_size(1000), 1250);
    assert!((1190..1210).contains(&BloomConstructionPolicy::FalsePositiveRate(0.01).estimated_filter_size(1000)));
}

#[test]
fn trees_go_by_three_names() -> Result<()> {
    let world = World::new()?;
    assert!(matches!(world.tree, AnyTree::Standard(_)));
    let tree: Tree = world.tree.clone().try_into().expect("standard");
    let blob: std::result::Result<lsm_tree::BlobTree, _> = AnyTree::from(tree.clone()).try_into();
    assert!(blob.is_err());
    world.put("a", "a");
    assert_eq!(tree.get("a", SeqNo::MAX)?.as_deref(), Some(&b"a"[..]));
    tree.update_runtime_config(|config| config.seqno_in_index = true)?;
    drop(tree);
    assert!(world.tree.runtime_config().seqno_in_index && world.tree.heal_hints().is_empty());
    let world = world.reopened(|config| config)?;
    assert!(!world.tree.runtime_config().seqno_in_index, "not kept");
    Ok(())
}

#[test]
fn caches_are_shared_and_count() -> Result<()> {
    let cache = Arc::new(Cache::with_capacity_bytes(1 << 20));
    let worlds = [
        World::with(|config| config.use_cache(Arc::clone(&cache)))?,
        World::with(|config| config.use_cache(Arc::clone(&cache)))?,
    ];
    for world in &worlds {
        world.put("a", "a");
        world.flush();
        let before = cache.size();
        assert!(world.get("a").is_some() && cache.size() > before);
    }
    assert_eq!(cache.capacity(), 1 << 20);
    Ok(())
}

#[test]
fn descriptors_are_kept_up_to_their_number() -> Result<()> {
    use lsm_tree::{
        GlobalTableId,
        fs::{Fs, FsOpenOptions},
    };
    let (table, fs) = (DescriptorTable::new(2), MemFs::new());
    let open = |name: &str| fs.open(Path::new(name), &FsOpenOptions::new().write(true).create(true)).map(Arc::from);
    let id = |table| GlobalTableId::from((1, table));
    for number in 0..3 {
        table.insert_for_table(id(number), open(&number.to_string())?);
    }
    assert!(table.access_for_table(&id(0)).is_none() && table.access_for_table(&id(2)).is_some());
    table.remove_for_table(&id(2));
    assert!(table.access_for_table(&id(2)).is_none() && table.access_for_blob_file(&id(1)).is_none());
    table.insert_for_blob_file(id(9), open("9")?);
    assert!(table.access_for_blob_file(&id(9)).is_some());
    table.remove_for_blob_file(&id(9));
    assert!(table.access_for_blob_file(&id(9)).is_none());
    assert_eq!((id(7).tree_id(), id(7).table_id()), (1, 7));
    Ok(())
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

/// Otherwise than in the family: the last entry alone, and within bounds.
#[test]
fn blocks_have_the_last_size_within_bounds() -> Result<()> {
    let blocks = |policy: BlockSizePolicy| -> Result<u64> {
        let world = World::with(|config| {
            let plain = CompressionPolicy::disabled();
            config.data_block_size_policy(policy).data_block_compression_policy(plain)
        })?;
        for n in 0..100 {
            world.put(&format!("{n:03}"), &"v".repeat(1000));
        }
        world.flush();
        Ok(world.tree.current_version().iter_tables().map(|table| table.metadata.data_block_count).sum())
    };
    let (small, default, large) =
        (blocks(BlockSizePolicy::all(1))?, blocks(BlockSizePolicy::all(4096))?, blocks(BlockSizePolicy::all(u32::MAX))?);
    assert_eq!((small, large), (100, 2));
    assert!((20..40).contains(&default), "{default}");
    assert_eq!(blocks(BlockSizePolicy::new([4096, 1]))?, small);
    Ok(())
}

/// Otherwise than in the family, which keeps the number with its tree.
#[test]
fn the_number_of_levels_is_that_of_the_configuration() -> Result<()> {
    let three = |mut config: Config| {
        config.level_count = 3;
        config
    };
    let world = World::with(three)?;
    world.put("a", "a");
    world.flush();
    world.major(0);
    assert_eq!(world.levels(), [0, 0, 1]);
    let world = world.reopened(|config| config)?;
    assert_eq!((world.levels(), world.tree.tree_config().level_count), (vec![0, 0, 1, 0, 0, 0, 0], 7));
    for count in [0, 8] {
        let opened = World::with(|mut config| {
            config.level_count = count;
            config
        });
        assert_eq!(io_kind(opened.map(drop)), Some(std::io::ErrorKind::InvalidInput));
    }
    Ok(())
}

#[test]
fn folders_of_one_path_are_told_once() {
    let route = |levels| LevelRoute { levels, path: "/cold".into(), fs: Arc::new(MemFs::new()) };
    let config = Config::new("/hot", Default::default(), Default::default()).level_routes(vec![route(1..2), route(4..5)]);
    let folders: Vec<_> = config.all_tables_folders().into_iter().map(|(path, _)| path).collect();
    assert_eq!(folders, [Path::new("/hot/tables"), Path::new("/cold/tables")]);
}

#[test]
fn policies_are_lists_of_up_to_255_entries() {
    assert_eq!(BlockSizePolicy::new(vec![1; 255]).len(), 255);
    let policy = HashRatioPolicy::new([0.0, 0.5]);
    assert_eq!((&policy[..], policy.clone()), (&[0.0, 0.5][..], policy.clone()));
    assert_eq!(
        (&CompressionPolicy::disabled()[..], &PinningPolicy::disabled()[..]),
        (&[CompressionType::None][..], &[false][..])
    );
    assert_eq!(&FilterPolicy::disabled()[..], [FilterPolicyEntry::None]);
    assert_eq!(FilterPolicy::all(FilterPolicyEntry::None), FilterPolicy::disabled());
}

/// Otherwise than in the family: a level that wants the most bits has its way.
#[test]
fn filters_have_the_bits_of_the_level_that_wants_most() -> Result<()> {
    let bloom = |bits| FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(bits));
    let world = World::with(|config| config.filter_policy(FilterPolicy::new([FilterPolicyEntry::None, bloom(16.0)])))?;
    world.put("a", "a");
    world.put("c", "c");
    world.flush();
    assert_eq!((world.get("b"), world.tree.metrics().io_skipped_by_filter(), world.tree.filter_size()), (None, 1, 4));
    Ok(())
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() -> Result<()> {
    let cache = Arc::new(Cache::with_capacity_bytes(0));
    let world = World::with(|config| config.use_cache(Arc::clone(&cache)))?;
    world.put("a", "a");
    world.flush();
    assert!(world.get("a").is_some() && world.get("a").is_some());
    assert_eq!((cache.size(), cache.capacity(), world.tree.metrics().data_block_load_cached_count()), (0, 0, 0));
    Ok(())
}

#[test]
fn tables_below_the_levels_of_the_configuration_are_there() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.major(0);
    let world = world.reopened(|mut config| {
        config.level_count = 3;
        config
    })?;
    world.put("b", "b");
    world.flush();
    assert_eq!((world.keys(), world.levels()), (vec!["a".to_owned(), "b".to_owned()], vec![1, 0, 0]));
    world.major(0);
    assert_eq!((world.keys(), world.tree.table_count()), (vec!["a".to_owned(), "b".to_owned()], 1));
    Ok(())
}
