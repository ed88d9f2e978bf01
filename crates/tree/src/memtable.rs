//! The memtable: recent writes in memory, found by hash, scanned in order.
//!
//! ```text
//!   arena    one record per row, where it was first put
//!   index    hash of the user key -> its newest row
//!   chain    newest row -> ... -> oldest row of the key, by seqno, then kind, whatever the order of arrival; of rows
//!            that tie in both, the one inserted last comes first
//!   order    one entry per user key, made by the first seek and kept up from then on
//! ```
//!
//! A row is written, then linked into its key's chain under the key's lock in the index, then finished. Lookups take no lock:
//! one line of the index, then the chain. Shared by any number of writers and readers.

use crate::memtable::{
    order::Keys,
    row::{DIGEST_BYTES, Row, row_bytes},
    tombstones::Tombstones,
};
use sediment_base::{
    Account, Error, ErrorKind, InternalKey, KeyOrder, Kind, MemoryBudget, RangeTombstone, RangeTombstones, Result, SeqNo,
    budget::Charge,
    planted::{Bug, planted},
    seqno::is_visible,
};
use sediment_codec::hash::key_hash;
use sediment_raw::{
    arena::{Arena, Record, Refused},
    chain,
    epoch::{self, Pin},
    hash_index::HashIndex,
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

mod cursor;
mod digests;
mod order;
mod row;
mod tombstones;

pub(crate) use cursor::MemtableCursor;

/// Recent writes in memory.
pub(crate) struct Memtable {
    hash_seed: u64,
    /// Whether rows have digests, which are checked.
    is_digested: bool,
    /// How many there were before it.
    ordinal: u64,
    arena: Arena,
    index: HashIndex,
    keys: Keys,
    tombstones: Tombstones,
    /// Holds what all of it takes, as of the last count, until its rows are in tables.
    charge: Charge,
    /// Holds it from then on.
    pinned: OnceLock<Charge>,
}

/// After so many inserts each writer brings the order up to date, if it is kept, and counts the memory.
const INSERTS_PER_HELP: u64 = 32;
/// A row of this size is counted at once.
const LARGE_ROW_BYTES: usize = 4 << 10;

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MemtableRow<'a> {
    /// The version found.
    pub(crate) seqno: SeqNo,
    /// What it does to its key.
    pub(crate) kind: Kind,
    /// Its value; empty for tombstones.
    pub(crate) value: &'a [u8],
}

impl<'a> MemtableRow<'a> {
    #[inline]
    fn of(record: Record<'a>) -> Self {
        let row = Row::of(record);
        Self { seqno: row.seqno(), kind: row.kind(), value: row.value() }
    }
}

impl Memtable {
    /// An empty memtable, whose rows have digests or not; `hash_seed` is the tree's. It is charged to the budget as it grows.
    pub(crate) fn new(order: KeyOrder, hash_seed: u64, is_digested: bool, budget: &Arc<MemoryBudget>) -> Self {
        let arena = Arena::with_spares(Arc::clone(budget.spares()));
        let digest_seed = is_digested.then_some(hash_seed);
        let (index, keys) = (HashIndex::new(&arena, 0), Keys::new(&arena, order.clone(), digest_seed));
        let charge = Charge::new(budget, Account::Memtables, 0);
        let tombstones = Tombstones::new(order);
        Self { hash_seed, is_digested, ordinal: 0, arena, index, keys, tombstones, charge, pinned: OnceLock::new() }.charged()
    }

    /// An empty memtable to take this one's place, which expects as many keys, of the same look, scanned or not as here: its
    /// index need not grow, and its order is kept from the beginning if this one's was ever asked for. Its rows have digests or not.
    pub(crate) fn successor(&self, is_digested: bool) -> Self {
        let arena = Arena::with_spares(Arc::clone(self.charge.budget().spares()));
        let index = HashIndex::new(&arena, self.index.keys());
        let keys = self.keys.like(&self.arena, &arena, is_digested.then_some(self.hash_seed));
        let tombstones = self.tombstones.successor();
        let charge = Charge::new(self.charge.budget(), Account::Memtables, 0);
        let (hash_seed, ordinal) = (self.hash_seed, self.ordinal + 1);
        Self { hash_seed, is_digested, ordinal, arena, index, keys, tombstones, charge, pinned: OnceLock::new() }.charged()
    }

    /// With what it takes from the beginning.
    fn charged(self) -> Self {
        self.count_memory();
        self
    }

    /// Adds a row: any thread, any order of seqnos. Fails with `Closed` once the memtable is closed: the caller asks again
    /// which one takes the row.
    pub(crate) fn insert(&self, key: InternalKey<'_>, value: &[u8]) -> Result<()> {
        self.insert_hashed(key, key_hash(self.hash_seed, key.user_key), value, &epoch::pin())
    }

