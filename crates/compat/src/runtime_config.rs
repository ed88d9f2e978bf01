//! Settings that may change while a tree is open. Those that stand for something the tree has not are refused.

mod bits;
mod ecc;
pub mod types;

pub use types::{
    ChecksumAlgorithm, ECC_DESCRIPTOR_LEN, EccDescriptor, EccGranularity, EccScheme, KvChecksumComputePoint, KvChecksumPolicy,
    LevelMask, RuntimeConfig, TableIdRange, ecc_descriptor_bytes, ecc_descriptor_from_bytes,
};

use crate::error::{Error, Result, unsupported};

impl RuntimeConfig {
    /// Refuses what the tree cannot do.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.page_ecc || self.data_block_ecc() || self.kv_checksums_ecc() {
            return Err(Error::PageEccUnsupported);
        }
        if self.kv_checksum_compute_point == KvChecksumComputePoint::AtInsert {
            return Err(unsupported("checksums of rows made when they are written"));
        }
        if !matches!(self.kv_checksums, KvChecksumPolicy::Off | KvChecksumPolicy::AllLevels) {
            return Err(unsupported("checksums of the rows of some levels or tables"));
        }
        if self.auto_heal {
            return Err(unsupported("healing"));
        }
        Ok(())
    }

    /// Whether rows that are written have a checksum.
    pub(crate) fn entry_checksums(&self) -> bool {
        self.kv_checksums != KvChecksumPolicy::Off
    }
}
