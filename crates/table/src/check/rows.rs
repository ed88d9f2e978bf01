//! Whether everything that a table says of its rows is true.
//!
//! Fence, heads, hints and tags are not compared field by field but asked: for each row, do they lead to it?

use crate::{
    block::{Block, BlockSummary, Lookup, tag_of},
    filter::KeyPlace,
    index::BlockFlags,
    properties::Properties,
    reader::Parts,
};
use sediment_base::{Error, InternalKey, KeyOrder, Kind, RangeTombstones, Result, RowFlags, SeqNo};
use sediment_codec::hash::key_hash;

/// Goes over the rows of a table, block by block.
pub(super) struct RowCheck<'a> {
    order: &'a KeyOrder,
    parts: &'a Parts,
    counted: Properties,
    last: Option<Last>,
    is_first_known: bool,
    /// How far from its line a key is by the locator, at most.
    farthest: u8,
}

/// The row before.
struct Last {
    key: Vec<u8>,
    seqno: SeqNo,
    kind: Kind,
    hides: bool,
}

impl<'a> RowCheck<'a> {
    pub(super) fn new(order: &'a KeyOrder, parts: &'a Parts) -> Self {
        let stated = &parts.properties;
        let counted = Properties {
            min_seqno: SeqNo::MAX,
            // Not to be found out from the rows.
            comparator: stated.comparator.clone(),
            prefix_extractor: stated.prefix_extractor.clone(),
            hash_seed: stated.hash_seed,
            hash_version: stated.hash_version,
            created_us: stated.created_us,
            row_digests: stated.row_digests,
            oldest_write_us: stated.oldest_write_us,
            fence_ties: stated.fence_ties,
            global_seqno: stated.global_seqno,
            writer: stated.writer.clone(),
            block_codec: stated.block_codec.clone(),
            compression: stated.compression.clone(),
            removed_runs: stated.removed_runs,
            removed_seqno: stated.removed_seqno,
            ..Properties::default()
        };
        Self { order, parts, counted, last: None, is_first_known: true, farthest: 0 }
    }

    /// A block could not be read: what depends on its rows cannot be told of the next one.
    pub(super) fn forget(&mut self) {
        self.last = None;
        self.is_first_known = false;
    }

    /// Checks the block with this number.
    pub(super) fn block(&mut self, number: usize, block: Block<'_>) -> Result<()> {
        let mut summary = BlockSummary::empty();
        let continues = self.parts.fence.continues(number);
        let mut slots = 0;
        for row in 0..block.rows() {
            let user_key = [block.prefix(), block.suffix(row)].concat();
            let head = block.head(row);
            let key = InternalKey::new(&user_key, head.seqno, head.kind);
            summary = summary.with(head.seqno, head.kind, head.flags);
            self.digest(block, row, &user_key)?;
            self.row(key, head.flags, block.value(row).len(), row > 0 || continues)?;
            if (row > 0 && block.is_same_key(row)) != (row > 0 && self.is_same_key(&user_key)) {
                return Err(wrong(row, "is marked as of the same key as the one before, or should be"));
            }
            self.find(number, block, row, key)?;
            if !block.is_same_key(row) {
                if row > 0 || !continues {
                    self.locate(KeyPlace { block: number, slot: slots }, key)?;
                }
                slots += 1;
            }
            let hides = self.hides_next(&user_key, head.kind);
            self.last = Some(Last { key: user_key, seqno: head.seqno, kind: head.kind, hides });
        }
        let place = self.parts.fence.place(number);
        let expected = BlockFlags::of(summary, continues, matches!(block, Block::Jumbo(_)));
        if (place.min_seqno, place.max_seqno) != (summary.min_seqno, summary.max_seqno) || place.flags != expected {
            return Err(Error::corruption("the fence misdescribes a block"));
        }
        self.counted.blocks += 1;
        Ok(())
    }

    /// Checks the digest of a row. Of another function it cannot be told.
    fn digest(&self, block: Block<'_>, row: usize, user_key: &[u8]) -> Result<()> {
        let (stated, is_digested) = (&self.parts.properties, block.digest(row).is_some());
        if is_digested != (stated.row_digests > 0) {
            return Err(wrong(row, "has a digest, or should have one"));
        }
        if stated.has_digests() && !block.is_intact(row, self.hash(user_key)) {
            return Err(wrong(row, "does not have its digest"));
        }
        Ok(())
    }

    /// Checks what is said of all rows together.
    pub(super) fn finish(mut self, ranges: &RangeTombstones) -> Result<()> {
        if self.counted.rows == 0 {
            self.counted.min_seqno = 0;
        }
        self.counted.max_key = self.last.map_or_else(Default::default, |last| last.key.into());
        self.counted.count_ranges(ranges, self.order);
        if self.parts.locator.as_ref().is_some_and(|locator| !locator.is_whole(self.farthest)) {
            return Err(Error::corruption("the locator has other cells than those of its keys"));
        }
        if self.counted == self.parts.properties {
            return Ok(());
        }
        let (expected, found) = (self.counted.to_string(), self.parts.properties.to_string());
        Err(Error::corruption("the properties misdescribe the rows").expected_found(expected, found))
    }

