//! Digests of rows: what a memtable that has them does beside.
//!
//! Each row gets its digest from the bytes that the caller gave, and is given to nobody before it was found to have it still. That something
//! is not there needs a proof as well, because damage may hide a row from a search: whatever lies where the row would be is looked at.

use super::{Memtable, MemtableRow, order::Place, row::Row};
use sediment_base::{Error, Result, SeqNo, seqno::is_visible};
use sediment_codec::hash::key_hash;
use sediment_raw::{arena::Record, chain};

impl Memtable {
    /// [`Memtable::get`], where rows have digests.
    #[inline(never)]
    pub(super) fn get_digested(&self, user_key: &[u8], hash: u64, read_seqno: SeqNo) -> Result<Option<MemtableRow<'_>>> {
        let Some(head) = self.find_digested(user_key, hash)? else { return Ok(None) };
        let row = chain::find(head, |record| is_visible(Row::of(record).seqno(), read_seqno));
        row.map(|record| self.checked(record, hash)).transpose()
    }

    /// The newest row of a key. One that only looks like it by its hash may be the one, damaged.
    pub(super) fn find_digested(&self, user_key: &[u8], hash: u64) -> Result<Option<Record<'_>>> {
        let mut is_damaged = false;
        let found = self.index.find(&self.arena, hash, |found| {
            let is_key = Row::of(found).user_key() == user_key;
            is_damaged |= !is_key && !self.is_intact(found);
            is_key
        });
        if is_damaged { Err(self.damaged()) } else { Ok(found) }
    }

    /// [`Memtable::head`], where rows have digests. A damaged key may be that of another.
    pub(super) fn head_digested<'a>(&'a self, first: Record<'a>) -> Result<Record<'a>> {
        if !chain::is_superseded(first) {
            return Ok(first);
        }
        let user_key = Row::of(first).user_key();
        let head = if self.is_intact(first) { self.find_digested(user_key, key_hash(self.hash_seed, user_key))? } else { None };
        head.ok_or_else(|| self.damaged())
    }

    /// The row of a record, whose key has this hash.
    pub(super) fn checked<'a>(&self, record: Record<'a>, hash: u64) -> Result<MemtableRow<'a>> {
        let row = Row::of(record);
        match row.digested() {
            Some((value, _)) if row.is_intact(hash) => Ok(MemtableRow { seqno: row.seqno(), kind: row.kind(), value }),
            _ => Err(self.damaged()),
        }
    }

    /// Whether the row of a record has its digest.
    pub(super) fn is_intact(&self, record: Record<'_>) -> bool {
        Row::of(record).is_intact_under(self.hash_seed)
    }

    /// The keys between which `user_key` lies, or would, are whole, and lie on their sides.
    pub(super) fn prove_place(&self, user_key: &[u8]) -> Result<()> {
        let (place, order) = (Place::Key(user_key), self.keys.order());
        let compare = |record| order.compare(Row::of(record).user_key(), user_key);
        let before = self.keys.window_before(&self.arena, place).filter(|window| !window.is_empty());
        let before = before.map(|window| window.record(&self.arena, window.len() - 1));
        let from = self.keys.window_from(&self.arena, place, false).filter(|window| !window.is_empty());
        let from = from.map(|window| window.record(&self.arena, 0));
        let is_before = before.is_none_or(|record| self.is_intact(record) && compare(record).is_lt());
        let is_from = from.is_none_or(|record| self.is_intact(record) && compare(record).is_ge());
        if is_before && is_from { Ok(()) } else { Err(self.damaged()) }
    }

    /// The last key is whole.
    pub(super) fn prove_last(&self) -> Result<()> {
        let last = self.keys.window_before(&self.arena, Place::Last).filter(|window| !window.is_empty());
        let last = last.map(|window| window.record(&self.arena, window.len() - 1));
        if last.is_none_or(|record| self.is_intact(record)) { Ok(()) } else { Err(self.damaged()) }
    }

    /// A row is not what was written.
    #[cold]
    pub(super) fn damaged(&self) -> Error {
        let ordinal = self.ordinal;
        Error::corruption(format!(
            "a row in memtable {ordinal} does not have its digest: it was damaged in memory since it was written"
        ))
    }
}
