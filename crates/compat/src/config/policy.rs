//! Settings by level: the last entry stands for all deeper levels.

use crate::compression::CompressionType;
use std::ops::Deref;

macro_rules! policies {
    ($($(#[$doc:meta])* $name:ident($entry:ty), $what:literal $(, $extra:ident)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq $(, $extra)?)]
        pub struct $name(Vec<$entry>);

        impl $name {
            /// The same for all levels.
            pub fn all(c: $entry) -> Self {
                Self(vec![c])
            }

            /// One entry for each level. Panics without any, and on more than 255.
            pub fn new(policy: impl Into<Vec<$entry>>) -> Self {
                let policy = policy.into();
                assert!(!policy.is_empty(), concat!($what, " policy may not be empty"));
                assert!(policy.len() <= 255, concat!($what, " policy is too large"));
                Self(policy)
            }
        }

        impl Deref for $name {
            type Target = [$entry];

            fn deref(&self) -> &[$entry] {
                &self.0
            }
        }
    )*};
}

policies! {
    /// Target plain sizes of blocks, in bytes.
    BlockSizePolicy(u32), "block size", Eq;
    /// How blocks are compressed.
    CompressionPolicy(CompressionType), "compression", Eq;
    /// How filters are built.
    FilterPolicy(FilterPolicyEntry), "filter";
    /// Sizes of hash indexes in blocks.
    HashRatioPolicy(f32), "hash ratio";
    /// What is kept in memory.
    PinningPolicy(bool), "pinning", Eq;
    /// Rows between two restarts.
    RestartIntervalPolicy(u8), "restart interval", Eq;
}

/// What is stored in parts.
pub type PartitioningPolicy = PinningPolicy;

impl CompressionPolicy {
    /// None.
    pub fn disabled() -> Self {
        Self::all(CompressionType::None)
    }
}

impl FilterPolicy {
    /// None.
    pub fn disabled() -> Self {
        Self::all(FilterPolicyEntry::None)
    }
}

impl PinningPolicy {
    /// Nothing.
    pub fn disabled() -> Self {
        Self::all(false)
    }
}

/// How the filters of a level are built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FilterPolicyEntry {
    /// There are none.
    None,
    /// They are built so.
    Bloom(BloomConstructionPolicy),
}

/// How much a filter may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BloomConstructionPolicy {
    /// So many bits for each key.
    BitsPerKey(f32),
    /// As many as this rate of errors needs.
    FalsePositiveRate(f32),
}

impl Default for BloomConstructionPolicy {
    fn default() -> Self {
        Self::BitsPerKey(10.0)
    }
}

impl BloomConstructionPolicy {
    /// Whether it makes a filter at all: 1 to 64 bits for each key, or a rate between 0 and 1.
    pub fn is_active(&self) -> bool {
        match self {
            Self::BitsPerKey(bits) => (1.0..=64.0).contains(bits),
            Self::FalsePositiveRate(rate) => *rate > 0.0 && *rate < 1.0,
        }
    }

    /// Bytes of a filter of `n` keys, about.
    pub fn estimated_filter_size(&self, n: usize) -> usize {
        (n as f64 * self.bits() / 8.0).ceil() as usize
    }

    /// Bits for each key; 0 where there is no filter.
    pub(crate) fn bits(&self) -> f64 {
        match self {
            _ if !self.is_active() => 0.0,
            Self::BitsPerKey(bits) => f64::from(*bits),
            Self::FalsePositiveRate(rate) => (1.0 / f64::from(*rate)).log2() * BLOOM_BITS,
        }
    }
}

/// Bits of a Bloom filter for each halving of its errors.
const BLOOM_BITS: f64 = std::f64::consts::LOG2_E;
