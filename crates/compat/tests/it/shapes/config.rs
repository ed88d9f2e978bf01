//! Every name of `lsm_tree::config` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::config::*;

fn block_size_policy_keeps_its_shape() {
    let _: fn(u32) -> BlockSizePolicy = BlockSizePolicy::all;
    let _: fn(Vec<u32>) -> BlockSizePolicy = BlockSizePolicy::new;
    has!(BlockSizePolicy: Clone);
    has!(BlockSizePolicy: std::fmt::Debug);
    has!(BlockSizePolicy: std::ops::Deref);
    has!(BlockSizePolicy: Eq);
    has!(BlockSizePolicy: PartialEq);
}

fn compression_policy_keeps_its_shape() {
    let _: fn() -> CompressionPolicy = CompressionPolicy::disabled;
    let _: fn(CompressionType) -> CompressionPolicy = CompressionPolicy::all;
    let _: fn(Vec<CompressionType>) -> CompressionPolicy = CompressionPolicy::new;
    has!(CompressionPolicy: Clone);
    has!(CompressionPolicy: std::fmt::Debug);
    has!(CompressionPolicy: std::ops::Deref);
    has!(CompressionPolicy: Eq);
    has!(CompressionPolicy: PartialEq);
}

fn bloom_construction_policy_keeps_its_shape() {
    let _: fn(f32) -> BloomConstructionPolicy = BloomConstructionPolicy::BitsPerKey;
    let _: fn(f32) -> BloomConstructionPolicy = BloomConstructionPolicy::FalsePositiveRate;
    let _: fn(&BloomConstructionPolicy) -> bool = BloomConstructionPolicy::is_active;
    let _: fn(&BloomConstructionPolicy, usize) -> usize = BloomConstructionPolicy::estimated_filter_size;
    has!(BloomConstructionPolicy: Clone);
    has!(BloomConstructionPolicy: Copy);
    has!(BloomConstructionPolicy: std::fmt::Debug);
    has!(BloomConstructionPolicy: Default);
    has!(BloomConstructionPolicy: PartialEq);
}

fn filter_policy_keeps_its_shape() {
    let _: fn() -> FilterPolicy = FilterPolicy::disabled;
    let _: fn(FilterPolicyEntry) -> FilterPolicy = FilterPolicy::all;
    let _: fn(Vec<FilterPolicyEntry>) -> FilterPolicy = FilterPolicy::new;
    has!(FilterPolicy: Clone);
    has!(FilterPolicy: std::fmt::Debug);
    has!(FilterPolicy: std::ops::Deref);
    has!(FilterPolicy: PartialEq);
}

fn filter_policy_entry_keeps_its_shape() {
    let _: FilterPolicyEntry = FilterPolicyEntry::None;
    let _: fn(BloomConstructionPolicy) -> FilterPolicyEntry = FilterPolicyEntry::Bloom;
    has!(FilterPolicyEntry: Clone);
    has!(FilterPolicyEntry: Copy);
    has!(FilterPolicyEntry: std::fmt::Debug);
    has!(FilterPolicyEntry: PartialEq);
}

fn hash_ratio_policy_keeps_its_shape() {
    let _: fn(f32) -> HashRatioPolicy = HashRatioPolicy::all;
    let _: fn(Vec<f32>) -> HashRatioPolicy = HashRatioPolicy::new;
    has!(HashRatioPolicy: Clone);
    has!(HashRatioPolicy: std::fmt::Debug);
    has!(HashRatioPolicy: std::ops::Deref);
    has!(HashRatioPolicy: PartialEq);
}

fn pinning_policy_keeps_its_shape() {
    let _: fn(bool) -> PinningPolicy = PinningPolicy::all;
    let _: fn() -> PinningPolicy = PinningPolicy::disabled;
    let _: fn(Vec<bool>) -> PinningPolicy = PinningPolicy::new;
    has!(PinningPolicy: Clone);
    has!(PinningPolicy: std::fmt::Debug);
    has!(PinningPolicy: std::ops::Deref);
    has!(PinningPolicy: Eq);
    has!(PinningPolicy: PartialEq);
}

fn restart_interval_policy_keeps_its_shape() {
    let _: fn(u8) -> RestartIntervalPolicy = RestartIntervalPolicy::all;
    let _: fn(Vec<u8>) -> RestartIntervalPolicy = RestartIntervalPolicy::new;
    has!(RestartIntervalPolicy: Clone);
    has!(RestartIntervalPolicy: std::fmt::Debug);
    has!(RestartIntervalPolicy: std::ops::Deref);
    has!(RestartIntervalPolicy: Eq);
    has!(RestartIntervalPolicy: PartialEq);
}

fn partitioning_policy_keeps_its_shape() {
    let _: Option<PartitioningPolicy> = None;
}

fn level_route_keeps_its_shape() {
    field!(LevelRoute::levels: Range<u8>);
    field!(LevelRoute::path: PathBuf);
    field!(LevelRoute::fs: Arc<dyn Fs>);
    has!(LevelRoute: Clone);
    has!(LevelRoute: std::fmt::Debug);
}

fn manifest_recovery_mode_keeps_its_shape() {
    let _: ManifestRecoveryMode = ManifestRecoveryMode::AbsoluteConsistency;
    let _: ManifestRecoveryMode = ManifestRecoveryMode::TolerateCorruptedTailRecords;
    let _: ManifestRecoveryMode = ManifestRecoveryMode::PointInTimeRecovery;
    let _: ManifestRecoveryMode = ManifestRecoveryMode::SkipAnyCorruptedRecords;
    has!(ManifestRecoveryMode: Clone);
    has!(ManifestRecoveryMode: Copy);
    has!(ManifestRecoveryMode: std::fmt::Debug);
    has!(ManifestRecoveryMode: Default);
    has!(ManifestRecoveryMode: Eq);
    has!(ManifestRecoveryMode: PartialEq);
}
