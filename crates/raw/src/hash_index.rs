//! A concurrent index from hashes to records: lines of eight words, each a tag and a place.
//!
//! ```text
//!   hash     [ shard 6 | line, as many bits as the shard's table has ... ]   the upper 32 bits are the tag
//!   shard    a lock for writers, a table that is replaced by one of twice the size above a load of 0.6
//!   line     8 words { tag 32 | place 32 }; filled from the left and never emptied; a full line goes on in the next
//! ```
//!
//! One cache line answers most lookups, and a key that is absent is found absent without a look at any record. The tag
//! holds all the bits that choose a line, so a table is copied into a larger one without a look at records either. A
//! key has one word in one table at any time: writers of a shard take turns, and readers follow the shard's table under the
//! epoch pin. A reader who holds a table that is being replaced sees every word that was there when it began.

use crate::{
    arena::{Arena, Record},
    epoch::{Pin, Swap},
    simd::prefetch,
    sync::{
        Arc, Backoff,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};
use lines::Lines;
use std::fmt;

mod lines;

/// A concurrent index over the records of one arena. Shared; readers never block, writers of one shard take turns.
pub struct HashIndex {
    arena: u64,
    shards: Box<[Shard]>,
    /// In all tables.
    words: AtomicUsize,
}

impl HashIndex {
    /// An index over records of `arena`, with room for `keys` before it grows.
    pub fn new(arena: &Arena, keys: usize) -> Self {
        let words_per_shard = (keys / SHARDS * 10).div_ceil(6);
        let lines = words_per_shard.div_ceil(LINE_WORDS).next_power_of_two();
        let shards = Lines::of_arena(arena, SHARDS, lines).map(Shard::new).collect();
        Self { arena: arena.tag(), shards, words: AtomicUsize::new(SHARDS * lines * LINE_WORDS) }
    }

    /// The record last stored for the key with this hash.
    #[inline]
    pub fn find<'a>(&self, arena: &'a Arena, hash: u64, mut is_key: impl FnMut(Record<'a>) -> bool) -> Option<Record<'a>> {
        assert_eq!(self.arena, arena.tag(), "an index knows one arena");
        let table = self.shard(hash).table.load();
        match table.probe(arena, tag(hash), &mut is_key) {
            Probe::Found(_, record) => Some(record),
            Probe::Absent(_) => None,
        }
    }

    /// Asks for the memory that a lookup of this hash begins with. Worth it where there is other work to do first; the caller
    /// is pinned, so that the lookup's own pin costs little.
    #[inline]
    pub fn prefetch(&self, hash: u64, pin: &Pin) {
        let table = self.shard(hash).table.load_under(pin);
        prefetch(table.lines.address(table.line(tag(hash))));
    }

    /// Asks for the memory of the records that a lookup of this hash would look at. Worth it once what [`HashIndex::prefetch`] asked
    /// for is there.
    #[inline]
    pub fn prefetch_records(&self, arena: &Arena, hash: u64, pin: &Pin) {
        assert_eq!(self.arena, arena.tag(), "an index knows one arena");
        let table = self.shard(hash).table.load_under(pin);
        let tag = tag(hash);
        for word in &table.lines(arena)[table.line(tag)].0 {
            let found = word.load(Acquire);
            if found != 0 && (found >> 32) as u32 == tag {
                arena.at(found as u32).prefetch();
            }
        }
    }

    /// Stores a record for the key with this hash: `link` gets the record stored last, if any, and returns the one to store.
    /// It runs with the key's lock held, so that no other `upsert` of the key runs meanwhile; it must not call back.
    #[inline]
    pub fn upsert<'a>(
        &self,
        arena: &'a Arena,
        hash: u64,
        mut is_key: impl FnMut(Record<'a>) -> bool,
        link: impl FnOnce(Option<Record<'a>>) -> Record<'a>,
    ) {
        assert_eq!(self.arena, arena.tag(), "an index knows one arena");
        let shard = self.shard(hash);
        let tag = tag(hash);
        let lock = shard.lock();
        // Writers are pinned, so that no guard of theirs frees a table that was replaced.
        if shard.table.has_retired() {
            shard.table.collect();
        }
        let table = shard.table.load();
        let (word, record) = match table.probe(arena, tag, &mut is_key) {
            Probe::Found(word, head) => {
                let record = link(Some(head));
                if record.place() == head.place() {
                    return;
                }
                (word, record)
            }
            Probe::Absent(word) => {
                shard.keys.store(shard.keys.load(Relaxed) + 1, Relaxed);
                (word, link(None))
            }
        };
        assert_eq!(self.arena, record.arena().tag(), "an index knows one arena");
        word.store(pack(tag, record.place()), Release);
        if shard.keys.load(Relaxed) * 10 > table.words() * 6 {
            let grown = table.grown(arena);
            let given_back = if table.lines.are_own() { table.words() } else { 0 };
            self.words.fetch_add(grown.words() - given_back, Relaxed);
            drop(table);
            shard.table.store(Arc::new(grown));
        }
        drop(lock);
    }

    /// Keys stored.
    pub fn keys(&self) -> usize {
        self.shards.iter().map(|shard| shard.keys.load(Relaxed)).sum()
    }

    /// Memory in use.
    pub fn bytes(&self) -> usize {
        self.words.load(Relaxed) * 8
    }

    #[inline]
    fn shard(&self, hash: u64) -> &Shard {
        &self.shards[if SHARDS == 1 { 0 } else { (hash >> (64 - SHARD_BITS)) as usize }]
    }
}

impl fmt::Debug for HashIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashIndex({} keys)", self.keys())
    }
}

const SHARD_BITS: u32 = if cfg!(loom) { 0 } else { 6 };
const SHARDS: usize = 1 << SHARD_BITS;
const LINE_WORDS: usize = if cfg!(loom) { 2 } else { 8 };

#[repr(align(64))]
struct Shard {
    locked: AtomicBool,
    keys: AtomicUsize,
    table: Swap<Table>,
}

impl Shard {
    fn new(lines: Lines) -> Self {
        Self { locked: AtomicBool::new(false), keys: AtomicUsize::new(0), table: Swap::new(Arc::new(Table { lines })) }
    }

    #[inline]
    fn lock(&self) -> ShardLock<'_> {
        let mut backoff = Backoff::default();
        while self.locked.compare_exchange_weak(false, true, Acquire, Relaxed).is_err() {
            backoff.wait();
        }
        ShardLock(self)
    }
}

