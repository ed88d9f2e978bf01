//! Keys and values, which order they are asked for in, and what must come out.
//!
//! A loop that verified each answer would measure itself. So a loop folds eight bytes and the length of what it reads into one
//! number, and afterwards the same fold over what should have been read must give the same number. The order of keys is drawn
//! beforehand, too. What is left in the loop is measured with the engine `null`.

use crate::settings::{Compression, Settings};
use anyhow::{Result, ensure};
use sediment_bench::generator::{Draws, KeyMaker, Permutation, Random, Values, Zipf, json};

/// How many draws there are before they begin anew: four MiB of them, read in order.
pub(crate) const DRAWS: u64 = 1 << 20;
const WORD_BYTES: usize = 8;

/// All keys with their values.
pub(crate) struct Rows {
    pub(crate) keys: u64,
    pub(crate) seed: u64,
    prefix: String,
    key_size: usize,
    values: Values,
}

impl Rows {
    /// Of these settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let least = KeyMaker::min_size(&settings.key_prefix);
        ensure!(settings.key_size >= least, "keys need at least {least} bytes");
        Ok(Self {
            keys: settings.keys,
            seed: settings.seed,
            prefix: settings.key_prefix.clone(),
            key_size: settings.key_size,
            values: match settings.compression {
                _ if settings.json_values => {
                    ensure!(settings.value_size >= json::BYTES_MIN, "rows of JSON have at least {} bytes", json::BYTES_MIN);
                    Values::json(settings.value_size, settings.seed)
                }
                Compression::None => Values::new(settings.value_size, settings.seed),
                Compression::Lz4 => Values::repeating(settings.value_size, settings.seed),
            },
        })
    }

    /// Something that makes keys in place.
    pub(crate) fn key_maker(&self) -> KeyMaker {
        KeyMaker::new(&self.prefix, self.key_size)
    }

    /// The value of an index.
    #[inline]
    pub(crate) fn value(&self, index: u64) -> &[u8] {
        self.values.of(index)
    }

    /// The value of an index after it was overwritten.
    #[inline]
    pub(crate) fn new_value(&self, index: u64) -> &[u8] {
        self.values.of(!index)
    }

    /// Bytes of a key and its value.
    pub(crate) fn row_bytes(&self) -> u64 {
        (self.key_size + self.value(0).len()) as u64
    }

    /// Bytes of a key.
    pub(crate) fn key_size(&self) -> usize {
        self.key_size
    }

    /// Every index once, in random order.
    pub(crate) fn shuffled(&self) -> Vec<u32> {
        let order = Permutation::new(self.keys, self.seed);
        (0..self.keys).map(|position| order.at(position) as u32).collect()
    }

    /// Draws indexes with equal chances, for a thread.
    pub(crate) fn draws(&self, thread: u64) -> Draws {
        Draws::new(self.keys, None, Random::of_thread(self.seed, thread))
    }

    /// The first of these.
    pub(crate) fn drawn(&self, thread: u64) -> Vec<u32> {
        let mut draws = self.draws(thread);
        (0..DRAWS).map(|_| draws.draw() as u32).collect()
    }

    /// A few indexes drawn very often.
    pub(crate) fn popular(&self, thread: u64, count: u64) -> Vec<u32> {
        let mut draws = Draws::new(self.keys, Some(Zipf::new(self.keys)), Random::of_thread(self.seed, thread));
        (0..count).map(|_| draws.draw() as u32).collect()
    }
}

/// Of all that was read, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    rows: u64,
    fold: u64,
}

impl Digest {
    /// A value was read.
    #[inline]
    pub(crate) fn value(&mut self, value: &[u8]) {
        self.rows += 1;
        self.fold = self.fold.rotate_left(1).wrapping_add(first_word(value) ^ value.len() as u64);
    }

    /// A row was read. The key counts by its last bytes but the filler, those of its number.
    #[inline]
    pub(crate) fn row(&mut self, number_at: usize, (key, value): (&[u8], &[u8])) {
        self.rows += 1;
        let number = first_word(key.get(number_at..).unwrap_or_default());
        self.fold = self.fold.rotate_left(1).wrapping_add(number ^ first_word(value) ^ value.len() as u64);
    }

    /// How many.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }
}

#[inline]
fn first_word(bytes: &[u8]) -> u64 {
    bytes.first_chunk::<WORD_BYTES>().map_or(0, |word| u64::from_le_bytes(*word))
}
