//! Reads every byte of a table and reports every fault.
//!
//! Bytes: both headers, every frame with its padding, the content root. Meaning (`check/rows.rs`): the order of rows, and that fence,
//! tags, heads, flags, filter and properties say of the rows what is true. Where the fence is damaged too, the frames are
//! still walked, each by the length of the one before.

mod rows;

use crate::{
    block::Block,
    context::TableContext,
    format::{RegionEntry, extend_root},
    index::BlockPlace,
    properties::{Properties, RemovedCounts, TableMeta},
    reader::{Opener, Parts, Tail, decode_block, read_fully},
};
use rows::RowCheck;
use sediment_base::{Error, RangeTombstones, Result};
use sediment_codec::{
    header::{FileHeader, HEADER_BYTES},
    seal::{FRAME_HEADER_BYTES, FrameHeader, Region, Seal},
};
use sediment_env::File;
use std::path::Path;

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// Data blocks read.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes among them that are padding.
    pub unused_bytes: u64,
    /// What is wrong, each with file and offset. Empty for a sound table.
    pub faults: Vec<Error>,
}

/// Reads every byte of the table at `path`; `meta` is what the manifest says of it. Fails only where the file cannot be opened
/// or the table is one that this version does not know: damage is in the report.
pub fn check_table(context: &TableContext, path: &Path, meta: Option<&TableMeta>) -> Result<CheckReport> {
    let file = context.fs.open(path)?;
    let bytes = file.len()?;
    let mut walk = Walk { file: &*file, path, report: CheckReport { bytes, ..CheckReport::default() }, root: 0, frames: 0 };
    let head = walk.head();
    match Tail::read(context.cache.pool(), &*file, meta.map(|meta| meta.file_bytes)) {
        Ok(tail) => walk.table(context, &tail, head.as_ref(), meta),
        Err(error) => {
            walk.fault(error);
            if let Some(head) = head {
                let seal = Seal { uuid: head.uuid };
                walk.frames(&seal, HEADER_BYTES as u64, bytes.saturating_sub(HEADER_BYTES as u64), None);
            }
        }
    }
    Ok(walk.report)
}

/// The state of one check.
struct Walk<'a> {
    file: &'a dyn File,
    path: &'a Path,
    report: CheckReport,
    /// Of the frames before the footer, as far as they were read.
    root: u64,
    frames: u32,
}

