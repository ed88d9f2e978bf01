//! Kernels that search tags, cells and heads and add up the rows of a filter, each with a plain twin that the tests compare it to.
//!
//! SSE2 is part of every x86-64, so tags are matched with it without asking; other machines and Miri run the plain twin.
//! A search among heads is a chain of conditional moves, which no wider register shortens at the sizes we have. Nothing is chosen at
//! run time: with AVX2 or AVX-512 the tags of a block took as long (2.6 ns for 48 of them), and a probe of a filter in the processor's
//! cache one nanosecond of eleven less, which is what choosing costs.

use std::hint::select_unpredictable;

/// Which of up to 64 `tags` equal `tag`: bit `i` for `tags[i]`. Panics on more than 64.
#[inline]
pub fn match_mask(tags: &[u8], tag: u8) -> u64 {
    assert!(tags.len() <= 64, "a mask has 64 bits");
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    return match_mask_sse2(tags, tag);
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    return match_mask_plain(tags, tag);
}

/// Which of the 16 cells of a line, little-endian numbers of four bytes, equal `wanted` under `mask`: bit `i` for the cell `i`.
#[inline]
pub fn match_cells(line: &[u8; 64], wanted: u32, mask: u32) -> u16 {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    return match_cells_sse2(line, wanted, mask);
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    return match_cells_plain(line, wanted, mask);
}

/// How many of the ascending `heads`, little-endian numbers, are below `target`: where it belongs among them. No branch depends on
/// their values.
#[inline]
pub fn lower_bound_u64(heads: &[[u8; 8]], target: u64) -> usize {
    let (mut below, mut rest) = (0, heads.len());
    while rest > 1 {
        let half = rest / 2;
        // SAFETY: `below + rest` is `heads.len()` at first and never more, because what is added to the one, at most `half`, is no
        // more than what the other loses; and `half` is at least 1 and less than `rest`.
        let head = unsafe { heads.get_unchecked(below + half - 1) };
        below += select_unpredictable(u64::from_le_bytes(*head) < target, half, 0);
        rest -= half;
    }
    below + usize::from(heads.get(below).is_some_and(|head| u64::from_le_bytes(*head) < target))
}

/// The sum without carries of the words whose bits `chosen` names: bit `i` of `chosen[k]` takes bit `i` of each of the eight bytes from
/// `k * stride` on. `None` if `bytes` is too short for the last.
#[inline]
pub fn sum_chosen<const N: usize>(bytes: &[u8], stride: usize, chosen: [u8; N]) -> Option<u64> {
    let last = N.checked_sub(1)?.checked_mul(stride)?;
    if last.checked_add(size_of::<u64>())? > bytes.len() {
        return None;
    }
    let mut sum = 0;
    for (k, chosen) in chosen.into_iter().enumerate() {
        // SAFETY: `k * stride` is at most `last`, and eight bytes from there on are within `bytes`, as was just checked. The read may be
        // unaligned, and any bytes are a number.
        let word = unsafe { bytes.as_ptr().add(k * stride).cast::<u64>().read_unaligned() };
        sum ^= u64::from_le(word) & (u64::from(chosen) * 0x0101_0101_0101_0101);
    }
    Some(sum)
}

