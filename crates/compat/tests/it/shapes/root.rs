//! Every name of `lsm_tree` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::{blob_tree::FragmentationMap, encryption::aad::BlockIdentity};
use std::{cmp::Ordering, str::Utf8Error};

fn encryption_provider_keeps_its_shape<S: EncryptionProvider>() {
    let _: fn(&S, &[u8]) -> Result<Vec<u8>> = EncryptionProvider::encrypt;
    let _: fn(&S) -> u32 = EncryptionProvider::max_overhead;
    let _: fn(&S) -> bool = EncryptionProvider::supports_aad_block_path;
    let _: fn(&S, &[u8]) -> Result<Vec<u8>> = EncryptionProvider::decrypt;
    let _: fn(&S, Vec<u8>) -> Result<Vec<u8>> = EncryptionProvider::encrypt_vec;
    let _: fn(&S, Vec<u8>) -> Result<Vec<u8>> = EncryptionProvider::decrypt_vec;
    let _: fn(&S, &[u8], &BlockIdentity, u8, u8) -> Result<Vec<u8>> = EncryptionProvider::encrypt_block_aad;
    let _: fn(&S, &[u8], &BlockIdentity) -> Result<Vec<u8>> = EncryptionProvider::decrypt_block_aad;
}

fn aes256_gcm_provider_keeps_its_shape() {
    let _: usize = Aes256GcmProvider::OVERHEAD;
    let _: fn(&[u8; 32]) -> Aes256GcmProvider = Aes256GcmProvider::new;
    let _: fn(&[u8]) -> Result<Aes256GcmProvider> = Aes256GcmProvider::from_slice;
    has!(Aes256GcmProvider: EncryptionProvider);
}

fn tree_type_keeps_its_shape() {
    let _: TreeType = TreeType::Standard;
    let _: TreeType = TreeType::Blob;
    has!(TreeType: Clone);
    has!(TreeType: Copy);
    has!(TreeType: std::fmt::Debug);
    has!(TreeType: Eq);
    has!(TreeType: PartialEq);
    has!(TreeType: TryFrom<u8>);
}

fn kv_separation_options_keeps_its_shape() {
    let _: fn(KvSeparationOptions, CompressionType) -> KvSeparationOptions = KvSeparationOptions::compression;
    let _: fn(KvSeparationOptions, u64) -> KvSeparationOptions = KvSeparationOptions::file_target_size;
    let _: fn(KvSeparationOptions, u32) -> KvSeparationOptions = KvSeparationOptions::separation_threshold;
    let _: fn(KvSeparationOptions, f32) -> KvSeparationOptions = KvSeparationOptions::staleness_threshold;
    let _: fn(KvSeparationOptions, f32) -> KvSeparationOptions = KvSeparationOptions::age_cutoff;
    let _: fn(KvSeparationOptions, Arc<ZstdDictionary>) -> KvSeparationOptions = KvSeparationOptions::dict;
    has!(KvSeparationOptions: Clone);
    has!(KvSeparationOptions: std::fmt::Debug);
    has!(KvSeparationOptions: Default);
    has!(KvSeparationOptions: PartialEq);
}

