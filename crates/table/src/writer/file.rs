//! The file that a writer makes: frames one behind the other, regions of them, and the footer that lists these.

use crate::format::{Footer, RegionEntry, extend_root, kinds};
use sediment_base::{
    Result, Stats, limits,
    planted::{Bug, planted},
    stats::Counter,
};
use sediment_codec::{
    compress::{Packed, Packer},
    header::{FileHeader, HEADER_BYTES},
    seal::{FrameHeader, FrameId, Region, Seal},
};
use sediment_env::File;
use std::{ops::Range, sync::Arc};

/// How much is collected for one call of the system.
const WRITE_BYTES: usize = 1 << 20;

/// A file that grows by frames, and what its footer will say of it.
#[derive(Debug)]
pub(super) struct FrameFile {
    file: Arc<dyn File>,
    seal: Seal,
    /// Bytes that are not yet in the file.
    pending: Vec<u8>,
    written: u64,
    footer: Footer,
    region: RegionEntry,
    /// What the system need not keep in memory, once it is durable.
    cold: Vec<Range<u64>>,
    stats: Arc<Stats>,
}

impl FrameFile {
    pub(super) fn new(file: Arc<dyn File>, header: &FileHeader, stats: &Arc<Stats>) -> Self {
        let pending = header.encode().to_vec();
        let seal = Seal { uuid: header.uuid };
        let region = empty_region(HEADER_BYTES as u64);
        let (footer, cold, stats) = (Footer::default(), Vec::new(), Arc::clone(stats));
        Self { file, seal, pending, written: 0, footer, region, cold, stats }
    }

    /// Bytes that the file has by now, those not yet written out included.
    pub(super) fn len(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Memory of what is not yet written out.
    pub(super) fn pending_bytes(&self) -> usize {
        self.pending.capacity()
    }

    /// Puts a frame of data, of the bytes that `write` appends, compressed by `packer`.
    pub(super) fn put_data<T>(&mut self, packer: &mut Packer, kind: u8, write: impl FnOnce(&mut Vec<u8>) -> T) -> Result<T> {
        let written = self.put_frame(packer, Region::Data, kind, write)?;
        self.write_out(WRITE_BYTES)?;
        Ok(written)
    }

    fn put_frame<T>(
        &mut self,
        packer: &mut Packer,
        region: Region,
        kind: u8,
        write: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> Result<T> {
        let id = FrameId { region: region as u8, kind, ordinal: self.region.frames };
        let offset = self.len();
        let (header, written) = self.seal.seal_with(packer, id, offset, &mut self.pending, write)?;
        self.count_frame(&header);
        Ok(written)
    }

    /// Puts a frame of data, of bytes that were packed so from a plain block of that length.
    pub(super) fn put_packed(&mut self, kind: u8, packed: (Packed, u32), stored: &[u8]) -> Result<()> {
        let id = FrameId { region: Region::Data as u8, kind, ordinal: self.region.frames };
        let offset = self.len();
        let header = self.seal.seal_packed(packed, id, offset, stored, &mut self.pending)?;
        self.count_frame(&header);
        self.write_out(WRITE_BYTES)
    }

    fn count_frame(&mut self, header: &FrameHeader) {
        self.region.frames += 1;
        self.region.plain_bytes += u64::from(header.plain_len);
        self.footer.frames += 1;
        self.footer.root = extend_root(self.footer.root, header.checksum);
    }

    /// Puts a region that describes the data. It is read whole when the table is opened, and is to be ready at once: it is stored as it is.
    pub(super) fn put_region(&mut self, region: Region, kind: u8, content: &[u8]) -> Result<()> {
        self.put_region_of(region, kind, content.chunks(limits::EXTENT_BYTES_MAX))
    }

    /// The same with this in its frames.
    pub(super) fn put_region_of<'c>(&mut self, region: Region, kind: u8, frames: impl Iterator<Item = &'c [u8]>) -> Result<()> {
        for plain in frames {
            self.put_frame(&mut Packer::default(), region, kind, |out| out.extend_from_slice(plain))?;
            self.write_out(WRITE_BYTES)?;
        }
        self.end_region(region, kind);
        Ok(())
    }

    /// Ends the region whose frames were put last.
    pub(super) fn end_region(&mut self, region: Region, kind: u8) {
        let next = empty_region(self.len());
        let mut ended = std::mem::replace(&mut self.region, next);
        (ended.id, ended.kind) = (region as u8, kind);
        ended.bytes = self.len() - ended.offset;
        ended.is_required = !matches!(region, Region::Filter | Region::PrefixFilter | Region::Locator | Region::RemovedRuns);
        self.footer.regions.push(ended);
    }

    /// Once it is synced, the system need not keep these bytes in memory.
    pub(super) fn set_cold(&mut self, cold: Vec<Range<u64>>) {
        self.cold = cold;
    }

    /// Footer, tail, sync. Returns the content root and the length of the file.
    pub(super) fn finish(&mut self, header: &FileHeader) -> Result<(u64, u64)> {
        let body_len = self.len();
        let root = self.footer.root;
        let footer = self.footer.encode();
        self.put_frame(&mut Packer::default(), Region::Footer, kinds::FOOTER, |out| out.extend_from_slice(&footer))?;
        self.pending.extend_from_slice(&header.encode_tail(body_len));
        self.write_out(0)?;
        if !planted(Bug::SkipTableSync) {
            self.file.sync_all()?;
        }
        for Range { start, end } in self.cold.drain(..) {
            self.file.evict(start, end - start);
            self.stats.add(Counter::CompactionBytesEvicted, end - start);
        }
        Ok((root, self.written))
    }

    /// Writes what is pending, if it is more than `keep`.
    fn write_out(&mut self, keep: usize) -> Result<()> {
        if self.pending.len() > keep {
            self.file.write_at(self.written, &self.pending)?;
            self.written += self.pending.len() as u64;
            self.pending.clear();
        }
        Ok(())
    }
}

fn empty_region(offset: u64) -> RegionEntry {
    RegionEntry { id: 0, is_required: true, kind: 0, frames: 0, offset, bytes: 0, plain_bytes: 0 }
}
