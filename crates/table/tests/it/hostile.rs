//! Files made by somebody who can compute checksums: any content gives an answer or a typed error, never a panic.

use crate::{
    order::orders,
    rows::{Row, context, path},
};
use sediment_base::{Cursor, ErrorKind, InternalKey, Kind, Result, RowFlags, Slice, TableId, seqno::SEQNO_MAX};
use sediment_codec::{
    compress::{Method, Unpacker},
    hash::key_hash,
    seal::{FrameId, Seal},
};
use sediment_env::random::SeededRandom;
use sediment_table::{
    FilterKind, RemovedRuns, Table, TableContext, TableOptions, TableWriter, check::check_table, dump::dump_table,
};
use sediment_testkit::as_it_is::AsItIs;
use std::sync::Arc;

/// Asks everything, and takes any answer.
fn exercise(context: &TableContext) -> Result<()> {
    let table = Arc::new(Table::open_alone(context, &path())?);
    for key in [b"key 010".as_slice(), b"key 019x", b"", b"zz"] {
        for read_seqno in [1, 30, SEQNO_MAX] {
            let _ = table.get(key, key_hash(1, key), read_seqno);
        }
        let mut cursor = table.cursor();
        let _ = cursor.seek_before(InternalKey::before(key));
        let mut cursor = table.cursor();
        let _ = cursor.seek(InternalKey::seek_to(key, 20));
        for _ in 0..100 {
            if cursor.is_valid() {
                let _ = (cursor.key().user_key.len(), cursor.value().len(), cursor.prev());
            }
        }
    }
    let mut cursor = table.cursor();
    cursor.seek_to_first()?;
    while cursor.is_valid() {
        cursor.next()?;
    }
    Ok(())
}

/// The sound file's bytes, and where its frames begin.
fn sound(
    context: &TableContext,
    rows: &[Row],
    filter: FilterKind,
    locator: bool,
    codec: Method,
) -> (Vec<u8>, Seal, Vec<usize>) {
    let options = TableOptions { block_bytes: 500, filter, locator, codec, hash_seed: 1, ..TableOptions::default() };
    let mut writer = TableWriter::create(context, &options, path(), TableId(7)).unwrap();
    rows.iter().for_each(|row| writer.add(row.internal(), RowFlags::NONE, &row.value).unwrap());
    let removed: Vec<&Row> = rows.iter().filter(|row| row.kind == Kind::Tombstone).collect();
    let ends = (Slice::new(&removed[0].key), Slice::new(&removed[removed.len() - 1].key));
    writer.set_removed_runs(RemovedRuns { seqno: 1000, runs: vec![ends] });
    let meta = writer.finish().unwrap();
    let mut bytes = vec![0; meta.file_bytes as usize];
    context.fs.open(&path()).unwrap().read_exact_at(0, &mut bytes).unwrap();
    let mut frames = Vec::new();
    let mut at = 128;
    while at < bytes.len() - 128 {
        frames.push(at);
        at += Seal::peek(&bytes[at..]).unwrap().frame_bytes() as usize;
    }
    (bytes, Seal { uuid: meta.uuid }, frames)
}

#[test]
fn sealed_nonsense_is_survived() {
    let mut rows: Vec<Row> = (0..60).map(|i| Row::new(format!("key {i:03}"), 100 + i, format!("value {i}"))).collect();
    rows.splice(20..20, (0..60).rev().map(|seqno| Row::new("key 019x", seqno + 1, format!("version {seqno}"))));
    rows.push(Row::new("large", 5, vec![7; 70_000]));
    rows.extend((0..9).map(|i| Row { kind: Kind::Tombstone, ..Row::new(format!("removed {i}"), 300, "") }));
    let random = SeededRandom::new(21);
    let mut refused = 0;
    let dense = || Method::Other(Arc::new(AsItIs));
    let kinds = [
        (FilterKind::SplitBlock, false, Method::None),
        (FilterKind::Burr, false, dense()),
        (FilterKind::SplitBlock, true, dense()),
        (FilterKind::Burr, true, Method::None),
    ];
    let unpacker = Unpacker::new(Arc::default(), None, Some(Arc::new(AsItIs)));
    for (order, (filter, locator, codec)) in orders().into_iter().cycle().zip(kinds) {
        let mut rows = rows.clone();
        rows.sort_by(|a, b| a.internal().compare(b.internal(), &order));
        let context = TableContext { codecs: Arc::new([Arc::new(AsItIs)]), ..context(&order, 1 << 20) };
        let is_dense = codec != Method::None;
        let (bytes, seal, frames) = sound(&context, &rows, filter, locator, codec);
        let kinds: Vec<u8> = frames.iter().map(|at| Seal::peek(&bytes[*at..]).unwrap().kind).collect();
        assert_eq!(kinds.contains(&4), is_dense, "{kinds:?}");
        assert!(exercise(&context).is_ok());
        for round in 0..6000 {
            let mut changed = bytes.clone();
            // The metadata is at the end, and is changed more often than its share of the frames.
            let number =
                if round % 3 == 0 { random.below(frames.len() as u64) } else { frames.len() as u64 - 1 - random.below(5) };
            let at = frames[number as usize];
            let (header, plain) = seal.open(&unpacker, at as u64, &bytes[at..]).unwrap();
            let mut plain = plain.into_owned();
            for _ in 0..=random.below(3) {
                let place = random.below((plain.len() as u64).min(if random.below(2) == 0 { 80 } else { u64::MAX })) as usize;
                plain[place] =
                    [0, 1, 0x7F, 0x80, 0xFF, plain[place] ^ 1, plain[place].wrapping_add(1)][random.below(7) as usize];
            }
            let mut frame = Vec::new();
            let id = FrameId { region: header.region, kind: header.kind, ordinal: header.ordinal };
            seal.seal(id, at as u64, &plain, &mut frame).unwrap();
            changed[at..at + frame.len()].copy_from_slice(&frame);
            context.fs.remove_file(&path()).unwrap();
            context.fs.create(&path()).unwrap().write_at(0, &changed).unwrap();
            if let Err(error) = exercise(&context) {
                assert_ne!(error.kind(), ErrorKind::Io, "{error}");
                assert!(error.location().is_some_and(|place| place.file == path()), "{error}");
                refused += 1;
            }
            let report = check_table(&context, &path(), None).unwrap();
            let is_footer = number == frames.len() as u64 - 1;
            assert!(changed == bytes || is_footer || !report.faults.is_empty(), "the check believes it");
            let _ = dump_table(&context, &path(), &mut String::new());
        }
    }
    assert!(refused > 6000, "{refused}");
}