impl Walk<'_> {
    fn fault(&mut self, error: Error) {
        self.report.faults.push(error.in_file(self.path));
    }

    /// The header at the head.
    fn head(&mut self) -> Option<FileHeader> {
        let mut bytes = [0; HEADER_BYTES];
        match read_fully(self.file, 0, &mut bytes).and_then(|()| FileHeader::decode(&bytes)) {
            Ok(header) => Some(header),
            Err(error) => {
                self.fault(error.at(0));
                None
            }
        }
    }

    fn table(&mut self, context: &TableContext, tail: &Tail, head: Option<&FileHeader>, meta: Option<&TableMeta>) {
        if head.is_some_and(|head| *head != tail.header) {
            self.fault(Error::corruption("the headers at head and tail differ").at(0));
        }
        let before = self.report.faults.len();
        let parts = tail.properties().and_then(|properties| {
            let fence = tail.fence(self.file, &properties)?;
            let mut parts = Parts { properties, fence, filter: None, prefix_filter: None, locator: None, removed: None };
            if parts.fence.blocks() > 0 {
                parts.filter = tail.filter(self.file, Region::Filter)?;
                let prefixes = tail.filter(self.file, Region::PrefixFilter)?;
                parts.prefix_filter = prefixes.and_then(|filter| parts.properties.prefix_filter(filter, context));
            }
            parts.locator = tail.locator(self.file, &parts.properties)?;
            let ranges = tail.range_tombstones(&parts.properties, &context.order)?;
            let removed = tail.removed_runs(&parts.properties, &context.order)?;
            parts.removed = removed.map(|removed| removed.covers(&context.order));
            let unpacker = tail.unpacker(context, &parts.properties)?;
            let opener = Opener::new(tail.seal(), unpacker, &parts.properties, &context.order);
            Ok((parts, ranges, opener))
        });
        if let Ok((parts, ranges, opener)) = &parts
            && parts.fence.blocks() == 0
        {
            self.blocks(context, (tail, opener), parts, ranges);
        }
        for region in &tail.footer.regions {
            match &parts {
                Ok((parts, ranges, opener)) if region.id == Region::Data as u8 => {
                    self.blocks(context, (tail, opener), parts, ranges);
                }
                _ => self.frames(&tail.seal(), region.offset, region.end(), Some(region)),
            }
        }
        if self.report.faults.len() > before {
            return;
        }
        let found = (self.root, self.frames);
        if found != (tail.footer.root, tail.footer.frames) {
            let expected = format!("{:016x}", tail.footer.root);
            self.fault(
                Error::corruption("content root").at(tail.body_len).expected_found(expected, format!("{:016x}", self.root)),
            );
        }
        match parts {
            Ok((parts, ..)) => self.compare(tail, &parts.properties, meta),
            Err(error) => self.fault(error),
        }
    }

    fn compare(&mut self, tail: &Tail, properties: &Properties, meta: Option<&TableMeta>) {
        let mut found = properties.meta(&tail.header, tail.file_bytes, tail.footer.root);
        if meta.is_some_and(|meta| meta.removed.count == 0) {
            // What they said may have come to hold no longer; the file keeps them.
            found.removed = RemovedCounts::default();
        }
        if let Some(meta) = meta.filter(|meta| **meta != found) {
            let error = Error::corruption("the table is not the one in the manifest");
            self.fault(error.at(tail.body_len).expected_found(format!("{meta:?}"), format!("{found:?}")));
        }
    }

    /// Every block that the fence names.
    fn blocks(&mut self, context: &TableContext, (tail, opener): (&Tail, &Opener), parts: &Parts, ranges: &RangeTombstones) {
        let Parts { properties, fence, .. } = parts;
        if properties.comparator != context.order.name() {
            let error = Error::invalid_input("the table is sorted by another comparator");
            self.fault(error.expected_found(context.order.name(), &properties.comparator).at(tail.body_len));
            return;
        }
        let mut check = RowCheck::new(&context.order, parts);
        let mut is_whole = true;
        for number in 0..fence.blocks() {
            let place = fence.place(number);
            let checked = self.block(&opener.seal, place).and_then(|bytes| {
                let block = decode_block(context.cache.pool(), opener, place, &bytes)?;
                let block = Block::of(&block);
                self.report.blocks += 1;
                self.report.rows += block.rows() as u64;
                check.block(number, block).map_err(|error| error.at(place.offset))
            });
            if let Err(error) = checked {
                is_whole = false;
                check.forget();
                self.fault(error);
            }
        }
        if is_whole && let Err(error) = check.finish(ranges) {
            self.fault(error.at(tail.body_len));
        }
    }

    /// The bytes of one block, its frames counted into the root.
    fn block(&mut self, seal: &Seal, place: BlockPlace) -> Result<Vec<u8>> {
        let mut bytes = vec![0; place.bytes as usize];
        read_fully(self.file, place.offset, &mut bytes)?;
        let mut at = 0;
        while at < bytes.len() {
            let (header, _) = seal.verify(place.offset + at as u64, &bytes[at..])?;
            self.count(&header);
            at += header.frame_bytes() as usize;
        }
        Ok(bytes)
    }

    /// The frames from `offset` to `end`, each found by the length of the one before. A frame that is damaged ends the walk.
    fn frames(&mut self, seal: &Seal, mut offset: u64, end: u64, region: Option<&RegionEntry>) {
        let mut ordinal = 0;
        while offset < end {
            match self.frame(seal, offset, end) {
                Ok(header) => {
                    let expected = region.map(|region| (region.id, ordinal));
                    if expected.is_some_and(|expected| expected != (header.region, header.ordinal)) {
                        self.fault(Error::corruption("a block of another region").at(offset));
                    }
                    self.count(&header);
                    offset += header.frame_bytes();
                    ordinal += 1;
                }
                Err(error) => return self.fault(error),
            }
        }
        if region.is_some_and(|region| region.frames != ordinal) {
            self.fault(Error::corruption("number of blocks in a region").at(end));
        }
    }

    fn frame(&self, seal: &Seal, offset: u64, end: u64) -> Result<FrameHeader> {
        let mut head = [0; FRAME_HEADER_BYTES];
        read_fully(self.file, offset, &mut head)?;
        let peeked = Seal::peek(&head).map_err(|error| error.at(offset))?;
        if peeked.frame_bytes() > end - offset {
            return Err(Error::corruption("a block is longer than its region").at(offset));
        }
        let mut bytes = vec![0; peeked.frame_bytes() as usize];
        read_fully(self.file, offset, &mut bytes)?;
        Ok(seal.verify(offset, &bytes)?.0)
    }

    fn count(&mut self, header: &FrameHeader) {
        self.root = extend_root(self.root, header.checksum);
        self.frames += 1;
        self.report.unused_bytes += header.frame_bytes() - FRAME_HEADER_BYTES as u64 - u64::from(header.stored_len);
    }
}
