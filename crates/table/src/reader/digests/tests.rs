//! Bits turned over in the memory of cached blocks, and in blocks before their checksum was made: every reader finds them, or never needed
//! them.

use crate::{
    block::{Block, BlockBuffer, BlockHead, BlockRef, JumboHead, SlottedHead},
    cache::{BlockCache, Heat},
    context::TableContext,
    cursor::{Segment, TableCursor},
    options::TableOptions,
    reader::{HeldLeaf, Table, Window},
    writer::TableWriter,
};
use sediment_base::{Cursor, Error, ErrorKind, FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, SeqNo, TableId};
use sediment_env::{fs::MemFs, random::SeededRandom};
use std::{ops::Bound, path::Path, sync::Arc};

const SEED: u64 = 5;
const PATH: &str = "7";

type Row = (Vec<u8>, SeqNo, Kind, Vec<u8>);

/// A table on a disk, and what it holds.
struct Victim {
    context: TableContext,
    rows: Vec<Row>,
}

/// Some keys of one version and some of several, of all kinds. Without `versions`, all have the same seqno.
fn rows(versions: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for i in 0..14_usize {
        let count = if versions && i % 4 == 1 { 3 } else { 1 };
        for version in (0..count).rev() {
            let kind = [Kind::Value, Kind::Operand, Kind::Value, Kind::Tombstone][(i + version) % 4];
            let value = if kind == Kind::Tombstone { Vec::new() } else { vec![b'v'; (i * 5 + version) % 23] };
            rows.push((format!("shared key {:02}", i * 3).into_bytes(), 40 + version as SeqNo, kind, value));
        }
    }
    rows
}

impl Victim {
    fn new(rows: Vec<Row>) -> Self {
        let (fs, random) = (Arc::new(MemFs::new()), Arc::new(SeededRandom::new(11)));
        let context =
            TableContext::new(fs, random, FileUuid([3; 16]), KeyOrder::bytewise(), Arc::new(BlockCache::new(64 << 20)));
        let options = TableOptions {
            block_bytes: 300,
            row_digests: true,
            hash_seed: SEED,
            filter_bits_per_key: 0,
            ..TableOptions::default()
        };
        let mut writer = TableWriter::create(&context, &options, PATH.into(), TableId(7)).unwrap();
        for (key, seqno, kind, value) in &rows {
            writer.add(InternalKey::new(key, *seqno, *kind), RowFlags::NONE, value).unwrap();
        }
        writer.finish().unwrap();
        Self { context, rows }
    }

    fn open(&self) -> Arc<Table> {
        Arc::new(Table::open_alone(&self.context, Path::new(PATH)).unwrap())
    }

    /// A table that has this in its cache in place of one of its blocks.
    fn open_with(&self, number: usize, block: BlockRef) -> Arc<Table> {
        let table = self.open();
        let there = table.blocks.get_or_load(number, Heat::Point, || Ok(block.clone())).unwrap();
        assert!(std::ptr::eq(&raw const *there, &raw const *block));
        table
    }

    /// Everything that a reader can ask; what failed. Wrong answers fail the test.
    fn read_all(&self, table: &Arc<Table>) -> Vec<Error> {
        let mut failed = Vec::new();
        for (key, seqno, kind, value) in &self.rows {
            match table.get(key, table.key_hash(key), seqno + 1) {
                Ok(found) => {
                    let found = found.expect("a row is never absent because of damage");
                    assert_eq!((found.seqno, found.kind, &found.value[..]), (*seqno, *kind, &value[..]));
                }
                Err(error) => failed.push(error),
            }
            let absent = [&key[..], b"!"].concat();
            match table.get(&absent, table.key_hash(&absent), SeqNo::MAX) {
                Ok(found) => assert_eq!(found, None),
                Err(error) => failed.push(error),
            }
        }
        for first in 0..self.rows.len() {
            failed.extend([true, false].into_iter().filter_map(|is_forward| self.walk(table, first, is_forward).err()));
        }
        failed.extend([true, false].into_iter().filter_map(|is_forward| self.stride(table, is_forward).err()));
        for error in &failed {
            assert_eq!(error.kind(), ErrorKind::Corruption);
            let place = error.location().expect("an error says where");
            assert!(place.file == Path::new(PATH) && place.offset.is_some(), "{error}");
        }
        failed
    }

    fn is_at(&self, cursor: &TableCursor, row: usize) -> bool {
        let (key, seqno, kind, value) = &self.rows[row];
        cursor.is_valid() && (cursor.key(), cursor.value()) == (InternalKey::new(key, *seqno, *kind), &value[..])
    }

    /// Row by row from one on.
    fn walk(&self, table: &Arc<Table>, first: usize, is_forward: bool) -> Result<()> {
        let mut cursor = table.cursor();
        let (key, seqno, kind, _) = &self.rows[first];
        let target = InternalKey::new(key, *seqno, *kind);
        if is_forward {
            cursor.seek(target)?
        } else {
            cursor.seek_before(target)?
        }
        let rest: Vec<usize> = if is_forward { (first..self.rows.len()).collect() } else { (0..first).rev().collect() };
        for row in rest {
            assert!(self.is_at(&cursor, row), "a row is never left out because of damage");
            if let Err(error) = if is_forward { cursor.next() } else { cursor.prev() } {
                assert!(!cursor.is_valid());
                assert_eq!(cursor.seek_to_first().unwrap_err().to_string(), error.to_string(), "errors are sticky");
                return Err(error);
            }
        }
        assert!(!cursor.is_valid());
        Ok(())
    }

