//! A table as text.
//!
//! Needs no comparator: rows are printed as they lie. A damaged block is one line; the others are printed all the same.

use crate::{
    block::Block,
    context::TableContext,
    format::RegionEntry,
    index::{BlockPlace, Fence},
    reader::{Opener, Tail, load_block},
    removed_block::RemovedRuns,
};
use sediment_base::{Error, ErrorKind, RangeTombstone, Result, RowFlags};
use sediment_codec::seal::Region;
use sediment_env::File;
use std::{
    fmt::{self, Write},
    path::Path,
};

/// Bytes of a key or value that are printed.
const SHOWN_BYTES: usize = 64;

/// Prints the table at `path`: header, regions, properties, blocks, rows.
pub fn dump_table(context: &TableContext, path: &Path, out: &mut dyn Write) -> Result<()> {
    let file = context.fs.open(path)?;
    let tail = Tail::read(context.cache.pool(), &*file, None).map_err(|error| error.in_file(path))?;
    let properties = tail.properties().map_err(|error| error.in_file(path))?;
    let fence = tail.fence(&*file, &properties).map_err(|error| error.in_file(path))?;
    let written = write_head(path, &tail, out)
        .and_then(|()| writeln!(out, "properties\n{properties}{} rows in {} blocks", properties.rows, fence.blocks()))
        .and_then(|()| write_ranges(&tail, out))
        .and_then(|()| write_removed_runs(&tail, out))
        .and_then(|()| match tail.unpacker(context, &properties) {
            Ok(unpacker) => {
                let opener = Opener::new(tail.seal(), unpacker, &properties, &context.order);
                write_blocks(context, &*file, &opener, &fence, out)
            }
            Err(error) => writeln!(out, "its rows cannot be read: {error}"),
        });
    written.map_err(|_| Error::new(ErrorKind::Io, "cannot write the dump"))
}

fn write_head(path: &Path, tail: &Tail, out: &mut dyn Write) -> fmt::Result {
    let header = &tail.header;
    writeln!(out, "table {} in {}, {} bytes", header.file_id, path.display(), tail.file_bytes)?;
    writeln!(out, "  uuid {} of database {}", header.uuid, header.db_uuid)?;
    writeln!(out, "  content root {:016x} over {} frames, footer at {}", tail.footer.root, tail.footer.frames, tail.body_len)?;
    tail.footer.regions.iter().try_for_each(|region| write_region(region, out))
}

fn write_region(region: &RegionEntry, out: &mut dyn Write) -> fmt::Result {
    let name = Region::from_tag(region.id).map_or_else(|| format!("{}", region.id), |known| format!("{known:?}"));
    let RegionEntry { kind, offset, bytes, frames, plain_bytes, .. } = region;
    writeln!(out, "  region {name} of kind {kind} at {offset}, {bytes} bytes, {frames} frames, {plain_bytes} bytes of content")
}

fn write_ranges(tail: &Tail, out: &mut dyn Write) -> fmt::Result {
    match tail.raw_range_tombstones() {
        Ok(ranges) => ranges.iter().try_for_each(|RangeTombstone { start, end, seqno }| {
            writeln!(out, "  {}..{}@{seqno} RangeTombstone", Shown(start), Shown(end))
        }),
        Err(error) => writeln!(out, "  damaged: {error}"),
    }
}

fn write_removed_runs(tail: &Tail, out: &mut dyn Write) -> fmt::Result {
    match tail.raw_removed_runs() {
        Ok(RemovedRuns { seqno, runs }) => runs.iter().try_for_each(|(start, end)| {
            writeln!(out, "  {}..{} removed for who reads above {seqno}", Shown(start), Shown(end))
        }),
        Err(error) => writeln!(out, "  damaged: {error}"),
    }
}

fn write_blocks(context: &TableContext, file: &dyn File, opener: &Opener, fence: &Fence, out: &mut dyn Write) -> fmt::Result {
    for number in 0..fence.blocks() {
        let place = fence.place(number);
        let BlockPlace { offset, bytes, min_seqno, max_seqno, flags, .. } = place;
        writeln!(out, "block {number} at {offset}, {bytes} bytes, seqnos {min_seqno}..={max_seqno}, {flags}")?;
        match load_block(context.cache.pool(), file, opener, place) {
            Ok(block) => write_rows(Block::of(&block), out)?,
            Err(error) => writeln!(out, "  damaged: {error}")?,
        }
    }
    Ok(())
}

fn write_rows(block: Block<'_>, out: &mut dyn Write) -> fmt::Result {
    for row in 0..block.rows() {
        let head = block.head(row);
        let key = [block.prefix(), block.suffix(row)].concat();
        let mark = if head.flags.contains(RowFlags::OBSOLETE) { " obsolete" } else { "" };
        writeln!(out, "  {}@{} {:?}{mark} {}", Shown(&key), head.seqno, head.kind, Shown(block.value(row)))?;
    }
    Ok(())
}

/// Bytes as text, long ones cut.
struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(SHOWN_BYTES)];
        write!(f, "{}", shown.escape_ascii())?;
        if shown.len() < self.0.len() { write!(f, "... ({} bytes)", self.0.len()) } else { Ok(()) }
    }
}