    /// The same, for whoever is pinned already, and had the hash of the user key before: while the pin waits for its turn, nothing
    /// that comes after it begins.
    pub(crate) fn insert_hashed(&self, key: InternalKey<'_>, hash: u64, value: &[u8], pin: &Pin) -> Result<()> {
        self.insert_changed((key, hash), value, pin, |record| {
            if planted(Bug::TurnBitInMemtable)
                && let Some(last) = record.get_mut(row_bytes(key, value) - 1)
            {
                *last ^= 1;
            }
        })
    }

    /// The same where something befalls the record before anybody else has it: for tests of what is made of damage.
    #[inline]
    pub(crate) fn insert_changed(
        &self,
        (key, hash): (InternalKey<'_>, u64),
        value: &[u8],
        pin: &Pin,
        befalls: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        self.index.prefetch(hash, pin);
        let row_bytes = row_bytes(key, value) + if self.is_digested { DIGEST_BYTES } else { 0 };
        let mut reservation = self.arena.reserve(row_bytes, key.seqno).map_err(refused)?;
        if self.is_digested {
            row::encode_digested(key, hash, value, reservation.payload_mut());
        } else {
            row::encode(key, value, reservation.payload_mut());
        }
        befalls(reservation.payload_mut());
        let is_nth = reservation.ordinal() % INSERTS_PER_HELP == INSERTS_PER_HELP - 1;
        let record = reservation.write();
        self.index.upsert(
            &self.arena,
            hash,
            |found| Row::of(found).user_key() == key.user_key,
            |head| match head {
                Some(head) => chain::add(head, record, |there| Row::of(there).place().compare_version(key).is_lt()),
                None => {
                    record.set_first();
                    record
                }
            },
        );
        record.finish();
        if is_nth {
            self.keys.help(&self.arena);
        }
        if is_nth || row_bytes >= LARGE_ROW_BYTES {
            self.count_memory();
        }
        Ok(())
    }

    /// Adds a range tombstone. As [`Memtable::insert`] in all else.
    pub(crate) fn remove_range(&self, tombstone: RangeTombstone) -> Result<()> {
        self.tombstones.add(tombstone)?;
        self.count_memory();
        Ok(())
    }

    /// The newest range tombstone that covers `user_key`, with a seqno strictly below `read_seqno`; 0 if none does.
    #[inline]
    pub(crate) fn cover(&self, user_key: &[u8], read_seqno: SeqNo) -> SeqNo {
        self.tombstones.cover(user_key, read_seqno)
    }

    /// The range tombstones, if there are any: at least those whose insert has returned.
    pub(crate) fn range_tombstones(&self) -> Option<Arc<RangeTombstones>> {
        self.tombstones.all()
    }

    /// Copies of them.
    pub(crate) fn range_tombstone_list(&self) -> Vec<RangeTombstone> {
        self.range_tombstones().map(|all| all.iter().cloned().collect()).unwrap_or_default()
    }

    /// The newest row of `user_key` with a seqno strictly below `read_seqno`. `hash` is the key's, under the tree's seed.
    #[inline]
    pub(crate) fn get(&self, user_key: &[u8], hash: u64, read_seqno: SeqNo) -> Result<Option<MemtableRow<'_>>> {
        if self.is_digested {
            return self.get_digested(user_key, hash, read_seqno);
        }
        let head = self.find_by(user_key, hash);
        Ok(head.and_then(|head| newest_below(head, read_seqno)).map(MemtableRow::of))
    }

