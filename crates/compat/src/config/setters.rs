//! One setter for each setting.

use super::{
    CompactionSpawner, CompressionPolicy, Config, FilterPolicy, HashRatioPolicy, KvSeparationOptions, LevelRoute,
    ManifestRecoveryMode, PinningPolicy, RestartIntervalPolicy, policy::BlockSizePolicy,
};
use crate::{
    cache::Cache,
    comparator::SharedComparator,
    descriptor_table::DescriptorTable,
    encryption::EncryptionProvider,
    filter::Factory,
    fs::{Fs, SyncMode},
    merge_operator::MergeOperator,
    prefix_extractor::PrefixExtractor,
    runtime_config::{EccScheme, RuntimeConfig},
    seqno::SharedSequenceNumberGenerator,
    zstd::ZstdDictionary,
};
use std::sync::Arc;

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident => $($field:ident).+: $type:ty;)*) => {
        impl Config {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, value: $type) -> Self {
                self.$($field).+ = value;
                self
            })*
        }
    };
}

setters! {
    /// Where it keeps its files.
    with_shared_fs => fs: Arc<dyn Fs>;
    /// Gives the numbers.
    seqno_generator => seqno: SharedSequenceNumberGenerator;
    /// Says what is visible.
    visible_seqno_generator => visible_seqno: SharedSequenceNumberGenerator;
    /// Where blocks are kept; may be shared with other trees.
    use_cache => cache: Arc<Cache>;
    /// Accepted, without effect: open tables keep their files open.
    use_descriptor_table => descriptor_table: Option<Arc<DescriptorTable>>;
    /// Accepted, without effect: every level has filters.
    expect_point_read_hits => expect_point_read_hits: bool;
    /// Whether blocks have parity: opening then fails.
    page_ecc => runtime.page_ecc: bool;
    /// Which parity they have.
    ecc_scheme => runtime.ecc_scheme: EccScheme;
    /// Accepted, without effect.
    disable_cow_on_sst_files => runtime.disable_cow_on_sst_files: bool;
    /// Accepted, without effect.
    use_reflink_for_checkpoint => runtime.use_reflink_for_checkpoint: bool;
    /// The settings that may change later.
    with_runtime_config => runtime: RuntimeConfig;
    /// Accepted, without effect.
    filter_block_partitioning_policy => filter_block_partitioning_policy: PinningPolicy;
    /// Accepted, without effect.
    index_block_partitioning_policy => index_block_partitioning_policy: PinningPolicy;
    /// Of which levels filters are in memory; the others' come through the cache in parts, as they are needed.
    filter_block_pinning_policy => filter_block_pinning_policy: PinningPolicy;
    /// Of which levels indexes are in memory; the others' come through the cache in parts, as they are needed.
    index_block_pinning_policy => index_block_pinning_policy: PinningPolicy;
    /// How filters are built: the first entry for tables that flushes write, the last for all others.
    filter_policy => filter_policy: FilterPolicy;
    /// How blocks are compressed: the first entry for tables that flushes write, the last for all others.
    data_block_compression_policy => data_block_compression_policy: CompressionPolicy;
    /// Accepted, without effect.
    index_block_compression_policy => index_block_compression_policy: CompressionPolicy;
    /// Target plain size of blocks: the last entry for all levels, clamped to 256 .. 65,536 bytes.
    data_block_size_policy => data_block_size_policy: BlockSizePolicy;
    /// Accepted, without effect.
    data_block_hash_ratio_policy => data_block_hash_ratio_policy: HashRatioPolicy;
    /// Whether large values lie apart: opening then fails.
    with_kv_separation => kv_separation_opts: Option<KvSeparationOptions>;
    /// Makes the filters of compactions.
    with_compaction_filter_factory => compaction_filter_factory: Option<Arc<dyn Factory>>;
    /// How operands become values.
    with_merge_operator => merge_operator: Option<Arc<dyn MergeOperator>>;
    /// The order of keys.
    comparator => comparator: SharedComparator;
    /// What seals files: opening then fails.
    with_encryption => encryption: Option<Arc<dyn EncryptionProvider>>;
    /// How a damaged manifest is met: opening fails for all but the default.
    manifest_recovery_mode => recovery_mode: ManifestRecoveryMode;
    /// Accepted: the tree always syncs in full.
    sync_mode => sync_mode: SyncMode;
    /// Accepted, without effect: the manifest is begun anew when its log outgrows it.
    manifest_log_rotate_bytes => manifest_log_rotate_bytes: u64;
    /// Bytes a second that all compactions of the tree may write together; 0 for no limit.
    compaction_rate_limit => compaction_rate_limit: u64;
    /// Accepted, without effect.
    subcompaction_min_bytes => subcompaction_min_bytes: u64;
    /// Accepted, without effect.
    compaction_pool => compaction_pool: Option<Arc<dyn CompactionSpawner>>;
    /// The dictionary of the compression.
    zstd_dictionary => zstd_dictionary: Option<Arc<ZstdDictionary>>;
}

impl Config {
    /// Where it keeps its files.
    #[must_use]
    pub fn with_fs<F: Fs>(self, fs: F) -> Self {
        self.with_shared_fs(Arc::new(fs))
    }

    /// Which levels lie elsewhere: opening then fails. Panics where ranges of levels are empty, inverted or overlap.
    #[must_use]
    pub fn level_routes(mut self, routes: Vec<LevelRoute>) -> Self {
        LevelRoute::check(&routes);
        self.level_routes = (!routes.is_empty()).then_some(routes);
        self
    }

    /// Which prefixes filters know.
    #[must_use]
    pub fn prefix_extractor(mut self, extractor: Arc<dyn PrefixExtractor>) -> Self {
        self.prefix_extractor = Some(extractor);
        self
    }

    /// Accepted, without effect. Panics on 0.
    #[must_use]
    pub fn data_block_restart_interval_policy(mut self, policy: RestartIntervalPolicy) -> Self {
        assert!(policy.iter().all(|interval| *interval > 0), "data block restart interval must be greater than zero");
        self.data_block_restart_interval_policy = policy;
        self
    }

    /// Accepted, without effect. Panics on 0.
    #[must_use]
    pub fn index_block_restart_interval_policy(mut self, policy: RestartIntervalPolicy) -> Self {
        assert!(policy.iter().all(|interval| *interval > 0), "index block restart interval must be greater than zero");
        self.index_block_restart_interval_policy = policy;
        self
    }

    /// Accepted, without effect; at least 1.
    #[must_use]
    pub fn compaction_threads(mut self, threads: usize) -> Self {
        self.compaction_threads = threads.max(1);
        self
    }
}
