//! Manifests and `CURRENT` as text.

use crate::version::{Edit, RecordPlace, decode_edit, open_payload, read_whole};
use sediment_base::{Error, ErrorKind, Result};
use sediment_codec::{
    current::Current,
    frame::{RecordReader, Step, torn_tail},
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use sediment_env::Fs;
use sediment_table::{RangeCounts, RemovedCounts};
use std::{fmt, fmt::Write, path::Path};

/// Prints a manifest: its header, then every record with its place. Damage is printed where it lies.
pub fn dump_manifest(fs: &dyn Fs, path: &Path, out: &mut dyn Write) -> Result<()> {
    let bytes = read_whole(fs, path)?;
    let mut text = String::new();
    print_manifest(&bytes, &mut text).map_err(|error| error.in_file(path))?;
    put(out, format_args!("{text}"))
}

/// Prints a tree's `CURRENT`.
pub fn dump_current(fs: &dyn Fs, path: &Path, out: &mut dyn Write) -> Result<()> {
    let (header, current) = Current::decode(&read_whole(fs, path)?, FileKind::Manifest).map_err(|error| error.in_file(path))?;
    put(out, format_args!("current of database {}\n", header.db_uuid))?;
    put(out, format_args!("generation {} manifest {} root {:016x}\n", current.generation, current.uuid, current.root))
}

fn print_manifest(bytes: &[u8], out: &mut String) -> Result<()> {
    let header = FileHeader::decode(bytes)?;
    header.expect(FileKind::Manifest)?;
    put(out, format_args!("manifest generation {} {} of database {}\n", header.generation, header.uuid, header.db_uuid))?;
    let mut reader = RecordReader::new(header.uuid, 0, bytes, HEADER_BYTES as u64);
    loop {
        match reader.next() {
            Step::Record { record, payload, start, end } => {
                put(out, format_args!("{start}..{end} record of kind {}\n", record.kind))?;
                let place = RecordPlace { uuid: header.uuid, kind: record.kind, offset: start };
                match open_payload(place, payload).and_then(|(fields, root)| Ok((decode_edit(fields)?, root))) {
                    Ok((edit, root)) => print_edit(&edit, root, out)?,
                    Err(error) => put(out, format_args!("  {error}\n"))?,
                }
            }
            Step::End { offset } => return put(out, format_args!("{offset} end\n")),
            Step::Damage { offset, error } => {
                put(out, format_args!("{offset} damage: {error}\n"))?;
                return match torn_tail(&reader, offset, error) {
                    Ok(end) => put(out, format_args!("{end} end: a torn tail, as a crash leaves it\n")),
                    Err(error) => put(out, format_args!("{error}\n")),
                };
            }
        }
    }
}

fn print_edit(edit: &Edit, root: u64, out: &mut String) -> Result<()> {
    let Edit { identity, removed, outdated_runs, added, mark, covered, history, highest_seqno, operator, next_table } = edit;
    put(out, format_args!("  root {root:016x}\n"))?;
    if let Some(identity) = identity {
        let (order, seed, version) = (&identity.order, identity.hash_seed, identity.hash_version);
        put(out, format_args!("  order {order:?}, key hash version {version} seed {seed:016x}\n"))?;
    }
    for id in removed {
        put(out, format_args!("  - table {id}\n"))?;
    }
    for id in outdated_runs {
        put(out, format_args!("  runs of removed keys of table {id} hold no more\n"))?;
    }
    for added in added {
        let meta = &added.meta;
        put(
            out,
            format_args!(
                "  + table {} level {} run {}: {:?}..{:?}",
                meta.id, added.level, added.run, meta.range.min, meta.range.max
            ),
        )?;
        put(out, format_args!(", {} rows, {} tombstones, {} bytes", meta.rows, meta.tombstones, meta.file_bytes))?;
        put(out, format_args!(", seqno {}..={}, root {:016x}\n", meta.min_seqno, meta.max_seqno, meta.root))?;
        if meta.ranges.count > 0 {
            let RangeCounts { count, min_seqno, max_seqno } = meta.ranges;
            let end = if meta.range.is_open { "outside" } else { "inside" };
            put(out, format_args!("    {count} range tombstones, seqno {min_seqno}..={max_seqno}, the last key {end}\n"))?;
        }
        if meta.removed.count > 0 {
            let RemovedCounts { count, seqno } = meta.removed;
            put(out, format_args!("    {count} runs of removed keys for who reads above seqno {seqno}\n"))?;
        }
    }
    let numbers =
        [("mark", *mark), ("covered", *covered), ("highest seqno", *highest_seqno), ("next table", next_table.map(|id| id.0))];
    for (name, number) in numbers {
        if let Some(number) = number {
            put(out, format_args!("  {name} {number}\n"))?;
        }
    }
    if let Some(operator) = operator {
        put(out, format_args!("  merge operator {operator:?}\n"))?;
    }
    if let Some(history) = history {
        put(out, format_args!("  history from {}, for pins from {}\n", history.floor, history.oldest))?;
    }
    Ok(())
}

fn put(out: &mut dyn Write, text: fmt::Arguments<'_>) -> Result<()> {
    out.write_fmt(text).map_err(|error| Error::new(ErrorKind::Io, "cannot print").with_source(error))
}
