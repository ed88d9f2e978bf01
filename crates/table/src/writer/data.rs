//! Data blocks on their way into the file, and the fence that is collected from them.

use super::{
    file::FrameFile,
    trial::{Trial, Verdict},
};
use crate::{
    block::{BlockBuilder, BlockSummary, DenseBlock, JumboBlock, Marks, RowParts},
    format::kinds,
    index::{BlockFlags, BlockPlace, FenceBuilder},
    options::TableOptions,
};
use sediment_base::{InternalKey, Kind, Result, SeqNo, limits};
use sediment_codec::{
    compress::{Dictionary, Method, Packer},
    seal::FrameHeader,
};
use std::sync::Arc;

/// What the fence keeps of a block beside its place.
#[derive(Debug)]
pub(super) struct BlockNote {
    pub(super) first_key: Vec<u8>,
    pub(super) first_version: (SeqNo, Kind),
    /// Whether it begins with further versions of the key that ended the one before.
    pub(super) continues: bool,
}

/// Compresses blocks and notes where they lie. Where a dictionary is to be found, the first ones wait until it is known.
///
/// What is compressed is the dense form; of a block that this makes too little shorter, the slotted one is stored, as it is.
#[derive(Debug)]
pub(super) struct DataBlocks {
    packer: Packer,
    marks: Marks,
    trial: Option<Trial>,
    dense: Vec<u8>,
    /// Memory that dense blocks are expanded with.
    key: Vec<u8>,
    fence: FenceBuilder,
    /// One that was compared with that of this table last, and whether it is the same.
    compared: Option<(Arc<Dictionary>, bool)>,
}

impl DataBlocks {
    pub(super) fn new(options: &TableOptions, marks: Marks) -> Self {
        let trial = match options.codec {
            Method::Zstd(level) => Trial::new(&options.dictionary, level),
            _ => None,
        };
        let packer = Packer::new(options.codec.clone(), None);
        let (dense, key) = (Vec::new(), Vec::new());
        Self { packer, marks, trial, dense, key, fence: FenceBuilder::default(), compared: None }
    }

