//! Every name of `lsm_tree::runtime_config` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::runtime_config::*;

fn checksum_algorithm_keeps_its_shape() {
    let _: ChecksumAlgorithm = ChecksumAlgorithm::Xxh3_64;
    let _: ChecksumAlgorithm = ChecksumAlgorithm::Xxh3Low32;
    let _: ChecksumAlgorithm = ChecksumAlgorithm::Crc32c;
    let _: fn(ChecksumAlgorithm) -> usize = ChecksumAlgorithm::digest_size;
    let _: fn(ChecksumAlgorithm, &[u8]) -> Option<u64> = ChecksumAlgorithm::compute;
    let _: fn(ChecksumAlgorithm) -> u8 = ChecksumAlgorithm::wire_tag;
    let _: fn(u8) -> Option<ChecksumAlgorithm> = ChecksumAlgorithm::from_wire_tag;
    has!(ChecksumAlgorithm: Clone);
    has!(ChecksumAlgorithm: Copy);
    has!(ChecksumAlgorithm: std::fmt::Debug);
    has!(ChecksumAlgorithm: Default);
    has!(ChecksumAlgorithm: Eq);
    has!(ChecksumAlgorithm: std::hash::Hash);
    has!(ChecksumAlgorithm: PartialEq);
}

fn kv_checksum_policy_keeps_its_shape() {
    let _: KvChecksumPolicy = KvChecksumPolicy::Off;
    let _: KvChecksumPolicy = KvChecksumPolicy::AllLevels;
    let _: fn(LevelMask) -> KvChecksumPolicy = KvChecksumPolicy::PerLevel;
    let _: fn(TableIdRange) -> KvChecksumPolicy = KvChecksumPolicy::PerTable;
    let _: fn(KvChecksumPolicy, u8, u64) -> bool = KvChecksumPolicy::applies;
    has!(KvChecksumPolicy: Clone);
    has!(KvChecksumPolicy: Copy);
    has!(KvChecksumPolicy: std::fmt::Debug);
    has!(KvChecksumPolicy: Default);
    has!(KvChecksumPolicy: Eq);
    has!(KvChecksumPolicy: std::hash::Hash);
    has!(KvChecksumPolicy: PartialEq);
}

fn kv_checksum_compute_point_keeps_its_shape() {
    let _: KvChecksumComputePoint = KvChecksumComputePoint::AtBlockCompile;
    let _: KvChecksumComputePoint = KvChecksumComputePoint::AtInsert;
    has!(KvChecksumComputePoint: Clone);
    has!(KvChecksumComputePoint: Copy);
    has!(KvChecksumComputePoint: std::fmt::Debug);
    has!(KvChecksumComputePoint: Default);
    has!(KvChecksumComputePoint: Eq);
    has!(KvChecksumComputePoint: std::hash::Hash);
    has!(KvChecksumComputePoint: PartialEq);
}

fn ecc_scheme_keeps_its_shape() {
    let _: EccScheme = EccScheme::Secded;
    let _: fn(&EccScheme) = |of| {
        if let EccScheme::Xor { data_shards } = of {
            let _: &u8 = data_shards;
        }
    };
    let _: fn(&EccScheme) = |of| {
        if let EccScheme::ReedSolomon { data_shards, parity_shards } = of {
            let _: &u8 = data_shards;
            let _: &u8 = parity_shards;
        }
    };
    let _: fn(EccScheme) -> Option<(usize, usize)> = EccScheme::shard_params;
    has!(EccScheme: Clone);
    has!(EccScheme: Copy);
    has!(EccScheme: std::fmt::Debug);
    has!(EccScheme: Default);
    has!(EccScheme: Eq);
    has!(EccScheme: std::hash::Hash);
    has!(EccScheme: PartialEq);
}

fn ecc_granularity_keeps_its_shape() {
    let _: EccGranularity = EccGranularity::Block;
    let _: EccGranularity = EccGranularity::Page;
    has!(EccGranularity: Clone);
    has!(EccGranularity: Copy);
    has!(EccGranularity: std::fmt::Debug);
    has!(EccGranularity: Default);
    has!(EccGranularity: Eq);
    has!(EccGranularity: std::hash::Hash);
    has!(EccGranularity: PartialEq);
}

