//! Keys that find mistakes: short and long ones, shared prefixes, bytes at both ends of the order, and neighbours of each other.
//!
//! A [`KeyPool`] is a fixed set of keys from which a run draws, so that keys are written, removed and read again and again.

use crate::seed::Rng;

/// A set of keys and a way to draw from it.
#[derive(Clone, Debug)]
pub struct KeyPool {
    keys: Vec<Vec<u8>>,
}

impl KeyPool {
    /// About `count` different keys of every shape.
    pub fn new(rng: &mut Rng, count: usize) -> Self {
        let mut keys: Vec<Vec<u8>> = (0..count).map(|index| shape(rng, index)).collect();
        keys.sort();
        keys.dedup();
        Self { keys }
    }

    /// One of them. Half of the draws hit a hot eighth, so that long version chains arise.
    pub fn draw(&self, rng: &mut Rng) -> Vec<u8> {
        let count = self.keys.len() as u64;
        let end = if rng.one_in(2) { count.div_ceil(8) } else { count };
        self.keys[rng.below(end) as usize * 7 % self.keys.len()].clone()
    }

    /// A key that is mostly not in the pool: a neighbour of one that is.
    pub fn near(&self, rng: &mut Rng) -> Vec<u8> {
        let mut key = self.draw(rng);
        match rng.below(4) {
            0 => key.push(0),
            1 if key.len() > 1 => drop(key.pop()),
            2 => {
                let last = key.len() - 1;
                key[last] = key[last].wrapping_add(1);
            }
            _ => {}
        }
        key
    }

    /// The beginning of a key in the pool; sometimes empty.
    pub fn prefix(&self, rng: &mut Rng) -> Vec<u8> {
        let mut key = self.draw(rng);
        key.truncate(rng.below(key.len() as u64 + 1) as usize);
        key
    }
}

fn shape(rng: &mut Rng, index: usize) -> Vec<u8> {
    match rng.below(8) {
        0 => vec![rng.below(256) as u8],
        1 => (0..rng.between(1, 4)).map(|_| *rng.pick(&[0, 1, 0xFE, 0xFF])).collect(),
        2 => format!("user:{:05}", index).into_bytes(),
        3 => (index as u64 * 3).to_le_bytes().iter().rev().copied().collect(),
        4 => format!("a/common/prefix/of/many/keys/{}", rng.below(1000)).into_bytes(),
        5 => (0..rng.between(30, 90)).map(|at| b'a' + (at % 7) as u8).collect(),
        6 => (0..rng.between(1, 12)).map(|_| *rng.pick(b"ab")).collect(),
        _ => format!("k{}", rng.below(500)).into_bytes(),
    }
}
