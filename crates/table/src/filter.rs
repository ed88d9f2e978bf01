//! Filters: whether a table may hold a key, asked before anything is read.
//!
//! A filter knows hashes of user keys, never the keys. It may say *maybe* of a key that is not there; it never says *no* of one
//! that is.

mod burr;
#[cfg(test)]
mod hard;
mod locator;
mod paged;
mod prefix;
mod rate;
mod split_block;

pub(crate) use locator::{KeyPlace, KeyPlaces, Locator};
pub(crate) use paged::{Encoded, PAGE_BYTES, PagedFilter, Place, WINDOW_BYTES_MAX};
pub(crate) use prefix::{PrefixFilter, PrefixHashes};

use crate::{
    format::{Content, kinds},
    options::FilterKind,
};
use burr::Burr;
use sediment_base::{Error, Result};
use split_block::SplitBlock;

/// The filter of one table.
#[derive(Debug)]
pub(crate) enum Filter {
    /// Bloom filter whose probes of one key share a cache line.
    SplitBlock(SplitBlock),
    /// Solution of equations, hardly larger than a filter has to be.
    Burr(Burr),
    /// What knows of each key where it is, too.
    Locator(Locator),
}

impl Filter {
    /// The filter over these hashes, one of each key.
    pub(crate) fn encode(kind: FilterKind, hashes: &[u64], bits_per_key: u8) -> Encoded {
        let (kind, (content, head_bytes)) = match kind {
            FilterKind::SplitBlock => (kinds::SPLIT_BLOCK, SplitBlock::encode(hashes, bits_per_key)),
            FilterKind::Burr => (kinds::BURR, Burr::encode(hashes, bits_per_key)),
        };
        Encoded { kind, content, head_bytes }
    }

    /// Memory that [`Filter::encode`] takes for so many hashes.
    pub(crate) fn build_bytes(kind: FilterKind, hashes: usize, bits_per_key: u8) -> usize {
        match kind {
            FilterKind::SplitBlock => SplitBlock::build_bytes(hashes, bits_per_key),
            FilterKind::Burr => Burr::build_bytes(hashes, bits_per_key),
        }
    }

    /// Takes a filter region whose frames are of this kind.
    pub(crate) fn decode(kind: u8, content: Content) -> Result<Self> {
        match kind {
            kinds::SPLIT_BLOCK => SplitBlock::decode(content).map(Self::SplitBlock),
            kinds::BURR => Burr::decode(content).map(Self::Burr),
            _ => Err(unknown(kind)),
        }
    }

    /// False only if no key of the table has this hash.
    #[inline]
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        match self {
            Self::SplitBlock(filter) => filter.may_contain(hash),
            Self::Burr(filter) => filter.may_contain(hash),
            Self::Locator(locator) => locator.may_contain(hash),
        }
    }

    /// Asks for the memory that a question about this hash looks at.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        match self {
            Self::SplitBlock(filter) => filter.prefetch(hash),
            Self::Burr(filter) => filter.prefetch(hash),
            Self::Locator(locator) => locator.prefetch(hash),
        }
    }
}

#[cold]
fn unknown(kind: u8) -> Error {
    Error::unsupported(format!("filter {kind} is unknown to this version; upgrade Sediment"))
}
