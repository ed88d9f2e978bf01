//! The one hash of a user key: 64 bits of seeded XXH3; and the digest of a row, which begins with it.
//!
//! It is computed once per operation and serves the memtable's index, filters, the tags of blocks and locators;
//! `docs/format.md` says which of them takes which bits. Seed and version are stored with what was built from it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Number of this hash function in files. A change of the function is a new number, never a new meaning of this one.
pub const KEY_HASH_VERSION: u8 = 1;

/// The hash of a user key under the seed of a tree.
#[inline]
pub fn key_hash(seed: u64, user_key: &[u8]) -> u64 {
    xxh3_64_with_seed(user_key, seed)
}

/// Number of [`row_digest`] in files. A change of the function is a new number, never a new meaning of this one.
pub const ROW_DIGEST_VERSION: u8 = 1;

/// The digest of a row: of its user key, by the hash of that, of what the row is (`what`, see
/// [`RowFlags::digested`](sediment_base::RowFlags::digested)) and of its value. The hash of the one is the seed of the other, so that no byte
/// can change over from the key to the value.
#[inline]
pub fn row_digest(key_hash: u64, what: u8, value: &[u8]) -> u32 {
    let digest = xxh3_64_with_seed(value, key_hash ^ u64::from(what));
    (digest ^ digest >> 32) as u32
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

    /// Files hold these as well.
    #[test]
    fn the_digest_behind_version_1_never_changes() {
        let long: Vec<u8> = (0..=255).collect();
        let digests =
            [row_digest(0, 0, b""), row_digest(7, 1, b""), row_digest(7, 0, b"value"), row_digest(u64::MAX, 3, &long)];
        assert_eq!(digests, [366_286_023, 962_359_895, 3_275_043_427, 1_280_653_688]);
    }

    #[test]
    fn every_bit_of_a_row_and_where_its_key_ends_matter() {
        let digest = |what, key: &[u8], value: &[u8]| row_digest(key_hash(5, key), what, value);
        for len in [0, 1, 8, 20, 130, 300] {
            let (mut key, mut value) = (b"some key".to_vec(), vec![7; len]);
            let sound = digest(0, &key, &value);
            for bit in 0..64 {
                key[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(digest(0, &key, &value), sound);
                key[bit / 8] ^= 1 << (bit % 8);
            }
            for bit in 0..8 * len {
                value[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(digest(0, &key, &value), sound);
                value[bit / 8] ^= 1 << (bit % 8);
            }
            assert!((0..8).all(|bit| digest(1 << bit, &key, &value) != sound));
            let (last, begins) = key.split_last().unwrap();
            assert_ne!(digest(0, begins, &[&[*last], &value[..]].concat()), sound);
        }
    }
}
