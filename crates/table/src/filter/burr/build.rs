//! From hashes to the bytes of a filter: layer after layer, each of the keys that the one before bumped.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "these are our own numbers, nothing read")]

use super::{
    BLOCK_ROWS, HEAD_SPARE_BYTES, LAYERS_MAX, LISTED_BYTES, SPARE_BYTES,
    band::Width,
    key::Key,
    solution_bytes,
    solve::{Solved, solve},
};
use sediment_codec::coding::Writer;

/// Most columns for which the wide band is taken: where they are few, thresholds count.
const WIDE_BITS_MAX: u8 = 2;
/// How many keys are sorted at a time.
const PART_KEYS: usize = 256;

/// The filter over these hashes, and how long its head is.
pub(super) fn encode(hashes: &[u64], bits: u8) -> (Vec<u8>, usize) {
    let width = width_for(bits);
    let mut keys: Vec<Key> = hashes.iter().map(|hash| Key::of(*hash)).collect();
    let mut layers: Vec<(u32, Solved)> = Vec::new();
    loop {
        keys = sorted(&keys);
        let rows = rows_for(keys.len(), bits);
        let is_listed = keys.len() * LISTED_BYTES <= solution_bytes(rows, bits);
        if is_listed || layers.len() == LAYERS_MAX {
            break;
        }
        let mut solved = match width {
            Width::Rows64 => solve::<u64>(&keys, rows, bits),
            Width::Rows128 => solve::<u128>(&keys, rows, bits),
        };
        keys = std::mem::take(&mut solved.bumped).into_iter().map(Key::bumped).collect();
        layers.push((rows, solved));
    }
    let mut listed: Vec<u32> = keys.into_iter().map(Key::listed).collect();
    listed.dedup();
    let mut out = Vec::new();
    out.put_bytes(&[bits, width.rows() as u8, layers.len() as u8, 0]);
    out.put_u32(listed.len() as u32);
    (0..LAYERS_MAX).for_each(|i| out.put_u32(layers.get(i).map_or(0, |(rows, _)| *rows)));
    layers.iter().for_each(|(_, solved)| out.put_bytes(&solved.codes));
    listed.iter().for_each(|key| out.put_u32(*key));
    out.put_bytes(&[0; HEAD_SPARE_BYTES]);
    let head_bytes = out.len();
    layers.iter().for_each(|(_, solved)| out.put_bytes(&solved.solution));
    out.put_bytes(&[0; SPARE_BYTES]);
    (out, head_bytes)
}

/// Memory that [`encode`] takes for so many keys: them, their equations, and twice what comes out.
pub(super) fn bytes(keys: usize, bits: u8) -> usize {
    let equation = width_for(bits).rows() as usize / 8 + size_of::<u32>();
    keys.saturating_mul(size_of::<Key>() + equation + usize::from(bits).div_ceil(4))
}

fn width_for(bits: u8) -> Width {
    if bits <= WIDE_BITS_MAX { Width::Rows128 } else { Width::Rows64 }
}

/// How many rows so many keys get: a little fewer than keys, so that hardly one stays empty, and some for the equations to end in that
/// begin in the last. The fewer rows, the smaller the filter, and the longer it takes to build: where thresholds take less of a
/// hundredth, more rows may stay empty.
fn rows_for(keys: usize, bits: u8) -> u32 {
    let (bumped, ends) = match bits {
        1 => (keys / 80, 48),
        2 => (keys / 256, 48),
        3 => (keys / 24, 24),
        4..=5 => (keys / 40, 24),
        _ => (keys / 56, 24),
    };
    let least = width_for(bits).rows() as usize + BLOCK_ROWS;
    let rows = (keys - bumped + ends).max(least).next_multiple_of(BLOCK_ROWS);
    u32::try_from(rows).unwrap_or(u32::MAX - 7)
}

/// The keys ascending, each once. They are spread evenly, so most of the way is one step: to the part where they belong.
fn sorted(keys: &[Key]) -> Vec<Key> {
    let parts = (keys.len() / PART_KEYS).next_power_of_two();
    let part_of = |key: &Key| key.start(parts as u32) as usize;
    let mut ends = vec![0; parts];
    keys.iter().for_each(|key| ends[part_of(key)] += 1);
    let mut begin = 0;
    for end in &mut ends {
        begin += std::mem::replace(end, begin);
    }
    let mut sorted = keys.to_vec();
    for key in keys {
        let end = &mut ends[part_of(key)];
        sorted[*end] = *key;
        *end += 1;
    }
    let mut begin = 0;
    for end in ends {
        sorted[begin..end].sort_unstable();
        begin = end;
    }
    sorted.dedup();
    sorted
}
