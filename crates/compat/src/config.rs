//! `Config`: what a tree is opened with.

mod kv_separation;
mod level_route;
mod policy;
mod setters;
mod tree_type;

pub use kv_separation::KvSeparationOptions;
pub use level_route::LevelRoute;
pub use policy::{
    BlockSizePolicy, BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry, HashRatioPolicy,
    PartitioningPolicy, PinningPolicy, RestartIntervalPolicy,
};
pub use tree_type::{ManifestRecoveryMode, TreeType};

use crate::{
    cache::Cache,
    comparator::{DefaultUserComparator, SharedComparator},
    compression::CompressionType,
    descriptor_table::DescriptorTable,
    encryption::EncryptionProvider,
    filter::Factory,
    fs::{Fs, SyncMode, default_fs},
    merge_operator::MergeOperator,
    prefix_extractor::PrefixExtractor,
    runtime_config::RuntimeConfig,
    seqno::{SequenceNumberCounter, SharedSequenceNumberGenerator},
    zstd::ZstdDictionary,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Runs parts of compactions. Accepted, and not asked: a compaction runs on the thread that calls it.
pub trait CompactionSpawner: Send + Sync {
    /// Runs a piece of work, some time.
    fn spawn(&self, work: Box<dyn FnOnce() + Send>);
}

/// What a tree is opened with. Every setter takes the configuration and gives it back.
///
/// The README says of each setting what the tree makes of it; some describe an older design and are accepted without effect.
pub struct Config {
    #[doc(hidden)]
    pub path: PathBuf,
    #[doc(hidden)]
    pub fs: Arc<dyn Fs>,
    #[doc(hidden)]
    pub level_routes: Option<Vec<LevelRoute>>,
    #[doc(hidden)]
    pub cache: Arc<Cache>,
    #[doc(hidden)]
    pub descriptor_table: Option<Arc<DescriptorTable>>,
    #[doc(hidden)]
    pub kv_separation_opts: Option<KvSeparationOptions>,
    /// Levels, 1 to 7.
    pub level_count: u8,
    /// How data blocks are compressed.
    pub data_block_compression_policy: CompressionPolicy,
    /// Without effect.
    pub index_block_compression_policy: CompressionPolicy,
    /// Without effect.
    pub data_block_restart_interval_policy: RestartIntervalPolicy,
    /// Without effect.
    pub index_block_restart_interval_policy: RestartIntervalPolicy,
    /// Target plain size of data blocks.
    pub data_block_size_policy: BlockSizePolicy,
    /// Of which levels indexes, which are fences here, are in memory; the others' come through the cache in parts, as they are needed.
    pub index_block_pinning_policy: PinningPolicy,
    /// Of which levels filters are in memory; the others' come through the cache in parts, as they are needed.
    pub filter_block_pinning_policy: PinningPolicy,
    /// Without effect.
    pub top_level_index_block_pinning_policy: PinningPolicy,
    /// Without effect.
    pub top_level_filter_block_pinning_policy: PinningPolicy,
    /// Without effect.
    pub data_block_hash_ratio_policy: HashRatioPolicy,
    /// Without effect.
    pub index_block_partitioning_policy: PartitioningPolicy,
    /// Without effect.
    pub filter_block_partitioning_policy: PartitioningPolicy,
    /// Without effect.
    pub index_block_partition_size_policy: BlockSizePolicy,
    /// Without effect.
    pub filter_block_partition_size_policy: BlockSizePolicy,
    /// How filters are built.
    pub filter_policy: FilterPolicy,
    /// Makes the filters of compactions.
    pub compaction_filter_factory: Option<Arc<dyn Factory>>,
    /// Which prefixes filters know.
    pub prefix_extractor: Option<Arc<dyn PrefixExtractor>>,
    /// How operands become values.
    pub merge_operator: Option<Arc<dyn MergeOperator>>,
    pub(crate) seqno: SharedSequenceNumberGenerator,
    pub(crate) visible_seqno: SharedSequenceNumberGenerator,
    pub(crate) comparator: SharedComparator,
    pub(crate) runtime: RuntimeConfig,
    pub(crate) encryption: Option<Arc<dyn EncryptionProvider>>,
    pub(crate) zstd_dictionary: Option<Arc<ZstdDictionary>>,
    pub(crate) recovery_mode: ManifestRecoveryMode,
    pub(crate) sync_mode: SyncMode,
    pub(crate) manifest_log_rotate_bytes: u64,
    pub(crate) compaction_rate_limit: u64,
    pub(crate) compaction_threads: usize,
    pub(crate) subcompaction_min_bytes: u64,
    pub(crate) compaction_pool: Option<Arc<dyn CompactionSpawner>>,
    pub(crate) expect_point_read_hits: bool,
}

/// Levels that a tree has at most.
pub(crate) const LEVELS_MAX: u8 = sediment_base::limits::LEVELS_MAX as u8;
const CACHE_BYTES: u64 = 16 << 20;
const DESCRIPTORS: usize = 256;

impl Config {
    /// The defaults for a tree in `path`, with the counter that gives numbers and the one that says what is visible.
    pub fn new<P: AsRef<Path>>(path: P, seqno: SequenceNumberCounter, visible_seqno: SequenceNumberCounter) -> Self {
        Self::new_with_generators(path, seqno.into(), visible_seqno.into())
    }

    /// The same with generators of the caller's own.
    pub fn new_with_generators<P: AsRef<Path>>(
        path: P,
        seqno: SharedSequenceNumberGenerator,
        visible_seqno: SharedSequenceNumberGenerator,
    ) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            fs: default_fs(),
            level_routes: None,
            cache: Arc::new(Cache::with_capacity_bytes(CACHE_BYTES)),
            descriptor_table: Some(Arc::new(DescriptorTable::new(DESCRIPTORS))),
            kv_separation_opts: None,
            level_count: LEVELS_MAX,
            data_block_compression_policy: CompressionPolicy::new([CompressionType::None, CompressionType::Lz4]),
            index_block_compression_policy: CompressionPolicy::disabled(),
            data_block_restart_interval_policy: RestartIntervalPolicy::all(16),
            index_block_restart_interval_policy: RestartIntervalPolicy::all(1),
            data_block_size_policy: BlockSizePolicy::all(4096),
            index_block_pinning_policy: PinningPolicy::new([true, true, false]),
            filter_block_pinning_policy: PinningPolicy::new([true, false]),
            top_level_index_block_pinning_policy: PinningPolicy::all(true),
            top_level_filter_block_pinning_policy: PinningPolicy::all(true),
            data_block_hash_ratio_policy: HashRatioPolicy::all(0.0),
            index_block_partitioning_policy: PinningPolicy::all(true),
            filter_block_partitioning_policy: PinningPolicy::new([false, false, false, true]),
            index_block_partition_size_policy: BlockSizePolicy::all(4096),
            filter_block_partition_size_policy: BlockSizePolicy::all(4096),
            filter_policy: FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::default())),
            compaction_filter_factory: None,
            prefix_extractor: None,
            merge_operator: None,
            seqno,
            visible_seqno,
            comparator: Arc::new(DefaultUserComparator),
            runtime: RuntimeConfig::default(),
            encryption: None,
            zstd_dictionary: None,
            recovery_mode: ManifestRecoveryMode::default(),
            sync_mode: SyncMode::default(),
            manifest_log_rotate_bytes: 1 << 20,
            compaction_rate_limit: 0,
            compaction_threads: 1,
            subcompaction_min_bytes: 8 << 20,
            compaction_pool: None,
            expect_point_read_hits: false,
        }
    }

    /// Where tables of a level lie.
    pub fn tables_folder_for_level(&self, level: u8) -> (PathBuf, Arc<dyn Fs>) {
        let routes = self.level_routes.iter().flatten();
        match routes.into_iter().find(|route| route.levels.contains(&level)) {
            Some(route) => (tables_of(&route.path), Arc::clone(&route.fs)),
            None => (tables_of(&self.path), Arc::clone(&self.fs)),
        }
    }

    /// Everywhere that tables lie, each place once.
    pub fn all_tables_folders(&self) -> Vec<(PathBuf, Arc<dyn Fs>)> {
        let mut folders = vec![(tables_of(&self.path), Arc::clone(&self.fs))];
        for route in self.level_routes.iter().flatten() {
            let folder = tables_of(&route.path);
            if folders.iter().all(|(known, _)| *known != folder) {
                folders.push((folder, Arc::clone(&route.fs)));
            }
        }
        folders
    }
}

fn tables_of(path: &Path) -> PathBuf {
    path.join(sediment_base::filename::TABLES_DIR)
}

impl Default for Config {
    fn default() -> Self {
        Self::new(".lsm.data", SequenceNumberCounter::default(), SequenceNumberCounter::default())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("path", &self.path).field("level_count", &self.level_count).finish_non_exhaustive()
    }
}
