//! The rows of a part, and what a batch asks for and sees of them.

use super::Parts;
use crate::{
    failure::{Failure, Result},
    generator::{KeyMaker, Permutation, Random, Tally, Values, first_word},
};
use sediment_base::Slice;
use sediment_table::{RowHead, TakeRow};
use std::ops::Range;

/// Operations of a batch.
pub(super) const BATCH: u64 = 1000;

/// So many rows: keys by their indexes, with their values.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) count: u64,
    pub(super) values: Values,
    keys: KeyMaker,
    key_bytes: usize,
}

impl Rows {
    /// Of the shape that the settings say.
    pub(super) fn new(parts: &Parts, count: u64) -> Self {
        let settings = &parts.settings;
        Self {
            count,
            values: Values::new(settings.value_bytes(), settings.seed),
            keys: KeyMaker::new(&settings.key_prefix, settings.key_size),
            key_bytes: settings.key_size,
        }
    }

    /// The key and the value of an index.
    pub(super) fn row(&mut self, index: u64) -> (&[u8], &[u8]) {
        (self.keys.present(index), self.values.of(index))
    }

    /// Notes a row of a walk that must have come to this index.
    pub(super) fn check_row(&self, index: u64, key: &[u8], value: &[u8], tally: &mut Tally) -> Result<()> {
        match self.keys.index_of(key) {
            Some(found) if found == index => tally.saw(&self.values, index, value),
            found => return Err(Failure::Wrong(format!("a scan came to key {found:?} instead of {index}"))),
        }
        Ok(())
    }

    /// Reads all with `get` and compares every byte.
    pub(super) fn check_all(&mut self, mut get: impl FnMut(&[u8]) -> Result<Option<Slice>>) -> Result<()> {
        let mut tally = Tally::default();
        for index in 0..self.count {
            match get(self.keys.present(index))? {
                Some(value) => tally.saw(&self.values, index, &value),
                None => return Err(absent()),
            }
        }
        tally.check().map(|_| ())
    }

    /// What is seen of the values of these rows, in their order.
    pub(super) fn seen(&self, indexes: &[u64]) -> Seen {
        let mut seen = Seen::default();
        indexes.iter().for_each(|index| seen.see(self.values.of(*index)));
        seen
    }

    /// What is seen of their keys and values.
    pub(super) fn seen_whole(&mut self, indexes: Range<u64>) -> Seen {
        let mut seen = Seen::default();
        for index in indexes {
            let (key, value) = self.row(index);
            seen.see(key);
            seen.see(value);
        }
        seen
    }

    /// The batch of these rows.
    pub(super) fn batch(&mut self, indexes: impl IntoIterator<Item = u64>) -> Batch {
        self.batch_of(indexes, |keys, index| keys.present(index))
    }

    /// Gives all rows to `put`, a batch at a time, in the random order of this seed, with how many came before.
    pub(super) fn shuffled(&mut self, seed: u64, mut put: impl FnMut(&Batch, &Self, u64) -> Result<()>) -> Result<()> {
        let order = Permutation::new(self.count, seed);
        for first in (0..self.count).step_by(BATCH as usize) {
            let batch = self.batch((first..self.count.min(first + BATCH)).map(|position| order.at(position)));
            put(&batch, self, first)?;
        }
        Ok(())
    }

    /// A batch of rows drawn at random.
    pub(super) fn draw(&mut self, random: &mut Random) -> Batch {
        let count = self.count;
        self.batch((0..BATCH).map(|_| random.below(count)))
    }

    /// A batch of keys that are not there, each behind one drawn at random.
    pub(super) fn draw_absent(&mut self, random: &mut Random) -> Batch {
        let count = self.count;
        self.batch_of((0..BATCH).map(|_| random.below(count)), |keys, index| keys.absent(index))
    }

    fn batch_of(&mut self, indexes: impl IntoIterator<Item = u64>, key: fn(&mut KeyMaker, u64) -> &[u8]) -> Batch {
        let indexes: Vec<u64> = indexes.into_iter().collect();
        let mut keys = Vec::with_capacity(indexes.len() * self.key_bytes);
        indexes.iter().for_each(|index| keys.extend_from_slice(key(&mut self.keys, *index)));
        Batch { indexes, keys, key_bytes: self.key_bytes }
    }
}

/// Keys that one batch is of, made before the clock starts.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) indexes: Vec<u64>,
    /// One behind the other.
    keys: Vec<u8>,
    key_bytes: usize,
}

impl Batch {
    /// Its keys.
    #[inline]
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.chunks_exact(self.key_bytes)
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.indexes.len() as u64
    }
}

/// Values seen, or keys and values, folded into one number that depends on their order: the length and the first eight bytes of each, as little as it takes
/// to have been there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(u64);

impl Seen {
    /// Folds one in.
    #[inline]
    pub(super) fn see(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(7) ^ first_word(bytes).wrapping_add(bytes.len() as u64);
    }

    /// An error unless the same was seen.
    pub(super) fn check(self, expected: Self) -> Result<()> {
        if self == expected {
            return Ok(());
        }
        Err(Failure::Wrong("a batch did not read the values that were written".to_owned()))
    }
}

impl TakeRow for Seen {
    #[inline]
    fn take(&mut self, _row: RowHead, value: &[u8]) {
        self.see(value);
    }

    #[inline]
    fn take_shared(&mut self, _row: RowHead, value: Slice) {
        self.see(&value);
    }
}

/// A key that must be there is not.
#[cold]
pub(super) fn absent() -> Failure {
    Failure::Wrong("a key is absent that was written".to_owned())
}

/// A key that must not be there is.
#[cold]
pub(super) fn present() -> Failure {
    Failure::Wrong("a key is there that nobody wrote".to_owned())
}