    /// The rows of `user_key` with a seqno strictly below `read_seqno`, newest first. `hash` is the key's, under the tree's seed.
    pub(crate) fn versions(
        &self,
        user_key: &[u8],
        hash: u64,
        read_seqno: SeqNo,
    ) -> Result<impl Iterator<Item = Result<MemtableRow<'_>>>> {
        let newest = self.find(user_key, hash)?.and_then(|head| newest_below(head, read_seqno));
        let records = std::iter::successors(newest, |record| chain::previous(*record));
        Ok(records.map(move |record| if self.is_digested { self.checked(record, hash) } else { Ok(MemtableRow::of(record)) }))
    }

    /// Asks for the memory that a lookup begins with, for whoever has others to do first.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64, pin: &Pin) {
        self.index.prefetch(hash, pin);
    }

    /// Asks for the row that a lookup looks at next.
    #[inline]
    pub(crate) fn prefetch_row(&self, hash: u64, pin: &Pin) {
        self.index.prefetch_records(&self.arena, hash, pin);
    }

    /// A cursor that keeps the memtable alive. It sees at least the rows whose insert had returned before its last seek.
    pub(crate) fn cursor(self: &Arc<Self>) -> MemtableCursor {
        MemtableCursor::new(Arc::clone(self))
    }

    /// How many came before it, of those that took each other's place.
    pub(crate) fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// Memory in use.
    pub(crate) fn bytes(&self) -> usize {
        self.arena.bytes() as usize + self.index.bytes() + self.keys.bytes() + self.tombstones.bytes()
    }

    /// Memory in use as of the last count, which some rows may have come after.
    #[inline]
    pub(crate) fn counted_bytes(&self) -> u64 {
        self.charge.bytes()
    }

    /// Rows and range tombstones inserted, those in flight included.
    pub(crate) fn rows(&self) -> usize {
        self.arena.records() as usize + self.tombstones.len()
    }

    /// Whether nothing was inserted.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// Whether no insert of a row ever came as far as to look for room. Cheaper to ask beside writers than whether there are
    /// rows.
    #[inline]
    pub(crate) fn is_untouched(&self) -> bool {
        self.arena.is_untouched()
    }

    /// The lowest seqno of a row or range tombstone.
    pub(crate) fn min_seqno(&self) -> Option<SeqNo> {
        let marks = [self.arena.marks(), self.tombstones.marks()];
        marks.into_iter().flatten().map(|(least, _)| least).min()
    }

    /// The highest seqno of a row or range tombstone.
    pub(crate) fn max_seqno(&self) -> Option<SeqNo> {
        let marks = [self.arena.marks(), self.tombstones.marks()];
        marks.into_iter().flatten().map(|(_, greatest)| greatest).max()
    }

    /// The highest seqno of a row, range tombstones left out.
    pub(crate) fn max_row_seqno(&self) -> Option<SeqNo> {
        self.arena.marks().map(|(_, greatest)| greatest)
    }

    /// Refuses further inserts: its flush begins. Those in flight are already counted in rows and seqnos; every seek from now
    /// on waits for them, so that the flush misses nothing.
    pub(crate) fn close(&self) {
        self.arena.seal();
        self.tombstones.close();
        self.count_memory();
    }

    /// Its rows are in tables: from now on only readers hold it, and it is charged to what they pin.
    pub(crate) fn retire(&self) {
        self.pinned.get_or_init(|| Charge::new(self.charge.budget(), Account::Pinned, self.bytes() as u64));
        self.charge.resize(0);
    }

    /// Whether inserts are refused.
    pub(crate) fn is_closed(&self) -> bool {
        self.arena.is_sealed()
    }

    /// The newest row of a key, by its hash.
    fn find(&self, user_key: &[u8], hash: u64) -> Result<Option<Record<'_>>> {
        if self.is_digested { self.find_digested(user_key, hash) } else { Ok(self.find_by(user_key, hash)) }
    }

    /// The same where rows have no digests.
    #[inline]
    fn find_by(&self, user_key: &[u8], hash: u64) -> Option<Record<'_>> {
        self.index.find(&self.arena, hash, |found| Row::of(found).user_key() == user_key)
    }

    /// Makes the order hold every key whose insert has returned. Fails if it does not know where one of them belongs.
    fn fill_order(&self) -> Result<()> {
        if self.keys.fill(&self.arena) {
            self.count_memory();
        }
        if self.keys.is_damaged() { Err(self.damaged()) } else { Ok(()) }
    }

    /// Charges what the memtable takes by now. Between two counts lie few rows, small ones, and what the index grew by for them.
    fn count_memory(&self) {
        if self.pinned.get().is_none() {
            self.charge.grow_to(self.bytes() as u64);
        }
    }

    /// The newest row of the key whose first record this is.
    fn head<'a>(&'a self, first: Record<'a>) -> Result<Record<'a>> {
        if self.is_digested { self.head_digested(first) } else { Ok(self.head_of(first)) }
    }

    /// The same where rows have no digests.
    #[inline]
    fn head_of<'a>(&'a self, first: Record<'a>) -> Record<'a> {
        if !chain::is_superseded(first) {
            return first;
        }
        let user_key = Row::of(first).user_key();
        self.find_by(user_key, key_hash(self.hash_seed, user_key)).expect("a key in the order is in the index")
    }
}

impl fmt::Debug for Memtable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memtable({} rows, {} bytes)", self.rows(), self.bytes())
    }
}

/// Of the rows from this one on, the newest with a seqno strictly below `read_seqno`.
#[inline]
fn newest_below(head: Record<'_>, read_seqno: SeqNo) -> Option<Record<'_>> {
    chain::find(head, |record| is_visible(Row::of(record).seqno(), read_seqno))
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::Sealed => Error::new(ErrorKind::Closed, "the flush of the memtable has begun"),
        Refused::Full => Error::invalid_input("the row does not fit into the memtable"),
    }
}

#[cfg(test)]
mod tests;