fn config_keeps_its_shape() {
    field!(Config::level_count: u8);
    field!(Config::data_block_compression_policy: CompressionPolicy);
    field!(Config::index_block_compression_policy: CompressionPolicy);
    field!(Config::data_block_restart_interval_policy: RestartIntervalPolicy);
    field!(Config::index_block_restart_interval_policy: RestartIntervalPolicy);
    field!(Config::data_block_size_policy: BlockSizePolicy);
    field!(Config::index_block_pinning_policy: PinningPolicy);
    field!(Config::filter_block_pinning_policy: PinningPolicy);
    field!(Config::top_level_index_block_pinning_policy: PinningPolicy);
    field!(Config::top_level_filter_block_pinning_policy: PinningPolicy);
    field!(Config::data_block_hash_ratio_policy: HashRatioPolicy);
    field!(Config::index_block_partitioning_policy: PartitioningPolicy);
    field!(Config::filter_block_partitioning_policy: PartitioningPolicy);
    field!(Config::index_block_partition_size_policy: BlockSizePolicy);
    field!(Config::filter_block_partition_size_policy: BlockSizePolicy);
    field!(Config::filter_policy: FilterPolicy);
    field!(Config::compaction_filter_factory: Option<Arc<dyn Factory>>);
    field!(Config::prefix_extractor: Option<Arc<dyn PrefixExtractor>>);
    field!(Config::merge_operator: Option<Arc<dyn MergeOperator>>);
    let _: fn(&'static str, SequenceNumberCounter, SequenceNumberCounter) -> Config = Config::new;
    let _: fn(Config, MemFs) -> Config = Config::with_fs;
    let _: fn(Config, Arc<dyn Fs>) -> Config = Config::with_shared_fs;
    let _: fn(Config) -> Result<AnyTree> = Config::open;
    let _: fn(&'static str, SharedSequenceNumberGenerator, SharedSequenceNumberGenerator) -> Config =
        Config::new_with_generators;
    let _: fn(&Config, u8) -> (PathBuf, Arc<dyn Fs>) = Config::tables_folder_for_level;
    let _: fn(&Config) -> Vec<(PathBuf, Arc<dyn Fs>)> = Config::all_tables_folders;
    let _: fn(Config, Vec<LevelRoute>) -> Config = Config::level_routes;
    let _: fn(Config, SharedSequenceNumberGenerator) -> Config = Config::seqno_generator;
    let _: fn(Config, SharedSequenceNumberGenerator) -> Config = Config::visible_seqno_generator;
    let _: fn(Config, Arc<Cache>) -> Config = Config::use_cache;
    let _: fn(Config, Option<Arc<DescriptorTable>>) -> Config = Config::use_descriptor_table;
    let _: fn(Config, bool) -> Config = Config::expect_point_read_hits;
    let _: fn(Config, bool) -> Config = Config::page_ecc;
    let _: fn(Config, EccScheme) -> Config = Config::ecc_scheme;
    let _: fn(Config, bool) -> Config = Config::disable_cow_on_sst_files;
    let _: fn(Config, bool) -> Config = Config::use_reflink_for_checkpoint;
    let _: fn(Config, RuntimeConfig) -> Config = Config::with_runtime_config;
    let _: fn(Config, PinningPolicy) -> Config = Config::filter_block_partitioning_policy;
    let _: fn(Config, PinningPolicy) -> Config = Config::index_block_partitioning_policy;
    let _: fn(Config, PinningPolicy) -> Config = Config::filter_block_pinning_policy;
    let _: fn(Config, PinningPolicy) -> Config = Config::index_block_pinning_policy;
    let _: fn(Config, RestartIntervalPolicy) -> Config = Config::data_block_restart_interval_policy;
    let _: fn(Config, RestartIntervalPolicy) -> Config = Config::index_block_restart_interval_policy;
    let _: fn(Config, FilterPolicy) -> Config = Config::filter_policy;
    let _: fn(Config, CompressionPolicy) -> Config = Config::data_block_compression_policy;
    let _: fn(Config, CompressionPolicy) -> Config = Config::index_block_compression_policy;
    let _: fn(Config, BlockSizePolicy) -> Config = Config::data_block_size_policy;
    let _: fn(Config, HashRatioPolicy) -> Config = Config::data_block_hash_ratio_policy;
    let _: fn(Config, Option<KvSeparationOptions>) -> Config = Config::with_kv_separation;
    let _: fn(Config, Option<Arc<dyn Factory>>) -> Config = Config::with_compaction_filter_factory;
    let _: fn(Config, Arc<dyn PrefixExtractor>) -> Config = Config::prefix_extractor;
    let _: fn(Config, Option<Arc<dyn MergeOperator>>) -> Config = Config::with_merge_operator;
    let _: fn(Config, SharedComparator) -> Config = Config::comparator;
    let _: fn(Config, Option<Arc<dyn EncryptionProvider>>) -> Config = Config::with_encryption;
    let _: fn(Config, ManifestRecoveryMode) -> Config = Config::manifest_recovery_mode;
    let _: fn(Config, SyncMode) -> Config = Config::sync_mode;
    let _: fn(Config, u64) -> Config = Config::manifest_log_rotate_bytes;
    let _: fn(Config, u64) -> Config = Config::compaction_rate_limit;
    let _: fn(Config, usize) -> Config = Config::compaction_threads;
    let _: fn(Config, u64) -> Config = Config::subcompaction_min_bytes;
    let _: fn(Config, Option<Arc<dyn CompactionSpawner>>) -> Config = Config::compaction_pool;
    let _: fn(Config, Option<Arc<ZstdDictionary>>) -> Config = Config::zstd_dictionary;
    let _: fn(&Config) -> Result<RepairReport> = Config::repair;
    has!(Config: Default);
}

fn result_keeps_its_shape() {
    let _: Option<Result<()>> = None;
}

fn repair_report_keeps_its_shape() {
    field!(RepairReport::recovered: usize);
    field!(RepairReport::unreadable: usize);
    field!(RepairReport::unreadable_files: Vec<(PathBuf, String)>);
    field!(RepairReport::method: &'static str);
    field!(RepairReport::warnings: Vec<&'static str>);
    has!(RepairReport: std::fmt::Debug);
}

fn user_key_keeps_its_shape() {
    let _: Option<UserKey> = None;
}

fn user_value_keeps_its_shape() {
    let _: Option<UserValue> = None;
}

fn kv_pair_keeps_its_shape() {
    let _: Option<KvPair> = None;
}

fn pinnable_slice_keeps_its_shape() {
    let _: fn(&PinnableSlice) = |of| {
        if let PinnableSlice::Pinned { _block, value } = of {
            let _: &Block = _block;
            let _: &Slice = value;
        }
    };
    let _: fn(UserValue) -> PinnableSlice = PinnableSlice::Owned;
    let _: fn(Block, Slice) -> PinnableSlice = PinnableSlice::pinned;
    let _: fn(UserValue) -> PinnableSlice = PinnableSlice::owned;
    let _: fn(&PinnableSlice) -> bool = PinnableSlice::is_pinned;
    let _: fn(&PinnableSlice) -> &[u8] = PinnableSlice::value;
    let _: fn(&PinnableSlice) -> usize = PinnableSlice::len;
    let _: fn(&PinnableSlice) -> bool = PinnableSlice::is_empty;
    let _: fn(PinnableSlice) -> UserValue = PinnableSlice::into_value;
    has!(PinnableSlice: AsRef<[u8]>);
    has!(PinnableSlice: Clone);
    has!(PinnableSlice: std::fmt::Debug);
}

fn write_batch_keeps_its_shape() {
    let _: fn() -> WriteBatch = WriteBatch::new;
    let _: fn(usize) -> WriteBatch = WriteBatch::with_capacity;
    let _: fn(&mut WriteBatch, &'static str, &'static str) -> () = WriteBatch::insert;
    let _: fn(&mut WriteBatch, &'static str) -> () = WriteBatch::remove;
    let _: fn(&mut WriteBatch, &'static str) -> () = WriteBatch::remove_weak;
    let _: fn(&mut WriteBatch, &'static str, &'static str) -> () = WriteBatch::merge;
    let _: fn(&WriteBatch) -> usize = WriteBatch::len;
    let _: fn(&WriteBatch) -> bool = WriteBatch::is_empty;
    let _: fn(&mut WriteBatch) -> () = WriteBatch::clear;
    has!(WriteBatch: Clone);
    has!(WriteBatch: std::fmt::Debug);
    has!(WriteBatch: Default);
}

fn abstract_tree_keeps_its_shape() {
    let _: fn(&AnyTree) -> usize = AbstractTree::table_file_cache_size;
    let _: fn(&AnyTree) -> BlockVerifyReport = AbstractTree::verify_checksum;
    let _: fn(&AnyTree, &VerifyOptions) -> BlockVerifyReport = AbstractTree::verify_checksum_with;
    let _: fn(&AnyTree, &Path) -> Result<CheckpointInfo> = AbstractTree::create_checkpoint;
    let _: fn(&AnyTree, &MutexGuard<'_, ()>, SeqNo) -> Result<Option<u64>> = AbstractTree::flush;
    let _: fn(
        &AnyTree,
        SeqNo,
        Option<(Arc<Memtable>, SeqNo)>,
    ) -> Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static> = AbstractTree::iter;
    let _: fn(
        &AnyTree,
        &'static [u8],
        SeqNo,
        Option<(Arc<Memtable>, SeqNo)>,
    ) -> Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static> = AbstractTree::prefix;
    let _: fn(
        &AnyTree,
        std::ops::RangeFull,
        SeqNo,
        Option<(Arc<Memtable>, SeqNo)>,
    ) -> Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static> =
        AbstractTree::range::<&'static [u8], std::ops::RangeFull>;
    let _: fn(&AnyTree) -> u64 = AbstractTree::tombstone_count;
    let _: fn(&AnyTree) -> u64 = AbstractTree::weak_tombstone_count;
    let _: fn(&AnyTree) -> u64 = AbstractTree::weak_tombstone_reclaimable_count;
    let _: fn(&AnyTree, std::ops::RangeFull) -> Result<()> = AbstractTree::drop_range::<&'static [u8], std::ops::RangeFull>;
    let _: fn(&AnyTree) -> Result<()> = AbstractTree::clear;
    let _: fn(&AnyTree, u64, SeqNo) -> Result<CompactionResult> = AbstractTree::major_compact;
    let _: fn(&AnyTree) -> u64 = AbstractTree::stale_blob_bytes;
    let _: fn(&AnyTree) -> u64 = AbstractTree::filter_size;
    let _: fn(&AnyTree) -> usize = AbstractTree::pinned_filter_size;
    let _: fn(&AnyTree) -> usize = AbstractTree::pinned_block_index_size;
    let _: fn(&AnyTree) -> usize = AbstractTree::version_free_list_len;
    let _: fn(&AnyTree) -> &Arc<Metrics> = AbstractTree::metrics;
    let _: fn(&AnyTree) -> MutexGuard<'_, ()> = AbstractTree::get_flush_lock;
    let _: fn(&AnyTree, std::iter::Empty<Result<InternalValue>>) -> Result<Option<(Vec<Table>, Option<Vec<BlobFile>>)>> =
        AbstractTree::flush_to_tables;
    let _: fn(&AnyTree, &[Table], Option<&[BlobFile]>, Option<FragmentationMap>, &[MemtableId], SeqNo) -> Result<()> =
        AbstractTree::register_tables;
    let _: fn(&AnyTree) -> () = AbstractTree::clear_active_memtable;
    let _: fn(&AnyTree) -> usize = AbstractTree::sealed_memtable_count;
    let _: fn(&AnyTree, Arc<dyn CompactionStrategy>, SeqNo) -> Result<CompactionResult> = AbstractTree::compact;
    let _: fn(&AnyTree) -> TableId = AbstractTree::get_next_table_id;
    let _: fn(&AnyTree) -> &Config = AbstractTree::tree_config;
    let _: fn(&AnyTree) -> Option<SeqNo> = AbstractTree::get_highest_seqno;
    let _: fn(&AnyTree) -> Arc<Memtable> = AbstractTree::active_memtable;
    let _: fn(&AnyTree) -> TreeType = AbstractTree::tree_type;
    let _: fn(&AnyTree) -> Option<Arc<Memtable>> = AbstractTree::rotate_memtable;
    let _: fn(&AnyTree) -> usize = AbstractTree::table_count;
    let _: fn(&AnyTree, usize) -> Option<usize> = AbstractTree::level_table_count;
    let _: fn(&AnyTree) -> usize = AbstractTree::l0_run_count;
    let _: fn(&AnyTree) -> usize = AbstractTree::blob_file_count;
    let _: fn(&AnyTree) -> usize = AbstractTree::approximate_len;
    let _: fn(&AnyTree) -> u64 = AbstractTree::disk_space;
    let _: fn(&AnyTree) -> Option<SeqNo> = AbstractTree::get_highest_memtable_seqno;
    let _: fn(&AnyTree) -> Option<SeqNo> = AbstractTree::get_highest_persisted_seqno;
    let _: fn(&AnyTree, SeqNo, Option<(Arc<Memtable>, SeqNo)>) -> Result<usize> = AbstractTree::len;
    let _: fn(&AnyTree, SeqNo, Option<(Arc<Memtable>, SeqNo)>) -> Result<bool> = AbstractTree::is_empty;
    let _: fn(&AnyTree, SeqNo, Option<(Arc<Memtable>, SeqNo)>) -> Option<IterGuardImpl> = AbstractTree::first_key_value;
    let _: fn(&AnyTree, SeqNo, Option<(Arc<Memtable>, SeqNo)>) -> Option<IterGuardImpl> = AbstractTree::last_key_value;
    let _: fn(&AnyTree, &'static [u8], SeqNo) -> Result<Option<u32>> = AbstractTree::size_of;
    let _: fn(&AnyTree, &'static [u8], SeqNo) -> Result<Option<UserValue>> = AbstractTree::get;
    let _: fn(&AnyTree, &'static [u8], SeqNo) -> Result<Option<PinnableSlice>> = AbstractTree::get_pinned;
    let _: fn(&AnyTree, &'static [u8], SeqNo) -> Result<bool> = AbstractTree::contains_key;
    let _: fn(&AnyTree, &'static [u8], SeqNo, Option<(Arc<Memtable>, SeqNo)>) -> Result<bool> = AbstractTree::contains_prefix;
    let _: fn(&AnyTree, Vec<&'static [u8]>, SeqNo) -> Result<Vec<Option<UserValue>>> = AbstractTree::multi_get;
    let _: fn(&AnyTree, WriteBatch, SeqNo) -> Result<(u64, u64)> = AbstractTree::apply_batch;
    let _: fn(&AnyTree, &'static str, &'static str, SeqNo) -> (u64, u64) = AbstractTree::insert;
    let _: fn(&AnyTree, &'static str, SeqNo) -> (u64, u64) = AbstractTree::remove;
    let _: fn(&AnyTree, &'static str, &'static str, SeqNo) -> (u64, u64) = AbstractTree::merge;
    let _: fn(&AnyTree, &'static str, &'static str, SeqNo) -> u64 = AbstractTree::remove_range;
    let _: fn(&AnyTree, &'static [u8], SeqNo) -> u64 = AbstractTree::remove_prefix;
}

fn checkpoint_info_keeps_its_shape() {
    field!(CheckpointInfo::sst_files: usize);
    field!(CheckpointInfo::blob_files: usize);
    field!(CheckpointInfo::total_bytes: u64);
    field!(CheckpointInfo::version_id: u64);
    field!(CheckpointInfo::seqno: SeqNo);
    has!(CheckpointInfo: Clone);
    has!(CheckpointInfo: Copy);
    has!(CheckpointInfo: std::fmt::Debug);
}

fn any_tree_keeps_its_shape() {
    let _: fn(Tree) -> AnyTree = AnyTree::Standard;
    let _: fn(BlobTree) -> AnyTree = AnyTree::Blob;
    let _: fn(&AnyTree) -> Result<AnyIngestion<'_>> = AnyTree::ingestion;
    has!(AnyTree: AbstractTree);
    has!(AnyTree: Clone);
}

fn blob_tree_keeps_its_shape() {
    let _ = BlobTree::scan_since_seqno;
    has!(BlobTree: AbstractTree);
    has!(BlobTree: Clone);
}

fn cache_keeps_its_shape() {
    let _: fn(u64) -> Cache = Cache::with_capacity_bytes;
    let _: fn(&Cache) -> u64 = Cache::size;
    let _: fn(&Cache) -> u64 = Cache::capacity;
}

fn default_user_comparator_keeps_its_shape() {
    has!(DefaultUserComparator: Clone);
    has!(DefaultUserComparator: std::fmt::Debug);
    has!(DefaultUserComparator: UserComparator);
}

fn shared_comparator_keeps_its_shape() {
    let _: Option<SharedComparator> = None;
}

fn user_comparator_keeps_its_shape<S: UserComparator>() {
    let _: fn(&S) -> &'static str = UserComparator::name;
    let _: fn(&S, &[u8], &[u8]) -> Ordering = UserComparator::compare;
    let _: fn(&S) -> bool = UserComparator::is_lexicographic;
}

fn compression_type_keeps_its_shape() {
    let _: CompressionType = CompressionType::None;
    let _: CompressionType = CompressionType::Lz4;
    let _: fn(i32) -> CompressionType = CompressionType::Zstd;
    let _: fn(&CompressionType) = |of| {
        if let CompressionType::ZstdDict { level, dict_id } = of {
            let _: &i32 = level;
            let _: &u32 = dict_id;
        }
    };
    let _: fn(&CompressionType) -> u32 = CompressionType::dict_id;
    let _: fn(i32) -> Result<CompressionType> = CompressionType::zstd;
    let _: fn(i32, u32) -> Result<CompressionType> = CompressionType::zstd_dict;
    has!(CompressionType: Clone);
    has!(CompressionType: Copy);
    has!(CompressionType: std::fmt::Debug);
    has!(CompressionType: std::fmt::Display);
    has!(CompressionType: Eq);
    has!(CompressionType: PartialEq);
}

fn descriptor_table_keeps_its_shape() {
    let _: fn(usize) -> DescriptorTable = DescriptorTable::new;
    let _: fn(&DescriptorTable, &GlobalTableId) -> Option<Arc<dyn FsFile>> = DescriptorTable::access_for_table;
    let _: fn(&DescriptorTable, GlobalTableId, Arc<dyn FsFile>) -> () = DescriptorTable::insert_for_table;
    let _: fn(&DescriptorTable, &GlobalTableId) -> Option<Arc<dyn FsFile>> = DescriptorTable::access_for_blob_file;
    let _: fn(&DescriptorTable, GlobalTableId, Arc<dyn FsFile>) -> () = DescriptorTable::insert_for_blob_file;
    let _: fn(&DescriptorTable, &GlobalTableId) -> () = DescriptorTable::remove_for_table;
    let _: fn(&DescriptorTable, &GlobalTableId) -> () = DescriptorTable::remove_for_blob_file;
}

fn error_keeps_its_shape() {
    let _: fn(std::io::Error) -> Error = Error::Io;
    let _: fn(CompressionType) -> Error = Error::Decompress;
    let _: fn(u8) -> Error = Error::InvalidVersion;
    let _: Error = Error::Unrecoverable;
    let _: fn(&Error) = |of| {
        if let Error::ChecksumMismatch { got, expected } = of {
            let _: &Checksum = got;
            let _: &Checksum = expected;
        }
    };
    let _: fn(&Error) = |of| {
        if let Error::HeaderCrcMismatch { recomputed, stored } = of {
            let _: &u32 = recomputed;
            let _: &u32 = stored;
        }
    };
    let _: fn((&'static str, u8)) -> Error = Error::InvalidTag;
    let _: Error = Error::InvalidTrailer;
    let _: fn(&'static str) -> Error = Error::InvalidHeader;
    let _: fn(&Error) = |of| {
        if let Error::DecompressedSizeTooLarge { declared, limit } = of {
            let _: &u64 = declared;
            let _: &u64 = limit;
        }
    };
    let _: fn(Utf8Error) -> Error = Error::Utf8;
    let _: Error = Error::MergeOperator;
    let _: fn(&'static str) -> Error = Error::Encrypt;
    let _: fn(&'static str) -> Error = Error::Decrypt;
    let _: fn(&Error) = |of| {
        if let Error::ComparatorMismatch { stored, supplied } = of {
            let _: &String = stored;
            let _: &&'static str = supplied;
        }
    };
    let _: fn(&Error) = |of| {
        if let Error::ZstdDictMismatch { expected, got } = of {
            let _: &u32 = expected;
            let _: &Option<u32> = got;
        }
    };
    let _: fn(&Error) = |of| {
        if let Error::ManifestFrameChecksumMismatch { section, expected, got } = of {
            let _: &&'static str = section;
            let _: &u64 = expected;
            let _: &u64 = got;
        }
    };
    let _: fn(&Error) = |of| {
        if let Error::RangeTombstoneDecode { field, offset } = of {
            let _: &&'static str = field;
            let _: &u64 = offset;
        }
    };
    let _: Error = Error::MixedOperationBatch;
    let _: Error = Error::PageEccUnsupported;
    let _: fn(&Error) = |of| {
        if let Error::PageEccUnrecoverable { got, expected } = of {
            let _: &Checksum = got;
            let _: &Checksum = expected;
        }
    };
    let _: fn(&Error) = |of| {
        if let Error::RouteMismatch { expected, found } = of {
            let _: &usize = expected;
            let _: &usize = found;
        }
    };
    let _: fn(&'static str) -> Error = Error::FeatureUnsupported;
    let _: fn(&'static str) -> Error = Error::ManifestFooterInvalid;
    let _: fn(&'static str) -> Error = Error::ManifestSectionInvalid;
    let _: fn(&Error) = |of| {
        if let Error::TornManifestEditLog { kind } = of {
            let _: &&'static str = kind;
        }
    };
    has!(Error: std::fmt::Debug);
    has!(Error: std::fmt::Display);
    has!(Error: std::error::Error);
}

fn format_version_keeps_its_shape() {
    let _: FormatVersion = FormatVersion::V1;
    let _: FormatVersion = FormatVersion::V2;
    let _: FormatVersion = FormatVersion::V3;
    let _: FormatVersion = FormatVersion::V4;
    let _: FormatVersion = FormatVersion::V5;
    has!(FormatVersion: Clone);
    has!(FormatVersion: Copy);
    has!(FormatVersion: std::fmt::Debug);
    has!(FormatVersion: std::fmt::Display);
    has!(FormatVersion: Eq);
    has!(FormatVersion: PartialEq);
    has!(FormatVersion: TryFrom<u8>);
}

fn any_ingestion_keeps_its_shape() {
    let _: fn(Ingestion<'static>) -> AnyIngestion<'static> = AnyIngestion::Standard;
    let _: fn(BlobIngestion<'static>) -> AnyIngestion<'static> = AnyIngestion::Blob;
    let _: fn(&mut AnyIngestion<'static>, &'static str, &'static str) -> Result<()> = AnyIngestion::write;
    let _: fn(&mut AnyIngestion<'static>, &'static str) -> Result<()> = AnyIngestion::write_tombstone;
    let _: fn(&mut AnyIngestion<'static>, &'static str) -> Result<()> = AnyIngestion::write_weak_tombstone;
    let _: fn(AnyIngestion<'static>) -> Result<()> = AnyIngestion::finish;
}

fn guard_keeps_its_shape<S: Guard>() {
    let _: fn(S, fn(&UserKey) -> bool) -> Result<(UserKey, Option<UserValue>)> = Guard::into_inner_if;
    let _: fn(S) -> Result<KvPair> = Guard::into_inner;
    let _: fn(S) -> Result<UserKey> = Guard::key;
    let _: fn(S) -> Result<u32> = Guard::size;
    let _: fn(S) -> Result<UserValue> = Guard::value;
}

fn memtable_keeps_its_shape() {
    let _: fn(&Memtable) -> MemtableId = Memtable::id;
    let _: fn(&Memtable) -> bool = Memtable::is_flagged_for_rotation;
    let _: fn(&Memtable) -> () = Memtable::flag_rotated;
    let _ = Memtable::iter;
    let _: fn(&Memtable) -> u64 = Memtable::size;
    let _: fn(&Memtable) -> usize = Memtable::len;
    let _: fn(&Memtable) -> bool = Memtable::is_empty;
    let _: fn(&Memtable, UserKey, UserKey, SeqNo) -> u64 = Memtable::insert_range_tombstone;
    let _: fn(&Memtable) -> usize = Memtable::range_tombstone_count;
    let _: fn(&Memtable) -> Option<SeqNo> = Memtable::get_highest_seqno;
}

fn memtable_id_keeps_its_shape() {
    let _: Option<MemtableId> = None;
}

fn merge_operator_keeps_its_shape<S: MergeOperator>() {
    let _: fn(&S, &[u8], Option<&[u8]>, &[&[u8]]) -> Result<UserValue> = MergeOperator::merge;
}

fn prefix_extractor_keeps_its_shape<S: PrefixExtractor>() {
    let _: for<'a> fn(&S, &'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> = PrefixExtractor::prefixes;
    let _: fn(&S, &[u8]) -> bool = PrefixExtractor::is_valid_scan_boundary;
}

fn scan_since_event_keeps_its_shape() {
    let _: fn(&ScanSinceEvent) = |of| {
        if let ScanSinceEvent::Insert { key, value, seqno } = of {
            let _: &Slice = key;
            let _: &Slice = value;
            let _: &SeqNo = seqno;
        }
    };
    let _: fn(&ScanSinceEvent) = |of| {
        if let ScanSinceEvent::MergeOperand { key, operand, seqno } = of {
            let _: &Slice = key;
            let _: &Slice = operand;
            let _: &SeqNo = seqno;
        }
    };
    let _: fn(&ScanSinceEvent) = |of| {
        if let ScanSinceEvent::PointTombstone { key, seqno } = of {
            let _: &Slice = key;
            let _: &SeqNo = seqno;
        }
    };
    let _: fn(&ScanSinceEvent) = |of| {
        if let ScanSinceEvent::RangeTombstone { start_key, end_key, seqno } = of {
            let _: &Slice = start_key;
            let _: &Slice = end_key;
            let _: &SeqNo = seqno;
        }
    };
    let _: fn(&ScanSinceEvent) -> SeqNo = ScanSinceEvent::seqno;
    has!(ScanSinceEvent: Clone);
    has!(ScanSinceEvent: std::fmt::Debug);
    has!(ScanSinceEvent: Eq);
    has!(ScanSinceEvent: PartialEq);
}

fn m_a_x_s_e_q_n_o_keeps_its_shape() {
    let _: SeqNo = MAX_SEQNO;
}

fn sequence_number_counter_keeps_its_shape() {
    let _: fn(SeqNo) -> SequenceNumberCounter = SequenceNumberCounter::new;
    let _: fn(&SequenceNumberCounter) -> SeqNo = SequenceNumberCounter::next;
    let _: fn(&SequenceNumberCounter) -> SeqNo = SequenceNumberCounter::get;
    let _: fn(&SequenceNumberCounter, SeqNo) -> () = SequenceNumberCounter::set;
    let _: fn(&SequenceNumberCounter, SeqNo) -> () = SequenceNumberCounter::fetch_max;
    has!(SequenceNumberCounter: Clone);
    has!(SequenceNumberCounter: std::fmt::Debug);
    has!(SequenceNumberCounter: Default);
    has!(SequenceNumberCounter: SequenceNumberGenerator);
}

fn sequence_number_generator_keeps_its_shape<S: SequenceNumberGenerator>() {
    let _: fn(&S) -> SeqNo = SequenceNumberGenerator::next;
    let _: fn(&S) -> SeqNo = SequenceNumberGenerator::get;
    let _: fn(&S, SeqNo) -> () = SequenceNumberGenerator::set;
    let _: fn(&S, SeqNo) -> () = SequenceNumberGenerator::fetch_max;
}

fn shared_sequence_number_generator_keeps_its_shape() {
    let _: Option<SharedSequenceNumberGenerator> = None;
}

fn slice_keeps_its_shape() {
    let _: fn(&[u8]) -> Slice = Slice::new;
    has!(Slice: AsRef<[u8]>);
    has!(Slice: Clone);
    has!(Slice: std::fmt::Debug);
    has!(Slice: std::ops::Deref);
    has!(Slice: Eq);
    has!(Slice: From<&'static Path>);
    has!(Slice: From<&'static String>);
    has!(Slice: From<&'static Vec<u8>>);
    has!(Slice: From<&'static [u8; 3]>);
    has!(Slice: From<&'static [u8]>);
    has!(Slice: From<&'static str>);
    has!(Slice: From<Arc<[u8]>>);
    has!(Slice: From<Arc<str>>);
    has!(Slice: From<bytes::Bytes>);
    has!(Slice: From<PathBuf>);
    has!(Slice: From<String>);
    has!(Slice: From<Vec<u8>>);
    has!(Slice: From<[u8; 3]>);
    has!(Slice: FromIterator<u8>);
    has!(Slice: std::hash::Hash);
    has!(Slice: Ord);
}

fn tree_keeps_its_shape() {
    let _ = Tree::scan_since_seqno;
    let _: fn(&Tree, fn(&mut RuntimeConfig)) -> Result<()> = Tree::update_runtime_config;
    let _: fn(&Tree) -> Arc<RuntimeConfig> = Tree::runtime_config;
    let _: fn(&Tree) -> Arc<HealHints> = Tree::heal_hints;
    has!(Tree: AbstractTree);
    has!(Tree: Clone);
    has!(Tree: std::ops::Deref);
}

fn seq_no_keeps_its_shape() {
    let _: Option<SeqNo> = None;
}

fn value_type_keeps_its_shape() {
    let _: ValueType = ValueType::Value;
    let _: ValueType = ValueType::Tombstone;
    let _: ValueType = ValueType::WeakTombstone;
    let _: ValueType = ValueType::MergeOperand;
    let _: ValueType = ValueType::Indirection;
    let _: fn(ValueType) -> bool = ValueType::is_tombstone;
    let _: fn(ValueType) -> bool = ValueType::is_merge_operand;
    has!(ValueType: Clone);
    has!(ValueType: Copy);
    has!(ValueType: std::fmt::Debug);
    has!(ValueType: Eq);
    has!(ValueType: PartialEq);
    has!(ValueType: TryFrom<u8>);
}

fn blob_file_keeps_its_shape() {
    let _: fn(&BlobFile) -> u64 = BlobFile::id;
    let _: fn(&BlobFile) -> Checksum = BlobFile::checksum;
    let _: fn(&BlobFile) -> &Path = BlobFile::path;
    let _: fn(&BlobFile) -> u64 = BlobFile::len;
    has!(BlobFile: Clone);
    has!(BlobFile: Eq);
    has!(BlobFile: std::hash::Hash);
    has!(BlobFile: PartialEq);
}

fn zstd_dictionary_keeps_its_shape() {
    let _: fn(&[u8]) -> ZstdDictionary = ZstdDictionary::new;
    let _: fn(&ZstdDictionary) -> u32 = ZstdDictionary::id;
    let _: fn(&ZstdDictionary) -> &[u8] = ZstdDictionary::raw;
    has!(ZstdDictionary: Clone);
    has!(ZstdDictionary: std::fmt::Debug);
    has!(ZstdDictionary: Eq);
    has!(ZstdDictionary: PartialEq);
}

fn metrics_keeps_its_shape() {
    let _: fn(&Metrics) -> f64 = Metrics::table_file_cache_hit_rate;
    let _: fn(&Metrics) -> u64 = Metrics::data_block_io;
    let _: fn(&Metrics) -> u64 = Metrics::index_block_io;
    let _: fn(&Metrics) -> u64 = Metrics::filter_block_io;
    let _: fn(&Metrics) -> u64 = Metrics::range_tombstone_block_io;
    let _: fn(&Metrics) -> u64 = Metrics::block_io;
    let _: fn(&Metrics) -> usize = Metrics::data_block_load_count;
    let _: fn(&Metrics) -> usize = Metrics::index_block_load_count;
    let _: fn(&Metrics) -> usize = Metrics::filter_block_load_count;
    let _: fn(&Metrics) -> usize = Metrics::range_tombstone_block_load_count;
    let _: fn(&Metrics) -> usize = Metrics::ecc_auto_heal_scheduled_count;
    let _: fn(&Metrics) -> usize = Metrics::block_load_io_count;
    let _: fn(&Metrics) -> usize = Metrics::data_block_load_cached_count;
    let _: fn(&Metrics) -> usize = Metrics::index_block_load_cached_count;
    let _: fn(&Metrics) -> usize = Metrics::filter_block_load_cached_count;
    let _: fn(&Metrics) -> usize = Metrics::range_tombstone_block_load_cached_count;
    let _: fn(&Metrics) -> usize = Metrics::block_load_cached_count;
    let _: fn(&Metrics) -> usize = Metrics::block_loads;
    let _: fn(&Metrics) -> f64 = Metrics::data_block_cache_hit_rate;
    let _: fn(&Metrics) -> f64 = Metrics::filter_block_cache_hit_rate;
    let _: fn(&Metrics) -> f64 = Metrics::index_block_cache_hit_rate;
    let _: fn(&Metrics) -> f64 = Metrics::range_tombstone_block_cache_hit_rate;
    let _: fn(&Metrics) -> f64 = Metrics::block_cache_hit_rate;
    let _: fn(&Metrics) -> f64 = Metrics::filter_efficiency;
    let _: fn(&Metrics) -> usize = Metrics::filter_queries;
    let _: fn(&Metrics) -> usize = Metrics::io_skipped_by_filter;
    let _: fn(&Metrics) -> usize = Metrics::prefix_bloom_skips;
    has!(Metrics: std::fmt::Debug);
    has!(Metrics: Default);
}
