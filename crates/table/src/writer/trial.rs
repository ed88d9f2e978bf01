//! Which dictionary a table gets, if any: the first blocks wait, and tell.
//!
//! One that is known, from the caller or from a table written before, is tried on few blocks; where there is none that pays, one is
//! trained from many. A dictionary lies in the table itself, so it pays where it saves more than it takes: it must save twice as
//! much, by what it does to blocks that it was not trained from.

use super::data::BlockNote;
use crate::{
    block::{BlockSummary, DenseBlock},
    options::DictionaryOptions,
};
use sediment_base::Result;
use sediment_codec::{
    compress::{Dictionary, Method, Packer, ZstdLevel},
    seal::{FRAME_ALIGN, FRAME_HEADER_BYTES},
};
use std::{ops::Range, sync::Arc};

/// Bytes of blocks, as they are compressed, that a dictionary is trained from, for each of its own.
const SAMPLE_RATIO: usize = 64;
/// Such bytes that one is tried on, for each of its own, and the largest part of a table that it may be.
const TRIED_RATIO: usize = 16;
/// One block of so many is kept out of the training, and tried.
const KEPT_OUT: usize = 8;

/// Blocks that wait.
#[derive(Debug)]
pub(super) struct Trial {
    known: Option<Arc<Dictionary>>,
    bytes_max: usize,
    table_bytes: u64,
    level: ZstdLevel,
    /// Dense blocks, as they are compressed.
    dense: Vec<u8>,
    held: Vec<Held>,
}

/// A block, and where its bytes are.
pub(super) type Held = (BlockNote, BlockSummary, Range<usize>);

/// What is to be done.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Hold more blocks.
    Wait,
    /// Write them without a dictionary.
    Without,
    /// Write them with this one.
    With(Arc<Dictionary>),
}

impl Trial {
    /// `None` where there is nothing to try.
    pub(super) fn new(options: &DictionaryOptions, level: ZstdLevel) -> Option<Self> {
        let DictionaryOptions { bytes_max, known, table_bytes } = options.clone();
        let has_any = known.is_some() || bytes_max > 0;
        has_any.then(|| Self { known, bytes_max, table_bytes, level, dense: Vec::new(), held: Vec::new() })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.dense.capacity() + self.held.capacity() * size_of::<Held>()
    }

    /// Holds a block, whose dense form `write` appends.
    pub(super) fn hold(&mut self, note: BlockNote, write: impl FnOnce(&mut Vec<u8>) -> BlockSummary) {
        let start = self.dense.len();
        let summary = write(&mut self.dense);
        self.held.push((note, summary, start..self.dense.len()));
    }

    /// The blocks, in their order.
    pub(super) fn into_blocks(self) -> (Vec<u8>, Vec<Held>) {
        (self.dense, self.held)
    }

    /// Decides, if enough blocks wait, or no more come.
    pub(super) fn judge(&mut self, method: &Method, is_last: bool) -> Result<Verdict> {
        let enough = |bytes: usize| is_last || self.dense.len() as u64 >= (bytes as u64).min(self.table_bytes);
        if let Some(known) = self.known.take_if(|known| enough(known.bytes().len().saturating_mul(TRIED_RATIO)))
            && self.pays(&known, method, is_last)?
        {
            return Ok(Verdict::With(known));
        }
        if !enough(self.bytes_max.saturating_mul(SAMPLE_RATIO)) || self.known.is_some() {
            return Ok(Verdict::Wait);
        }
        match self.train(method)? {
            Some(trained) if self.pays(&trained, method, is_last)? => Ok(Verdict::With(trained)),
            _ => Ok(Verdict::Without),
        }
    }

    /// A dictionary from all blocks but those to try it on; `None` where they have nothing in common, or little that repeats.
    fn train(&self, method: &Method) -> Result<Option<Arc<Dictionary>>> {
        let bytes_max = self.bytes_max.min(self.dense.len() / TRIED_RATIO);
        let (tried, stored) = self.stored(&mut Packer::new(method.clone(), None))?;
        if bytes_max < *Dictionary::BYTES.start() || stored >= tried {
            return Ok(None);
        }
        let sampled = || self.held.iter().enumerate().filter(|(number, _)| number % KEPT_OUT > 0).map(|(_, block)| block);
        let samples: Vec<u8> = sampled().flat_map(|(_, _, range)| &self.dense[range.clone()]).copied().collect();
        let lens: Vec<usize> = sampled().map(|(_, _, range)| range.len()).collect();
        Ok(Dictionary::train(&samples, &lens, bytes_max, self.level).map(Arc::new))
    }

    /// Whether a table with this dictionary is smaller by at least as much again as the dictionary takes.
    fn pays(&self, dictionary: &Arc<Dictionary>, method: &Method, is_last: bool) -> Result<bool> {
        let (tried, without) = self.stored(&mut Packer::new(method.clone(), None))?;
        let (_, with) = self.stored(&mut Packer::new(method.clone(), Some(Arc::clone(dictionary))))?;
        // A table that goes on becomes as large as it may; it is compressed as what was tried.
        let expected = if is_last { self.dense.len() as u64 } else { self.table_bytes.saturating_mul(tried) / with.max(1) };
        let saved = u128::from(without.saturating_sub(with)) * u128::from(expected) / u128::from(tried.max(1));
        Ok(saved >= 2 * dictionary.bytes().len() as u128)
    }

    /// Dense and stored bytes of the blocks to try on, both as frames: what is saved of one that becomes no shorter is nothing.
    fn stored(&self, packer: &mut Packer) -> Result<(u64, u64)> {
        let (mut tried, mut stored) = (0, 0);
        for (_, _, range) in self.held.iter().step_by(KEPT_OUT) {
            let dense = &self.dense[range.clone()];
            let as_it_is = DenseBlock::parse(dense)?.slotted_len();
            tried += frame_bytes(dense.len());
            stored += frame_bytes(packer.pack(dense, as_it_is)?.map_or(as_it_is, |(_, stored)| stored.len()));
        }
        Ok((tried, stored))
    }
}

/// What the frame of so many bytes takes.
fn frame_bytes(stored: usize) -> u64 {
    (FRAME_HEADER_BYTES + stored).next_multiple_of(FRAME_ALIGN) as u64
}
