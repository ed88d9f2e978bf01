//! The one hash of a user key: 64 bits of seeded XXH3.
//!
//! It is computed once per operation and serves the memtable's index, filters, the tags of blocks and, later, the locator;
//! `docs/format.md` says which of them takes which bits. Seed and version are stored with what was built from it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Number of this hash function in files. A change of the function is a new number, never a new meaning of this one.
pub const KEY_HASH_VERSION: u8 = 1;

/// The hash of a user key under the seed of a tree.
#[inline]
pub fn key_hash(seed: u64, user_key: &[u8]) -> u64 {
    xxh3_64_with_seed(user_key, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files hold these bits: if this fails, old files are no longer read.
    #[test]
    fn the_function_behind_version_1_never_changes() {
        let long: Vec<u8> = (0..=255).collect();
        let hashes = [key_hash(0, b""), key_hash(0, b"a"), key_hash(7, b"user:17"), key_hash(u64::MAX, &long)];
        assert_eq!(hashes, [0x2D06_8005_38D3_94C2, 0xE6C6_32B6_1E96_4E1F, 0xA427_679C_6993_0CB7, 0xB572_A71C_A2BA_E1E8]);
    }

    #[test]
    fn seeds_give_different_functions() {
        assert_ne!(key_hash(1, b"key"), key_hash(2, b"key"));
    }
}
