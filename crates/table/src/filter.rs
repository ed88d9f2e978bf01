//! Filters: whether a table may hold a key, asked before anything is read.
//!
//! A filter knows hashes of user keys, never the keys. It may say *maybe* of a key that is not there; it never says *no* of one
//! that is.

mod prefix;
mod split_block;

pub(crate) use prefix::{PrefixFilter, PrefixHashes};
pub(crate) use split_block::SplitBlock;

use crate::format::{Content, kinds};
use sediment_base::{Error, Result};

/// The filter of one table.
#[derive(Debug)]
pub(crate) enum Filter {
    /// Bloom filter whose probes of one key share a cache line.
    SplitBlock(SplitBlock),
}

impl Filter {
    /// Takes a filter region whose frames are of this kind.
    pub(crate) fn decode(kind: u8, content: Content) -> Result<Self> {
        match kind {
            kinds::SPLIT_BLOCK => SplitBlock::decode(content).map(Self::SplitBlock),
            _ => Err(Error::unsupported(format!("filter {kind} is unknown to this version; upgrade Sediment"))),
        }
    }

    /// False only if no key of the table has this hash.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        match self {
            Self::SplitBlock(filter) => filter.may_contain(hash),
        }
    }

    /// Asks for the memory that a question about this hash looks at.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        match self {
            Self::SplitBlock(filter) => filter.prefetch(hash),
        }
    }
}