struct ShardLock<'a>(&'a Shard);

impl Drop for ShardLock<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.locked.store(false, Release);
    }
}

#[repr(align(64))]
struct Line([AtomicU64; LINE_WORDS]);

/// A power of two of lines, never full. They may lie in the arena: whoever looks at them has it.
struct Table {
    lines: Lines,
}

enum Probe<'t, 'a> {
    Found(&'t AtomicU64, Record<'a>),
    /// With the word that a record of the key would go to.
    Absent(&'t AtomicU64),
}

impl Table {
    fn words(&self) -> usize {
        self.lines.count() * LINE_WORDS
    }

    /// The lines of a table of an index that knows this arena.
    #[inline]
    fn lines<'t>(&'t self, _arena: &'t Arena) -> &'t [Line] {
        // SAFETY: every table of an index was made for the arena that the index knows, which whoever searches or stores has been asked for;
        // it is there as long as the result.
        unsafe { self.lines.all() }
    }

    /// The line where the search for `tag` begins: the bits behind the shard's.
    #[inline]
    fn line(&self, tag: u32) -> usize {
        let bits = self.lines.count().ilog2();
        // In two shifts, because a shift by all 64 is not defined.
        ((u64::from(tag) << (32 + SHARD_BITS)) >> 1 >> (63 - bits)) as usize
    }

    #[inline]
    fn probe<'t, 'a: 't>(&'t self, arena: &'a Arena, tag: u32, is_key: &mut impl FnMut(Record<'a>) -> bool) -> Probe<'t, 'a> {
        let (lines, mut index) = (self.lines(arena), self.line(tag));
        loop {
            let line = &lines[index & (lines.len() - 1)];
            for word in &line.0 {
                let found = word.load(Acquire);
                if found == 0 {
                    return Probe::Absent(word);
                }
                if (found >> 32) as u32 == tag {
                    let record = arena.at(found as u32);
                    if is_key(record) {
                        return Probe::Found(word, record);
                    }
                }
            }
            index += 1;
        }
    }

    /// A table of twice the size with the same words. One caller at a time, while nobody stores.
    #[cold]
    fn grown(&self, arena: &Arena) -> Self {
        let grown = Self { lines: Lines::new(self.lines.count() * 2) };
        for word in self.lines(arena).iter().flat_map(|line| &line.0) {
            let word = word.load(Relaxed);
            if word != 0 {
                grown.place(arena, word);
            }
        }
        grown
    }

    fn place(&self, arena: &Arena, word: u64) {
        let (lines, mut index) = (self.lines(arena), self.line((word >> 32) as u32));
        loop {
            let line = &lines[index & (lines.len() - 1)];
            if let Some(free) = line.0.iter().find(|free| free.load(Relaxed) == 0) {
                free.store(word, Relaxed);
                return;
            }
            index += 1;
        }
    }
}

#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[inline]
fn pack(tag: u32, place: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(place)
}

#[cfg(all(test, not(loom)))]
mod tests;
