//! The settings.

pub use super::{
    bits::{LevelMask, TableIdRange},
    ecc::{ECC_DESCRIPTOR_LEN, EccDescriptor, EccGranularity, EccScheme, ecc_descriptor_bytes, ecc_descriptor_from_bytes},
};
use crate::hash::hash64;

/// How checksums are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChecksumAlgorithm {
    /// XXH3, 64 bits.
    #[default]
    Xxh3_64,
    /// The low half of that.
    Xxh3Low32,
    /// CRC-32C. Not made here.
    Crc32c,
}

impl ChecksumAlgorithm {
    /// Bytes of a digest.
    pub const fn digest_size(self) -> usize {
        match self {
            Self::Xxh3_64 => 8,
            Self::Xxh3Low32 | Self::Crc32c => 4,
        }
    }

    /// The digest of some bytes; `None` where it is not made here.
    pub fn compute(self, bytes: &[u8]) -> Option<u64> {
        match self {
            Self::Xxh3_64 => Some(hash64(bytes)),
            Self::Xxh3Low32 => Some(hash64(bytes) & u64::from(u32::MAX)),
            Self::Crc32c => None,
        }
    }

    /// Its number on disk.
    pub const fn wire_tag(self) -> u8 {
        match self {
            Self::Xxh3_64 => 0,
            Self::Xxh3Low32 => 1,
            Self::Crc32c => 2,
        }
    }

    /// The one with this number.
    pub const fn from_wire_tag(tag: u8) -> Option<Self> {
        match tag {
            0 => Some(Self::Xxh3_64),
            1 => Some(Self::Xxh3Low32),
            2 => Some(Self::Crc32c),
            _ => None,
        }
    }
}

/// Which rows have a checksum of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KvChecksumPolicy {
    /// None.
    #[default]
    Off,
    /// All.
    AllLevels,
    /// Those of some levels.
    PerLevel(LevelMask),
    /// Those of some tables.
    PerTable(TableIdRange),
}

impl KvChecksumPolicy {
    /// Whether rows of a table in a level have one.
    pub const fn applies(self, level: u8, table_id: u64) -> bool {
        match self {
            Self::Off => false,
            Self::AllLevels => true,
            Self::PerLevel(levels) => levels.contains(level),
            Self::PerTable(tables) => tables.contains(table_id),
        }
    }
}

/// When it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KvChecksumComputePoint {
    /// With the block.
    #[default]
    AtBlockCompile,
    /// With the write.
    AtInsert,
}

/// Settings that may change while a tree is open; they are not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeConfig {
    /// Of blocks. Without effect: the tree has one kind.
    pub block_checksum_algo: ChecksumAlgorithm,
    /// Of rows. Without effect: the tree has one kind.
    pub kv_checksum_algo: ChecksumAlgorithm,
    /// Which rows have one: all or none, others are refused. With them, rows have theirs from when they are written.
    pub kv_checksums: KvChecksumPolicy,
    /// When it is made.
    pub kv_checksum_compute_point: KvChecksumComputePoint,
    /// Without effect.
    pub manifest_footer_mirror: bool,
    /// Without effect.
    pub manifest_kv_checksums: bool,
    /// Whether blocks have parity. Refused.
    pub page_ecc: bool,
    /// Whether data blocks do in particular. Refused.
    pub data_block_ecc_override: Option<bool>,
    /// Whether blocks with checksums of rows do in particular. Refused.
    pub kv_checksums_ecc_override: Option<bool>,
    /// Which parity.
    pub ecc_scheme: EccScheme,
    /// What it is made over.
    pub ecc_granularity: EccGranularity,
    /// Whether mended tables are recorded. Refused.
    pub auto_heal: bool,
    /// Without effect: every fence has seqnos.
    pub seqno_in_index: bool,
    /// Without effect.
    pub index_partition_spill_threshold: u64,
    /// Without effect.
    pub disable_cow_on_sst_files: bool,
    /// Without effect.
    pub use_reflink_for_checkpoint: bool,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            block_checksum_algo: ChecksumAlgorithm::default(),
            kv_checksum_algo: ChecksumAlgorithm::default(),
            kv_checksums: KvChecksumPolicy::default(),
            kv_checksum_compute_point: KvChecksumComputePoint::default(),
            manifest_footer_mirror: true,
            manifest_kv_checksums: true,
            page_ecc: false,
            data_block_ecc_override: None,
            kv_checksums_ecc_override: None,
            ecc_scheme: EccScheme::default(),
            ecc_granularity: EccGranularity::default(),
            auto_heal: false,
            seqno_in_index: false,
            index_partition_spill_threshold: 4 << 20,
            disable_cow_on_sst_files: true,
            use_reflink_for_checkpoint: true,
        }
    }
}

impl RuntimeConfig {
    /// Whether data blocks have parity.
    pub fn data_block_ecc(&self) -> bool {
        self.data_block_ecc_override.unwrap_or(self.page_ecc)
    }

    /// Whether blocks with checksums of rows have parity.
    pub fn kv_checksums_ecc(&self) -> bool {
        self.kv_checksums_ecc_override.unwrap_or(self.page_ecc)
    }

    /// Whether the manifest has parity.
    pub const fn manifest_ecc(&self) -> bool {
        self.page_ecc
    }
}
