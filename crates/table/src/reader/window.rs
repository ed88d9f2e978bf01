//! Read-ahead: blocks that a scan will want next come with the one it wants now.
//!
//! The first block of a walk is read alone. Each block that follows its neighbour doubles what the next call of the system asks for, up to a
//! limit, so that a long walk costs few calls and a short one reads little too much. One caller at a time.

use super::load::read_fully;
use crate::index::BlockPlace;
use sediment_base::{Result, Stats, budget::Charge, stats::Counter};
use sediment_env::File;
use std::{ops::Range, sync::Arc};

/// Bytes of a file, read before they are asked for. Not yet verified.
#[derive(Debug)]
pub(crate) struct Window {
    offset: u64,
    bytes: Vec<u8>,
    ahead_bytes: u64,
    limit_bytes: u64,
    read_bytes: u64,
    /// Holds what `bytes` takes.
    charge: Option<Charge>,
    wake: Option<Wake>,
}

/// What a walk leaves behind: bytes that the system need not keep in memory. Blocks that lay in the cache may be among them, where they were
/// read ahead with others.
#[derive(Debug)]
pub(crate) struct Wake {
    file: Arc<dyn File>,
    stats: Arc<Stats>,
    /// What was read last.
    read: Range<u64>,
    /// What was left, and not yet told.
    left: Range<u64>,
    /// Where what was told ends.
    told_until: u64,
}

/// What the system keeps or lets go at a time.
const PAGE_BYTES: u64 = 4096;
/// How much is told at once, but for the last of a table.
const TOLD_BYTES: u64 = 256 << 10;

impl Wake {
    /// Nothing yet.
    pub(crate) fn new(file: Arc<dyn File>, stats: Arc<Stats>) -> Self {
        Self { file, stats, read: 0..0, left: 0..0, told_until: 0 }
    }

    /// The walk has read this, and is done with what it had read before, but for what it still holds: the part of a block.
    fn advance(&mut self, read: Range<u64>) {
        let held = if read.is_empty() { u64::MAX } else { read.start };
        let Range { start, end } = std::mem::replace(&mut self.read, read);
        let end = if held < start { end } else { end.min(held) };
        if self.left.end != start {
            self.tell();
            self.left = start..end;
        }
        self.left.end = end;
        if end - self.left.start >= TOLD_BYTES {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let Range { start, end } = self.left;
        if start < end {
            // A page that was left in two parts goes with the second.
            let from = if start == self.told_until { start - start % PAGE_BYTES } else { start };
            self.file.evict(from, end - from);
            self.stats.add(Counter::CompactionBytesEvicted, end - start);
            self.told_until = end;
        }
        self.left = end..end;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.advance(0..0);
        self.tell();
    }
}

impl Window {
    /// An empty one, for a walk that reads up to `limit_bytes` at once. Its memory is held by `charge`, if there is one.
    pub(crate) fn new(limit_bytes: u64, charge: Option<Charge>) -> Self {
        Self { offset: 0, bytes: Vec::new(), ahead_bytes: 0, limit_bytes, read_bytes: 0, charge, wake: None }
    }

    /// The same, that leaves this behind.
    #[must_use]
    pub(crate) fn leaving(self, wake: Wake) -> Self {
        Self { wake: Some(wake), ..self }
    }

    /// Bytes read so far.
    pub(super) fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// The bytes of one block of the data that ends at `data_end`.
    pub(super) fn block(&mut self, file: &dyn File, place: BlockPlace, data_end: u64) -> Result<&[u8]> {
        let end = place.offset + place.bytes;
        let held_end = self.offset + self.bytes.len() as u64;
        if place.offset < self.offset || end > held_end {
            // What is read ahead ends where it may, mostly in a block.
            let follows = !self.bytes.is_empty() && (self.offset..=held_end).contains(&place.offset);
            self.ahead_bytes = if follows { (self.ahead_bytes.max(place.bytes) * 2).min(self.limit_bytes) } else { 0 };
            let wanted = place.bytes.max(self.ahead_bytes).min(data_end - place.offset);
            if self.fill(file, place.offset, wanted).is_err() {
                // What was read ahead may be what failed.
                self.ahead_bytes = 0;
                self.fill(file, place.offset, place.bytes)?;
            }
        }
        let at = (place.offset - self.offset) as usize;
        Ok(&self.bytes[at..at + place.bytes as usize])
    }

    /// Holds these bytes, of which those that it has already are not read again.
    fn fill(&mut self, file: &dyn File, offset: u64, bytes: u64) -> Result<()> {
        let passed = offset.checked_sub(self.offset).map_or(usize::MAX, |passed| passed as usize);
        let held = self.bytes.len().saturating_sub(passed).min(bytes as usize);
        if held > 0 {
            self.bytes.copy_within(passed..passed + held, 0);
        }
        self.offset = offset;
        self.bytes.resize(bytes as usize, 0);
        self.read_bytes += bytes - held as u64;
        if let Some(charge) = &self.charge {
            charge.grow_to(self.bytes.capacity() as u64);
        }
        let read = read_fully(file, offset + held as u64, &mut self.bytes[held..]);
        if read.is_err() {
            self.bytes.clear();
        } else if let Some(wake) = &mut self.wake {
            wake.advance(offset..offset + bytes);
        }
        read
    }
}