    /// By segments, as far as they are given.
    fn stride(&self, table: &Arc<Table>, is_forward: bool) -> Result<()> {
        let (mut cursor, mut segment) = (table.cursor(), Segment::default());
        if is_forward {
            cursor.seek_to_first()?
        } else {
            cursor.seek_to_last()?
        }
        let mut rows: Vec<usize> = (0..self.rows.len()).collect();
        if !is_forward {
            rows.reverse();
        }
        let mut rest = rows.into_iter().peekable();
        while let Some(row) = rest.next() {
            assert!(self.is_at(&cursor, row));
            // A segment begins behind a whole key, and backwards with the row at hand.
            let is_key_whole = rest.peek().is_none_or(|next| self.rows[*next].0 != self.rows[row].0);
            let is_given = is_key_whole && is_forward && cursor.segment_after(Bound::Unbounded, &mut segment);
            if !is_given {
                if is_forward {
                    cursor.next()?
                } else {
                    cursor.prev()?
                }
                continue;
            }
            let mut last = row;
            while let Some(rows) = segment.next_key() {
                if let Err(error) = segment.check(&rows) {
                    let again = segment.next_key().expect("it is given again");
                    assert_eq!((&again, segment.check(&again).unwrap_err().to_string()), (&rows, error.to_string()));
                    return Err(error);
                }
                for in_block in rows {
                    last = rest.next().expect("no more rows than there are");
                    segment.stand(in_block);
                    let (key, seqno, kind, value) = &self.rows[last];
                    let found = segment.row(in_block);
                    assert_eq!((found.seqno, found.kind), (*seqno, *kind));
                    assert_eq!((segment.key(), segment.value()), (&key[..], &value[..]));
                }
            }
            assert!(self.is_at(&cursor, last));
            cursor.next()?;
        }
        Ok(())
    }
}

fn slotted(table: &Table, bytes: &[u8], head: SlottedHead) -> BlockRef {
    let mut buffer = BlockBuffer::zeroed(&table.pool, bytes.len());
    buffer.bytes_mut().copy_from_slice(bytes);
    buffer.share(BlockHead::Slotted(head), 0..bytes.len())
}

/// Turns over every bit of every block but those of its seqnos, which may change on the way of a row and which no digest covers.
fn turn_every_bit(victim: &Victim, is_proven_again: bool) {
    let sound = victim.open();
    assert!(victim.read_all(&sound).is_empty());
    let blocks = sound.index().blocks();
    assert!(blocks > 1);
    for number in 0..blocks {
        let block = sound.block(number, Heat::Point, &HeldLeaf::default(), &mut Window::new(0, None)).unwrap();
        let bytes = block.bytes().to_vec();
        let head = SlottedHead::decode(&bytes).unwrap();
        let (seqs, records_at) = head.places();
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            // The bounds of seqnos are proven when a block is loaded, and kept elsewhere.
            let is_seqno = seqs.contains(&(bit / 8)) || is_proven_again && (7..16).contains(&(bit / 8));
            let head = SlottedHead::decode(if is_proven_again { &turned } else { &bytes });
            let Ok(head) = head.map_err(|error| assert!(is_proven_again, "{error}")) else { continue };
            if is_seqno {
                continue;
            }
            let failed = victim.read_all(&victim.open_with(number, slotted(&sound, &turned, head)));
            assert!(!failed.is_empty() || bit / 8 < records_at, "bit {bit} of block {number}");
        }
    }
}

#[test]
fn every_bit_turned_over_in_a_cached_block_is_found_by_who_reads_the_row() {
    [true, false].into_iter().for_each(|versions| turn_every_bit(&Victim::new(rows(versions)), false));
}

#[test]
fn every_bit_turned_over_before_the_checksum_of_the_block_was_made_is_found() {
    [true, false].into_iter().for_each(|versions| turn_every_bit(&Victim::new(rows(versions)), true));
}

#[test]
fn a_large_row_is_found_to_be_damaged_wherever_it_is() {
    let row = |key: &str, len| (key.as_bytes().to_vec(), 9, Kind::Value, vec![3; len]);
    let victim = Victim::new(vec![row("a", 3), row("large", 90_000), row("z", 3)]);
    let sound = victim.open();
    let number = (0..3).find(|number| sound.index().first_key(*number, &HeldLeaf::default()) == b"large").unwrap();
    let block = sound.block(number, Heat::Point, &HeldLeaf::default(), &mut Window::new(0, None)).unwrap();
    let Block::Jumbo(jumbo) = Block::of(&block) else { panic!("it is alone in its block") };
    // As `JumboBlock::encode` makes it: head, digest, key, value.
    let mut bytes = [0, 0, jumbo.row_head().kind.tag() | jumbo.row_head().flags.0, jumbo.tag(), 5, 0, 0, 0].to_vec();
    bytes.extend([&9_u64.to_le_bytes()[..], &90_000_u32.to_le_bytes(), &[0; 4]].concat());
    bytes.extend([&Block::of(&block).digest(0).unwrap().to_le_bytes()[..], b"large", jumbo.value()].concat());
    let with = |bytes: &[u8]| {
        let head = JumboHead::decode(bytes).unwrap();
        let value = head.beginning.to_vec();
        let head = BlockHead::Jumbo(Box::new(head.into_block(value)));
        victim.read_all(&victim.open_with(number, BlockBuffer::zeroed(&sound.pool, 0).share(head, 0..0)))
    };
    assert!(with(&bytes).is_empty());
    let bits = [2 * 8, 2 * 8 + 1, 24 * 8, 27 * 8 + 7, 28 * 8, 32 * 8 + 3, 33 * 8, 50_000 * 8 + 5, bytes.len() * 8 - 1];
    for bit in bits {
        let mut turned = bytes.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(!with(&turned).is_empty(), "bit {bit}");
    }
}
