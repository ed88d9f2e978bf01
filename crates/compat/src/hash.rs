//! Hashes of byte strings.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// XXH3, 64 bits.
pub fn hash64(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// XXH3, 128 bits.
pub fn hash128(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}
