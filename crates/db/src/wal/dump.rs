//! A log file as text.

use crate::wal::{
    files::read_birth,
    format::{BODY_START, Entry, OpKind, for_each_op},
};
use sediment_base::{Error, Kind, Result};
use sediment_codec::{
    frame::{Fragment, Record, RecordReader, Step, torn_tail},
    header::FileHeader,
};
use std::fmt::{self, Write};

/// Prints header and records, and what ends them.
pub(crate) fn dump_log(bytes: &[u8], out: &mut dyn Write) -> Result<()> {
    let header = FileHeader::decode(bytes)?;
    print(out, format_args!("log file {} {} of database {}", header.file_id, header.uuid, header.db_uuid))?;
    read_birth(bytes)?;
    let mut reader = RecordReader::new(header.uuid, header.generation.0 as u32, bytes, BODY_START);
    loop {
        match reader.next() {
            Step::Record { record, payload, start, .. } => dump_record(&record, payload, start, out)?,
            Step::End { offset } => return print(out, format_args!("{offset}: end")),
            Step::Damage { offset, error } => {
                print(out, format_args!("{offset}: {error}"))?;
                let end = torn_tail(&reader, offset, error)?;
                return print(out, format_args!("{end}: end, by the rule of a torn tail"));
            }
        }
    }
}

fn dump_record(record: &Record, payload: &[u8], start: u64, out: &mut dyn Write) -> Result<()> {
    let Record { seqno, count, synced_upto, fragment, .. } = record;
    let place = format!("{start}: seqno {seqno} count {count} synced up to {synced_upto}");
    if *fragment != Fragment::Whole {
        return print(out, format_args!("{place}: {fragment:?} part of a batch, {} bytes", payload.len()));
    }
    match Entry::decode(record, payload) {
        Ok(Entry::Batch) => {
            print(out, format_args!("{place}: batch"))?;
            for_each_op(payload, *count, |op| {
                let key = op.key.escape_ascii();
                match op.kind {
                    OpKind::Row(Kind::Value) => {
                        print(out, format_args!("  {} \"{key}\" = \"{}\"", op.keyspace, op.value.escape_ascii()))
                    }
                    OpKind::Row(Kind::Operand) => {
                        print(out, format_args!("  {} \"{key}\" merge \"{}\"", op.keyspace, op.value.escape_ascii()))
                    }
                    OpKind::Row(kind) => print(out, format_args!("  {} \"{key}\" {kind:?}", op.keyspace)),
                    OpKind::RemoveRange => {
                        print(out, format_args!("  {} \"{key}\"..\"{}\" RemoveRange", op.keyspace, op.value.escape_ascii()))
                    }
                }
            })
        }
        Ok(entry) => print(out, format_args!("{place}: {entry:?}")),
        Err(error) => print(out, format_args!("{place}: {error}")),
    }
}

fn print(out: &mut dyn Write, line: fmt::Arguments<'_>) -> Result<()> {
    writeln!(out, "{line}").map_err(|error| Error::invalid_input("cannot print").with_source(error))
}
