//! Dictionaries of Zstandard: what blocks of one file have in common, so that none need say it again.
//!
//! They are trained from blocks by FastCOVER, the sampled form of the relative compression of Liao, Petri, Moffat and Wirth (2016), as
//! `structured-zstd` has it, with fixed parameters: the same blocks make the same dictionary.

use super::{ZstdLevel, zstd::DecoderDictionary};
use crate::checksum::crc32c;
use sediment_base::{Error, ErrorKind, Result, Slice, limits};
use std::{fmt, ops::RangeInclusive};
use structured_zstd::dictionary::{CoverOptions, FastCoverOptions, FinalizeOptions, train_fastcover_dict};

/// A dictionary, ready for use. Shared; immutable.
pub struct Dictionary {
    bytes: Slice,
    id: u32,
    prepared: DecoderDictionary,
}

/// Length of the segments that a dictionary is put together from, and of the strings that are counted to choose them.
const SEGMENT_BYTES: u32 = 256;
const COUNTED_BYTES: u32 = 8;
/// Counters of strings, as a power of two.
const COUNTERS_LOG: u32 = 16;
/// With fewer samples there is nothing in common to find.
const SAMPLES_MIN: usize = 8;

impl Dictionary {
    /// How long one may be: a shorter one holds less than its own tables.
    pub const BYTES: RangeInclusive<usize> = 256..=limits::DICTIONARY_BYTES_MAX;

    /// A dictionary in the format of RFC 8878, or any bytes that blocks are likely to repeat.
    ///
    /// # Errors
    /// `InvalidInput` if it is not as long as [`Dictionary::BYTES`] says, or claims the format and has it not.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Self::load(bytes.into()).map_err(|error| error.with_kind(ErrorKind::InvalidInput))
    }

    /// A dictionary that a file holds.
    ///
    /// # Errors
    /// `Corruption` as for [`Dictionary::new`].
    pub fn load(bytes: Slice) -> Result<Self> {
        if !Self::BYTES.contains(&bytes.len()) {
            let allowed = format!("{} to {}", Self::BYTES.start(), Self::BYTES.end());
            return Err(Error::corruption("length of a compression dictionary").expected_found(allowed, bytes.len()));
        }
        let prepared = DecoderDictionary::new(&bytes)?;
        Ok(Self { id: crc32c(0, &bytes).max(1), bytes, prepared })
    }

    /// A dictionary of at most `bytes_max` for blocks like these, which lie in `samples` one behind the other, `lens` long; `None` where
    /// they are too few to tell, or `bytes_max` is too small for anything.
    pub fn train(samples: &[u8], lens: &[usize], bytes_max: usize, level: ZstdLevel) -> Option<Self> {
        let bytes_max = bytes_max.min(*Self::BYTES.end());
        if lens.len() < SAMPLES_MIN || bytes_max < *Self::BYTES.start() {
            return None;
        }
        let cover = CoverOptions { k: SEGMENT_BYTES, d: COUNTED_BYTES, steps: 1, split_point: 1.0, shrink: None };
        let options = FastCoverOptions { cover, f: COUNTERS_LOG, accel: 1 };
        let finalize = FinalizeOptions { dict_id: None, level: i32::from(level.get()) };
        let trained = train_fastcover_dict(samples, lens, bytes_max, &options, finalize).ok()?;
        Self::new(&trained).ok()
    }

    /// Tells dictionaries apart in the blocks that used them; never 0.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What a file keeps of it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>().saturating_add(self.bytes.len()).saturating_add(self.prepared.memory_bytes())
    }

    pub(super) fn prepared(&self) -> &DecoderDictionary {
        &self.prepared
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({:08x}, {} bytes)", self.id, self.bytes.len())
    }
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Dictionary {}
