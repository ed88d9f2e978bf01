//! Which parity blocks have, and how that is written down.

use crate::error::{Error, Result};

/// Which parity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EccScheme {
    /// One byte for each eight: mends one bit of them, and notices two.
    #[default]
    Secded,
    /// One shard over so many.
    Xor {
        /// Shards of data.
        data_shards: u8,
    },
    /// Reed-Solomon.
    ReedSolomon {
        /// Shards of data.
        data_shards: u8,
        /// Shards of parity.
        parity_shards: u8,
    },
}

impl EccScheme {
    /// Shards of data and of parity, where it has such.
    pub const fn shard_params(self) -> Option<(usize, usize)> {
        match self {
            Self::Secded => None,
            Self::Xor { data_shards } => Some((data_shards as usize, 1)),
            Self::ReedSolomon { data_shards, parity_shards } => Some((data_shards as usize, parity_shards as usize)),
        }
    }
}

/// What parity is made over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EccGranularity {
    /// A block.
    #[default]
    Block,
    /// A page.
    Page,
}

/// What is written down of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EccDescriptor {
    /// There is none.
    Off,
    /// This one.
    Recognized(EccScheme, EccGranularity),
    /// Another.
    Unrecognized,
}

/// Bytes of it.
pub const ECC_DESCRIPTOR_LEN: usize = 4;

/// Kind, shards of data, shards of parity, granularity.
pub fn ecc_descriptor_bytes(cfg: Option<(EccScheme, EccGranularity)>) -> [u8; ECC_DESCRIPTOR_LEN] {
    let Some((scheme, granularity)) = cfg else { return [0; ECC_DESCRIPTOR_LEN] };
    let granularity = match granularity {
        EccGranularity::Block => 0,
        EccGranularity::Page => 1,
    };
    match scheme {
        EccScheme::Secded => [1, 0, 0, granularity],
        EccScheme::Xor { data_shards } => [2, data_shards, 1, granularity],
        EccScheme::ReedSolomon { data_shards, parity_shards } => [3, data_shards, parity_shards, granularity],
    }
}

/// The other way. Another length is `InvalidTrailer`.
pub fn ecc_descriptor_from_bytes(bytes: &[u8]) -> Result<EccDescriptor> {
    let bytes: [u8; ECC_DESCRIPTOR_LEN] = bytes.try_into().map_err(|_| Error::InvalidTrailer)?;
    let [kind, data_shards, parity_shards, granularity] = bytes;
    let scheme = match kind {
        0 => return Ok(if bytes == [0; ECC_DESCRIPTOR_LEN] { EccDescriptor::Off } else { EccDescriptor::Unrecognized }),
        1 => EccScheme::Secded,
        2 => EccScheme::Xor { data_shards },
        _ => EccScheme::ReedSolomon { data_shards, parity_shards },
    };
    let granularity = if granularity == 0 { EccGranularity::Block } else { EccGranularity::Page };
    let is_canonical = ecc_descriptor_bytes(Some((scheme, granularity))) == bytes && (kind == 1 || data_shards > 0);
    Ok(if is_canonical { EccDescriptor::Recognized(scheme, granularity) } else { EccDescriptor::Unrecognized })
}