fn e_c_c_d_e_s_c_r_i_p_t_o_r_l_e_n_keeps_its_shape() {
    let _: usize = ECC_DESCRIPTOR_LEN;
}

fn ecc_descriptor_bytes_keeps_its_shape() {
    let _: fn(Option<(EccScheme, EccGranularity)>) -> [u8; 4] = ecc_descriptor_bytes;
}

fn ecc_descriptor_keeps_its_shape() {
    let _: EccDescriptor = EccDescriptor::Off;
    let _: fn(EccScheme, EccGranularity) -> EccDescriptor = EccDescriptor::Recognized;
    let _: EccDescriptor = EccDescriptor::Unrecognized;
    has!(EccDescriptor: Clone);
    has!(EccDescriptor: Copy);
    has!(EccDescriptor: std::fmt::Debug);
    has!(EccDescriptor: Eq);
    has!(EccDescriptor: std::hash::Hash);
    has!(EccDescriptor: PartialEq);
}

fn ecc_descriptor_from_bytes_keeps_its_shape() {
    let _: fn(&[u8]) -> Result<EccDescriptor> = ecc_descriptor_from_bytes;
}

fn level_mask_keeps_its_shape() {
    let _: fn() -> LevelMask = LevelMask::none;
    let _: fn(u8) -> LevelMask = LevelMask::from_bits;
    let _: fn(LevelMask) -> u8 = LevelMask::bits;
    let _: fn(LevelMask, u8) -> LevelMask = LevelMask::with_level;
    let _: fn(LevelMask, u8) -> bool = LevelMask::contains;
    has!(LevelMask: Clone);
    has!(LevelMask: Copy);
    has!(LevelMask: std::fmt::Debug);
    has!(LevelMask: Default);
    has!(LevelMask: Eq);
    has!(LevelMask: std::hash::Hash);
    has!(LevelMask: PartialEq);
}

fn table_id_range_keeps_its_shape() {
    field!(TableIdRange::start: u64);
    field!(TableIdRange::end: u64);
    let _: fn(u64, u64) -> TableIdRange = TableIdRange::new;
    let _: fn(TableIdRange, u64) -> bool = TableIdRange::contains;
    has!(TableIdRange: Clone);
    has!(TableIdRange: Copy);
    has!(TableIdRange: std::fmt::Debug);
    has!(TableIdRange: Eq);
    has!(TableIdRange: std::hash::Hash);
    has!(TableIdRange: PartialEq);
}

fn runtime_config_keeps_its_shape() {
    field!(RuntimeConfig::block_checksum_algo: ChecksumAlgorithm);
    field!(RuntimeConfig::kv_checksum_algo: ChecksumAlgorithm);
    field!(RuntimeConfig::kv_checksums: KvChecksumPolicy);
    field!(RuntimeConfig::kv_checksum_compute_point: KvChecksumComputePoint);
    field!(RuntimeConfig::manifest_footer_mirror: bool);
    field!(RuntimeConfig::manifest_kv_checksums: bool);
    field!(RuntimeConfig::page_ecc: bool);
    field!(RuntimeConfig::data_block_ecc_override: Option<bool>);
    field!(RuntimeConfig::kv_checksums_ecc_override: Option<bool>);
    field!(RuntimeConfig::ecc_scheme: EccScheme);
    field!(RuntimeConfig::ecc_granularity: EccGranularity);
    field!(RuntimeConfig::auto_heal: bool);
    field!(RuntimeConfig::seqno_in_index: bool);
    field!(RuntimeConfig::index_partition_spill_threshold: u64);
    field!(RuntimeConfig::disable_cow_on_sst_files: bool);
    field!(RuntimeConfig::use_reflink_for_checkpoint: bool);
    let _: fn(&RuntimeConfig) -> bool = RuntimeConfig::data_block_ecc;
    let _: fn(&RuntimeConfig) -> bool = RuntimeConfig::kv_checksums_ecc;
    let _: fn(&RuntimeConfig) -> bool = RuntimeConfig::manifest_ecc;
    has!(RuntimeConfig: Clone);
    has!(RuntimeConfig: std::fmt::Debug);
    has!(RuntimeConfig: Default);
    has!(RuntimeConfig: Eq);
    has!(RuntimeConfig: PartialEq);
}
