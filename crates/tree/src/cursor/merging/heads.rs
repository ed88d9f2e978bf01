//! `Heads`: numbers that stand for keys, taken from behind what the keys have in common.
//!
//! The first eight bytes of a key often say nothing: they are a name or leading zeros, the same for thousands of keys in a row. What
//! tells keys of one neighbourhood apart comes behind the beginning that all of them share, so heads are made of that. Nobody
//! knows that beginning for what is still to come, so it is only ever a guess: all that the sources stand on at one moment share.
//! A key outside it makes it shorter, and many ties make it worth looking for a longer one.

use sediment_base::{
    KeyOrder,
    comparator::{bytewise_head, shared_prefix},
};
use std::cell::Cell;

/// After so many ties for each source another beginning is tried, which costs something for each source. Equal keys tie with any.
const TIES_PER_SOURCE: u32 = 4;

/// Makes heads of keys. Those of one making can be compared: they never contradict the order of keys.
pub(super) struct Heads {
    order: KeyOrder,
    /// What the keys begin with; empty where their order is not that of bytes.
    shared: Vec<u8>,
    ties: Cell<u32>,
    /// How many of these it takes to try another beginning.
    patience: u32,
}

impl Heads {
    pub(super) fn new(order: KeyOrder) -> Self {
        Self { order, shared: Vec::new(), ties: Cell::new(0), patience: TIES_PER_SOURCE }
    }

    /// The head of a key; nothing where the key begins otherwise than the others.
    #[inline]
    pub(super) fn of(&self, key: &[u8]) -> Option<u64> {
        if !self.order.is_lexicographic() {
            return Some(self.order.head(key));
        }
        begins_with(key, &self.shared).then(|| head_behind(key, self.shared.len()))
    }

    /// Lets the shared beginning be no longer than that of this key. All heads are to be made anew.
    pub(super) fn admit(&mut self, key: &[u8]) {
        self.shared.truncate(shared_prefix(&self.shared, key));
    }

    /// Takes the beginning that all of these keys share. All heads are to be made anew.
    pub(super) fn fit<'a>(&mut self, mut keys: impl Iterator<Item = &'a [u8]>) {
        self.ties.set(0);
        self.patience = TIES_PER_SOURCE;
        self.shared.clear();
        self.shared.extend_from_slice(keys.next().unwrap_or_default());
        for key in keys {
            self.admit(key);
            self.patience += TIES_PER_SOURCE;
        }
    }

    /// Two heads were equal.
    #[inline]
    pub(super) fn tied(&self) {
        self.ties.set(self.ties.get() + 1);
    }

    /// Whether another beginning may save ties.
    #[inline]
    pub(super) fn is_worn(&self) -> bool {
        self.ties.get() >= self.patience
    }
}

/// The head of the key behind its first `shared` bytes.
#[inline]
fn head_behind(key: &[u8], shared: usize) -> u64 {
    let rest = &key[shared..];
    match key.last_chunk::<8>() {
        // Short rests are the end of a word.
        Some(last) if rest.len() < 8 => {
            u64::from_le_bytes(*last).swap_bytes().checked_shl(64 - 8 * rest.len() as u32).unwrap_or(0)
        }
        _ => bytewise_head(rest),
    }
}

/// As `starts_with`, which calls a function to compare: here the one is short, and the answer is yes.
#[inline]
fn begins_with(key: &[u8], beginning: &[u8]) -> bool {
    let Some(key) = key.get(..beginning.len()) else { return false };
    match (ends(key), ends(beginning)) {
        (Some(ends), Some(expected)) => ends == expected && (key.len() <= 16 || key == beginning),
        _ => key.iter().zip(beginning).all(|(byte, expected)| byte == expected),
    }
}

/// The first eight bytes and the last: all that up to sixteen bytes have.
#[inline]
fn ends(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (bytes.first_chunk::<8>()?, bytes.last_chunk::<8>()?);
    Some((u64::from_le_bytes(*first), u64::from_le_bytes(*last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        let beginning = prop::sample::select(vec!["", "a", "abcdefgh", "abcdefghi", "abcdefghijklmnop", "abcdefghijklmnopqrs"]);
        (beginning, prop::collection::vec(0_u8..3, 0..12)).prop_map(|(beginning, rest)| [beginning.as_bytes(), &rest].concat())
    }

    proptest! {
        #[test]
        fn heads_never_contradict_the_order(keys in prop::collection::vec(key(), 1..6), strangers in prop::collection::vec(key(), 0..3)) {
            let mut heads = Heads::new(KeyOrder::bytewise());
            heads.fit(keys.iter().map(Vec::as_slice));
            prop_assert!(keys.iter().all(|key| heads.of(key).is_some()));
            for stranger in &strangers {
                let is_known = heads.of(stranger).is_some();
                prop_assert_eq!(is_known, stranger.starts_with(&heads.shared));
                heads.admit(stranger);
                prop_assert!(is_known || heads.of(stranger).is_some());
            }
            let all: Vec<_> = keys.iter().chain(&strangers).map(|key| (key, heads.of(key).expect("admitted"))).collect();
            for (a, a_head) in &all {
                for (b, b_head) in &all {
                    prop_assert!(a > b || a_head <= b_head);
                }
            }
        }
    }
}
