//! Bits turned over in the memory of a memtable with digests: every reader finds them, or never needed them.

use super::{super::Memtable, SEED, memtable_of};
use sediment_base::{Cursor, ErrorKind, InternalKey, KeyOrder, Kind, Result, SeqNo};
use sediment_codec::hash::key_hash;
use sediment_raw::{
    arena::{Record, RecordId},
    chain,
};
use std::{ops::Range, sync::Arc};

/// Where the seqno of a row lies in its record, which no digest covers: it may change on the way.
const SEQNO_BYTES: usize = 8;

type Expected = (Vec<u8>, SeqNo, Kind, Vec<u8>);

/// Keys that tie in their heads and such that do not; some have several versions.
fn rows() -> Vec<Expected> {
    let mut rows: Vec<Expected> = Vec::new();
    for (i, key) in ["a", "b0", "common beginning 1", "common beginning 2", "common beginning 3", "z", "zz"].iter().enumerate()
    {
        let versions = if i % 3 == 1 { 3 } else { 1 };
        for version in (0..versions).rev() {
            let kind = [Kind::Value, Kind::Operand, Kind::Value, Kind::Tombstone][(i + version) % 4];
            let value = if kind == Kind::Tombstone { Vec::new() } else { vec![b'v'; (i * 7 + version) % 30] };
            rows.push((key.as_bytes().to_vec(), 10 + version as SeqNo, kind, value));
        }
    }
    rows
}

fn filled(rows: &[Expected], is_ordered: bool) -> Arc<Memtable> {
    let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), true));
    // The oldest first, as they come.
    for (key, seqno, kind, value) in rows.iter().rev() {
        memtable.insert(InternalKey::new(key, *seqno, *kind), value).expect("open");
    }
    if is_ordered {
        memtable.cursor().seek_to_first().expect("sound");
    }
    memtable
}

/// Where these rows are.
fn records(memtable: &Memtable, rows: &[Expected]) -> Vec<RecordId> {
    let by_key = rows.chunk_by(|a, b| a.0 == b.0).flat_map(|versions| {
        let newest = memtable.find_by(&versions[0].0, key_hash(SEED, &versions[0].0));
        std::iter::successors(newest, |record| chain::previous(*record)).map(Record::id)
    });
    by_key.collect()
}

/// Every get gives what was written or an error; the error, if there was one.
fn gets(memtable: &Memtable, rows: &[Expected]) -> bool {
    let mut failed = false;
    for (key, seqno, kind, value) in rows {
        match memtable.get(key, key_hash(SEED, key), seqno + 1) {
            Ok(found) => {
                let found = found.expect("a row is never absent because of damage");
                assert_eq!((found.seqno, found.kind, found.value), (*seqno, *kind, &value[..]));
            }
            Err(error) => failed |= is_corruption(&error),
        }
        assert_eq!(memtable.get(b"not there", key_hash(SEED, b"not there"), 99).expect("no row is near"), None);
    }
    failed
}

fn is_corruption(error: &sediment_base::Error) -> bool {
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("memtable 0"), "{error}");
    true
}

/// A walk from each place, in one direction, gives what was written up to an error; whether all of them failed, and whether any did.
fn walks(memtable: &Arc<Memtable>, rows: &[Expected], is_forward: bool) -> (bool, bool) {
    let (mut all, mut any) = (true, false);
    for first in 0..=rows.len() {
        let failed = walk(memtable, rows, first, is_forward).is_err_and(|error| is_corruption(&error));
        (all, any) = (all && failed, any || failed);
    }
    (all, any)
}

fn walk(memtable: &Arc<Memtable>, rows: &[Expected], first: usize, is_forward: bool) -> Result<()> {
    let mut cursor = memtable.cursor();
    let place = rows.get(first).map(|(key, seqno, kind, _)| InternalKey::new(key, *seqno, *kind));
    match (is_forward, place) {
        (true, Some(place)) => cursor.seek(place)?,
        (true, None) => cursor.seek_to_first()?,
        (false, Some(place)) => cursor.seek_before(place)?,
        (false, None) => cursor.seek_to_last()?,
    }
    let rest = match (is_forward, place) {
        (true, Some(_)) => &rows[first..],
        (true, None) => rows,
        (false, _) => &rows[..first],
    };
    for i in 0..rest.len() {
        let (key, seqno, kind, value) = &rest[if is_forward { i } else { rest.len() - 1 - i }];
        assert!(cursor.is_valid(), "a row is never left out because of damage");
        assert_eq!((cursor.key(), cursor.value()), (InternalKey::new(key, *seqno, *kind), &value[..]));
        assert!(cursor.digest(SEED).is_some() && cursor.digest(SEED + 1).is_none());
        let moved = if is_forward { cursor.next() } else { cursor.prev() };
        if let Err(error) = moved {
            assert!(!cursor.is_valid());
            assert_eq!(cursor.seek_to_first().expect_err("errors are sticky").to_string(), error.to_string());
            return Err(error);
        }
    }
    assert!(!cursor.is_valid());
    Ok(())
}

