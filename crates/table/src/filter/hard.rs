//! Hashes that are hard on filters: all equal, near each other, alike in their upper or lower half.

use sediment_codec::hash::key_hash;

/// The hash of some key.
pub(super) fn hash(i: u64) -> u64 {
    key_hash(3, &i.to_le_bytes())
}

/// Sets of them, the last of which is of many that are not.
pub(super) fn sets() -> Vec<Vec<u64>> {
    vec![
        vec![0],
        vec![7; 5000],
        vec![u64::MAX, 0, 1, 1 << 63, 1 << 32, (1 << 32) - 1],
        (0..5000).collect(),
        (0..5000).map(|i| i << 32).collect(),
        (0..5000).map(|i| i << 52 | i).collect(),
        (0..5000).map(|i| (0xABCD_EF01 << 32) | (i * i)).collect(),
        (0..64).map(|i| 1 << i).collect(),
        (0..5000).map(|i| hash(i / 3)).collect(),
        (0..71).map(hash).collect(),
        (0..30_000).map(hash).collect(),
    ]
}