    /// The dictionary of the table, if it is decided and there is one.
    pub(super) fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.packer.dictionary()
    }

    pub(super) fn fence(&self) -> &FenceBuilder {
        &self.fence
    }

    /// Memory of the buffers that matter.
    pub(super) fn memory_bytes(&self) -> usize {
        self.packer.memory_bytes() + self.dense.capacity() + self.trial.as_ref().map_or(0, Trial::memory_bytes)
    }

    /// Puts the block that is in the builder, which is empty then.
    pub(super) fn put(&mut self, file: &mut FrameFile, note: BlockNote, builder: &mut BlockBuilder) -> Result<()> {
        if *self.packer.method() == Method::None {
            return self.put_slotted(file, note, |out| Ok(builder.finish(out)));
        }
        if let Some(trial) = &mut self.trial {
            trial.hold(note, |out| builder.finish_dense(out));
            return self.decide(file, false);
        }
        let mut dense = std::mem::take(&mut self.dense);
        dense.clear();
        let summary = builder.finish_dense(&mut dense);
        let is_put = self.put_dense(file, note, summary, &dense);
        self.dense = dense;
        is_put
    }

    /// Puts a block of one large row.
    pub(super) fn put_jumbo(&mut self, file: &mut FrameFile, note: BlockNote, row: &RowParts<'_>) -> Result<()> {
        // Blocks keep their order, and one like this says nothing of what others have in common.
        self.decide(file, true)?;
        let offset = file.len();
        let mut payload = Vec::new();
        let rest = JumboBlock::encode(row, &mut payload);
        file.put_data(&mut self.packer, kinds::JUMBO, |out| out.extend_from_slice(&payload))?;
        for extent in rest.chunks(limits::EXTENT_BYTES_MAX) {
            file.put_data(&mut self.packer, kinds::EXTENT, |out| out.extend_from_slice(extent))?;
        }
        let summary = BlockSummary::empty().with(row.key.seqno, row.key.kind, row.flags);
        self.add_to_fence(note, (offset, file.len()), summary, true);
        Ok(())
    }

    /// Whether it is decided which dictionary the table has, and it is this one.
    pub(super) fn has_dictionary(&mut self, dictionary: Option<&Arc<Dictionary>>) -> bool {
        match (self.packer.dictionary(), dictionary) {
            _ if self.trial.is_some() => false,
            (None, None) => true,
            (Some(own), Some(other)) => {
                let compared = self.compared.take().filter(|(compared, _)| Arc::ptr_eq(compared, other));
                let (_, is_same) =
                    self.compared.insert(compared.unwrap_or_else(|| (Arc::clone(other), own.bytes() == other.bytes())));
                *is_same
            }
            _ => false,
        }
    }

    /// Puts a block that was stored in another file, as it was stored there.
    pub(super) fn carry(
        &mut self,
        file: &mut FrameFile,
        note: BlockNote,
        (header, stored): (&FrameHeader, &[u8]),
        summary: BlockSummary,
    ) -> Result<()> {
        let offset = file.len();
        file.put_packed(header.kind, (header.packed(), header.plain_len), stored)?;
        self.add_to_fence(note, (offset, file.len()), summary, false);
        Ok(())
    }

    /// Puts what still waits.
    pub(super) fn finish(&mut self, file: &mut FrameFile) -> Result<()> {
        self.decide(file, true)
    }

    /// Decides about the dictionary, if enough blocks wait or no more come.
    fn decide(&mut self, file: &mut FrameFile, is_last: bool) -> Result<()> {
        let Some(mut trial) = self.trial.take() else { return Ok(()) };
        match trial.judge(self.packer.method(), is_last)? {
            Verdict::Wait => {
                self.trial = Some(trial);
                return Ok(());
            }
            Verdict::Without => {}
            Verdict::With(dictionary) => self.packer = Packer::new(self.packer.method().clone(), Some(dictionary)),
        }
        let (dense, held) = trial.into_blocks();
        for (note, summary, range) in held {
            self.put_dense(file, note, summary, dense.get(range).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Puts a block compressed, or as it is where that pays too little.
    fn put_dense(&mut self, file: &mut FrameFile, note: BlockNote, summary: BlockSummary, dense: &[u8]) -> Result<()> {
        let block = DenseBlock::parse(dense)?;
        let offset = file.len();
        if let Some((packed, stored)) = self.packer.pack(dense, block.slotted_len())? {
            file.put_packed(kinds::DENSE, (packed, dense.len() as u32), stored)?;
            self.add_to_fence(note, (offset, file.len()), summary, false);
            return Ok(());
        }
        let (marks, mut key) = (self.marks, std::mem::take(&mut self.key));
        let is_put = self.put_slotted(file, note, |out| {
            let start = out.len();
            out.resize(start + block.slotted_len(), 0);
            block.expand(marks, &mut key, &mut out[start..]).map(|()| summary)
        });
        self.key = key;
        is_put
    }

    /// Puts a block of the bytes that `write` appends, as it is.
    fn put_slotted(
        &mut self,
        file: &mut FrameFile,
        note: BlockNote,
        write: impl FnOnce(&mut Vec<u8>) -> Result<BlockSummary>,
    ) -> Result<()> {
        let offset = file.len();
        let summary = file.put_data(&mut Packer::default(), kinds::SLOTTED, write)??;
        self.add_to_fence(note, (offset, file.len()), summary, false);
        Ok(())
    }

    fn add_to_fence(&mut self, note: BlockNote, (offset, end): (u64, u64), summary: BlockSummary, is_jumbo: bool) {
        let BlockNote { first_key, first_version: (seqno, kind), continues } = note;
        let place = BlockPlace {
            offset,
            bytes: end - offset,
            min_seqno: summary.min_seqno,
            max_seqno: summary.max_seqno,
            flags: BlockFlags::of(summary, continues, is_jumbo),
            global_seqno: 0,
        };
        self.fence.add(InternalKey::new(&first_key, seqno, kind), place);
    }
}