fn turn(memtable: &mut Arc<Memtable>, id: RecordId, bit: usize) {
    let alone = Arc::get_mut(memtable).expect("nobody reads");
    alone.arena.payload_mut(id)[bit / 8] ^= 1 << (bit % 8);
}

/// The bits of a row that its digest covers, and those of the digest.
fn bits(memtable: &Memtable, id: RecordId) -> Range<usize> {
    SEQNO_BYTES * 8..memtable.arena.record(id).payload().len() * 8
}

#[test]
fn every_bit_turned_over_is_found_by_every_whole_walk_and_gives_no_wrong_answer() {
    let rows = rows();
    let mut memtable = filled(&rows, true);
    assert!(!gets(&memtable, &rows));
    assert!([true, false].iter().all(|is_forward| !walks(&memtable, &rows, *is_forward).1));
    let records = records(&memtable, &rows);
    assert_eq!(records.len(), rows.len());
    for id in records {
        for bit in bits(&memtable, id) {
            turn(&mut memtable, id, bit);
            gets(&memtable, &rows);
            for is_forward in [true, false] {
                let (_, any) = walks(&memtable, &rows, is_forward);
                assert!(any, "bit {bit} of {id:?}");
            }
            turn(&mut memtable, id, bit);
        }
    }
}

/// Where a row belongs that was damaged before it had a place in the order, nobody knows.
#[test]
fn a_row_that_was_damaged_before_the_order_was_made_ends_every_walk() {
    let rows = rows();
    for index in 0..rows.len() {
        // The order knows keys by the rows that came first, which are the oldest here.
        let is_first = rows.get(index + 1).is_none_or(|next| next.0 != rows[index].0);
        let mut memtable = filled(&rows, false);
        for bit in bits(&memtable, records(&memtable, &rows)[index]) {
            memtable = filled(&rows, false);
            let id = records(&memtable, &rows)[index];
            turn(&mut memtable, id, bit);
            gets(&memtable, &rows);
            for is_forward in [true, false] {
                let (all, any) = walks(&memtable, &rows, is_forward);
                assert!(if is_first { all } else { any }, "bit {bit} of {id:?}");
            }
        }
    }
}

#[test]
fn a_damaged_value_is_found_by_its_get_alone() {
    let rows = rows();
    let mut memtable = filled(&rows, true);
    for (row, id) in rows.iter().zip(records(&memtable, &rows)) {
        let last = |memtable: &mut Arc<Memtable>| {
            let payload = Arc::get_mut(memtable).expect("nobody reads").arena.payload_mut(id);
            *payload.last_mut().expect("a digest") ^= 16;
        };
        last(&mut memtable);
        let fails = |(key, seqno, ..): &Expected| memtable.get(key, key_hash(SEED, key), seqno + 1).is_err();
        assert!(rows.iter().all(|other| fails(other) == (other == row)), "{row:?}");
        last(&mut memtable);
    }
    assert!(!gets(&memtable, &rows));
}

#[test]
fn a_memtable_without_digests_takes_no_more_room_and_gives_none() {
    let key = InternalKey::new(b"key", 3, Kind::Value);
    let [plain, digested] = [false, true].map(|is_digested| {
        let memtable = Arc::new(memtable_of(KeyOrder::bytewise(), is_digested));
        memtable.insert(key, b"value").expect("open");
        let mut cursor = memtable.cursor();
        cursor.seek_to_first().expect("sound");
        assert_eq!((cursor.value(), cursor.digest(SEED).is_some()), (&b"value"[..], is_digested));
        let record = memtable.find_by(b"key", key_hash(SEED, b"key")).expect("it is there");
        record.payload().len()
    });
    assert_eq!((plain, digested), (11 + 3 + 5, 11 + 3 + 5 + 4));
}