    /// Order, flags, filter and counts.
    fn row(&mut self, key: InternalKey<'_>, flags: RowFlags, value_len: usize, may_continue: bool) -> Result<()> {
        let is_same = self.is_same_key(key.user_key);
        if let Some(last) = &self.last {
            if InternalKey::new(&last.key, last.seqno, last.kind).compare(key, self.order).is_ge() {
                return Err(Error::corruption(format!("rows out of order: {key:?} after {}", last.key.escape_ascii())));
            }
            if flags.contains(RowFlags::OBSOLETE) != (is_same && last.hides) {
                return Err(Error::corruption(format!("row {key:?} is marked as hidden, or should be")));
            }
            if is_same && !may_continue {
                return Err(Error::corruption(format!("the fence does not know that {key:?} continues a key")));
            }
        }
        let Parts { filter, prefix_filter, removed, .. } = self.parts;
        let is_removed = || removed.as_ref().is_some_and(|runs| runs.cover(key.user_key, SeqNo::MAX, self.order) > 0);
        if !is_same && key.kind != Kind::Tombstone && is_removed() {
            return Err(Error::corruption(format!("a run of removed keys has {key:?} in it")));
        }
        if filter.as_ref().is_some_and(|filter| !filter.may_contain(self.hash(key.user_key))) {
            return Err(Error::corruption(format!("the filter denies {key:?}")));
        }
        if prefix_filter.as_ref().is_some_and(|filter| !filter.knows(key.user_key)) {
            return Err(Error::corruption(format!("the prefix filter denies {key:?}")));
        }
        if self.counted.rows == 0 && self.is_first_known {
            self.counted.min_key = key.user_key.into();
        }
        self.counted.count_row(key.kind, !is_same, flags.contains(RowFlags::BLOB));
        self.counted.key_bytes += key.user_key.len() as u64;
        self.counted.value_bytes += value_len as u64;
        self.counted.min_seqno = self.counted.min_seqno.min(key.seqno);
        self.counted.max_seqno = self.counted.max_seqno.max(key.seqno);
        Ok(())
    }

    /// Do fence, heads and tags lead to the row?
    fn find(&self, number: usize, block: Block<'_>, row: usize, key: InternalKey<'_>) -> Result<()> {
        if self.parts.fence.find(key, self.order) != Some(number) {
            return Err(wrong(row, "is not where the fence leads"));
        }
        if row == 0
            && (self.parts.fence.first_key(number) != key.user_key || self.is_same_key(key.user_key) != self.continues(number))
        {
            return Err(wrong(row, "is not what the fence says of its block"));
        }
        if block.lower_bound(key, self.order) != row {
            return Err(wrong(row, "is not found by its heads"));
        }
        let tag = tag_of(self.hash(key.user_key));
        let found = block.lookup(key.user_key, tag, key.seqno.saturating_add(1));
        let is_tagged = match block {
            // Of two rows of one version the lookup gives the first.
            Block::Slotted(_) => matches!(found, Lookup::Row(found) if found.head.seqno == key.seqno),
            Block::Jumbo(jumbo) => jumbo.tag() == tag && matches!(found, Lookup::Row(found) if found.row == row),
        };
        if is_tagged { Ok(()) } else { Err(wrong(row, "is not found by its tag")) }
    }

    /// Does the locator lead to the newest row of a key?
    fn locate(&mut self, place: KeyPlace, key: InternalKey<'_>) -> Result<()> {
        let Some(locator) = &self.parts.locator else { return Ok(()) };
        let Some(distance) = locator.distance(self.hash(key.user_key), place) else {
            return Err(Error::corruption(format!("the locator does not lead to {key:?}")));
        };
        self.farthest = self.farthest.max(distance);
        Ok(())
    }

    /// Whether the block continues a key, as far as that can be known here.
    fn continues(&self, number: usize) -> bool {
        self.parts.fence.continues(number) && (self.last.is_some() || self.is_first_known)
    }

    fn is_same_key(&self, user_key: &[u8]) -> bool {
        self.last.as_ref().is_some_and(|last| last.key == user_key)
    }

    fn hides_next(&self, user_key: &[u8], kind: Kind) -> bool {
        let hidden = self.is_same_key(user_key) && self.last.as_ref().is_some_and(|last| last.hides);
        hidden || matches!(kind, Kind::Value | Kind::Tombstone)
    }

    fn hash(&self, user_key: &[u8]) -> u64 {
        key_hash(self.parts.properties.hash_seed, user_key)
    }
}

#[cold]
fn wrong(row: usize, what: &str) -> Error {
    Error::corruption(format!("row {row} {what}"))
}