/// Asks for the cache line of `place`, which need not be one that may be read. Costs a slot in the load queue, waits for nothing.
#[inline]
pub fn prefetch<T>(place: *const T) {
    // SAFETY: a prefetch of any address whatever has no effect but on caches.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(place.cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = place;
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn match_mask_sse2(tags: &[u8], tag: u8) -> u64 {
    let (whole, rest) = tags.as_chunks::<16>();
    let mut mask = 0;
    for (i, chunk) in whole.iter().enumerate() {
        mask |= match_16(chunk, tag) << (16 * i);
    }
    if !rest.is_empty() {
        let mut padded = [0; 16];
        padded[..rest.len()].copy_from_slice(rest);
        mask |= (match_16(&padded, tag) & ((1 << rest.len()) - 1)) << (16 * whole.len());
    }
    mask
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn match_16(tags: &[u8; 16], tag: u8) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    // SAFETY: SSE2 is part of x86-64, and the unaligned load reads exactly the sixteen bytes of the array.
    let mask = unsafe {
        let found = _mm_cmpeq_epi8(_mm_loadu_si128(tags.as_ptr().cast()), _mm_set1_epi8(tag.cast_signed()));
        _mm_movemask_epi8(found)
    };
    u64::from(mask.cast_unsigned())
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
fn match_cells_sse2(line: &[u8; 64], wanted: u32, mask: u32) -> u16 {
    use std::arch::x86_64::{
        _mm_and_si128, _mm_cmpeq_epi32, _mm_loadu_si128, _mm_movemask_epi8, _mm_packs_epi16, _mm_packs_epi32, _mm_set1_epi32,
    };
    // SAFETY: SSE2 is part of x86-64, and the four unaligned loads read exactly the 64 bytes of the array.
    let found = unsafe {
        let (wanted, mask) = (_mm_set1_epi32(wanted.cast_signed()), _mm_set1_epi32(mask.cast_signed()));
        let quarters: [_; 4] = std::array::from_fn(|i| {
            let cells = _mm_loadu_si128(line.as_ptr().add(16 * i).cast());
            _mm_cmpeq_epi32(_mm_and_si128(cells, mask), wanted)
        });
        // All ones or all zeros stay so when they are halved.
        let halves = (_mm_packs_epi32(quarters[0], quarters[1]), _mm_packs_epi32(quarters[2], quarters[3]));
        _mm_movemask_epi8(_mm_packs_epi16(halves.0, halves.1))
    };
    found as u16
}

#[cfg(any(test, miri, not(target_arch = "x86_64")))]
fn match_cells_plain(line: &[u8; 64], wanted: u32, mask: u32) -> u16 {
    let cells = line.as_chunks::<4>().0.iter().map(|cell| u32::from_le_bytes(*cell));
    cells.enumerate().fold(0, |found, (i, cell)| found | u16::from(cell & mask == wanted) << i)
}

#[cfg(any(test, miri, not(target_arch = "x86_64")))]
fn match_mask_plain(tags: &[u8], tag: u8) -> u64 {
    tags.iter().enumerate().fold(0, |mask, (i, found)| mask | u64::from(*found == tag) << i)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn masks_agree_with_the_plain_twin() {
        let tags: Vec<u8> = (0..64_u32).map(|i| (i * i % 7) as u8).collect();
        let step = if cfg!(miri) { 13 } else { 1 };
        for from in (0..64).step_by(step) {
            for to in from..=64 {
                for tag in 0..8 {
                    assert_eq!(match_mask(&tags[from..to], tag), match_mask_plain(&tags[from..to], tag), "{from}..{to} {tag}");
                }
            }
        }
    }

    #[test]
    fn cells_agree_with_the_plain_twin() {
        for round in 0..if cfg!(miri) { 20 } else { 2000_u32 } {
            let line: [u8; 64] = std::array::from_fn(|i| (round.wrapping_mul(0x9E37_79B9) >> (i % 23)) as u8 & 0x83);
            for mask in [u32::MAX, 0, 0xFFFF_0000, 0x8000_0000, 0xFF] {
                for cell in line.as_chunks::<4>().0 {
                    let wanted = u32::from_le_bytes(*cell) & mask;
                    let found = match_cells(&line, wanted, mask);
                    assert!(found != 0 && found == match_cells_plain(&line, wanted, mask), "{round} {mask:x} {wanted:x}");
                }
                assert_eq!(match_cells(&line, 0x7654_3210, mask), match_cells_plain(&line, 0x7654_3210, mask), "{round}");
            }
        }
    }

    #[test]
    fn a_head_is_found_where_a_plain_search_finds_it() {
        for len in (0..70_u64).step_by(if cfg!(miri) { 23 } else { 1 }) {
            let heads: Vec<u64> = (0..len).map(|i| i / 3 * 10).collect();
            let stored: Vec<[u8; 8]> = heads.iter().map(|head| head.to_le_bytes()).collect();
            for target in (0..260).chain([u64::MAX]) {
                assert_eq!(lower_bound_u64(&stored, target), heads.partition_point(|head| *head < target), "{len} {target}");
            }
        }
    }

    #[test]
    fn chosen_rows_add_up_as_they_do_one_by_one() {
        let bytes: Vec<u8> = (0..200_u32).map(|i| (i * i / 3 % 251) as u8).collect();
        let chosen: [u8; 9] = std::array::from_fn(|k| (k * 59 + 7) as u8);
        for stride in (0..25).step_by(if cfg!(miri) { 7 } else { 1 }) {
            let rows = chosen.iter().enumerate().map(|(k, chosen)| {
                let word: [u8; 8] = std::array::from_fn(|i| bytes[k * stride + i] & chosen);
                u64::from_le_bytes(word)
            });
            let needed = 8 * stride + 8;
            let sum = rows.fold(0, |sum, row| sum ^ row);
            assert_eq!(sum_chosen(&bytes[..needed], stride, chosen), Some(sum), "{stride}");
            assert_eq!(sum_chosen(&bytes[..needed - 1], stride, chosen), None, "{stride}");
        }
        assert_eq!(sum_chosen(&bytes, usize::MAX, chosen), None);
        assert_eq!(sum_chosen(&bytes, 3, []), None);
    }
}
