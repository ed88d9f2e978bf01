//! Checksums, and the one place that compares them.
//!
//! CRC-64/NVME guards blocks, whose corruption must not pass in a lifetime of scrubbing; CRC-32C guards records of logs and
//! file headers, which are short. Both take the checksum of what came before as their seed, so that a check can begin with
//! bytes that are not stored (the identity of the file, the place in it) and a block moved elsewhere does not verify. Dispatch
//! over the processor's instructions happens at run time.

use crc_fast::{CrcAlgorithm, Digest};
use sediment_base::planted::{Bug, planted};

/// CRC-64/NVME of `bytes`, continuing from `seed`: `crc64(crc64(0, a), b)` is that of `a` followed by `b`.
#[inline]
pub fn crc64(seed: u64, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc64Nvme, !seed);
    digest.update(bytes);
    digest.finalize()
}

/// CRC-32C of `bytes`, continuing from `seed`: `crc32c(crc32c(0, a), b)` is that of `a` followed by `b`.
#[inline]
pub fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!seed));
    digest.update(bytes);
    digest.finalize() as u32
}

/// Whether a stored checksum is the computed one. Every comparison of checksums is this one.
#[inline]
pub fn matches<T: PartialEq>(found: T, expected: T) -> bool {
    found == expected || planted(Bug::AcceptBadChecksum) || is_bypassed()
}

#[cfg(fuzzing)]
static BYPASSED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Lets every checksum match, for the whole process: so a fuzzer reaches what lies behind them. Does not exist otherwise.
#[cfg(fuzzing)]
pub fn bypass(on: bool) {
    BYPASSED.store(on, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(fuzzing)]
fn is_bypassed() -> bool {
    BYPASSED.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(fuzzing))]
#[inline(always)]
fn is_bypassed() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn check_values_are_those_of_the_catalogue() {
        assert_eq!(crc64(0, b"123456789"), 0xAE8B_1486_0A79_9888);
        assert_eq!(crc32c(0, b"123456789"), 0xE306_9283);
        assert_eq!((crc64(0, b""), crc32c(0, b"")), (0, 0));
    }

    proptest! {
        #[test]
        fn a_seed_continues_what_came_before(bytes in prop::collection::vec(any::<u8>(), 0..600), split in 0_usize..600) {
            let (head, tail) = bytes.split_at(split.min(bytes.len()));
            prop_assert_eq!(crc64(crc64(0, head), tail), crc64(0, &bytes));
            prop_assert_eq!(crc32c(crc32c(0, head), tail), crc32c(0, &bytes));
        }
    }
}
