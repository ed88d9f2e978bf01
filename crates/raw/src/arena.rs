//! An append-only arena of records: stable addresses, any number of writers and readers, nothing freed before the whole. Large memory
//! goes from one arena to the next (see [`Spares`]).
//!
//! ```text
//!   record   [ header: payload bytes 32 | flags 32 ][ link: previous 32 | jump 32 ][ payload, padded to 8 bytes ]
//!   span     records in a row, then zeros: taken by one lane at a time
//!   lane     a writer's place: a span and how far it is used, behind a lock that is held for a few instructions
//! ```
//!
//! A writer reserves a record in whatever lane is free, which publishes its length at once; it fills the payload, lets an index
//! point at the record, and finishes it with one releasing store. So who walks the spans (see [`Walk`]) can step over what
//! is still being written, and meets every record whose finishing happened before. A reservation that is dropped unwritten
//! becomes void.
//!
//! A payload never changes once written. The link belongs to [`chain`](crate::chain). Numbers in links, indexes and sets
//! are places of written records in the same arena, which is why following them is sound: only this crate makes them, and
//! all that crosses the crate's line is a [`Record`], or a [`RecordId`] that names its arena.

use crate::{
    spares::Spares,
    sync::{
        Backoff, Mutex,
        atomic::{
            AtomicBool, AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
        lock,
    },
};
use chunk::{Chunks, FIRST_WORDS, PLACES_MAX, Words};
use std::{
    cell::Cell,
    fmt,
    sync::{Arc, atomic::AtomicU64 as PlainAtomicU64},
};

mod chunk;
mod walk;

pub use walk::Walk;

/// An append-only arena of records. Shared; reservations wait for nothing but another's few instructions.
pub struct Arena {
    tag: u64,
    chunks: Chunks,
    lanes: [Lane; LANES],
    /// How many lanes were ever used: the first so many.
    lanes_used: AtomicU32,
    sealed: AtomicBool,
    growth: Mutex<Growth>,
}

/// Why a reservation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The arena is sealed.
    Sealed,
    /// The arena is full, or the payload is too long for any.
    Full,
}

/// Room for a record, its owner's alone.
pub struct Reservation<'a> {
    record: Record<'a>,
    len: u32,
    written: bool,
    ordinal: u64,
}

/// A written record.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    arena: &'a Arena,
    words: Words<'a>,
    place: u32,
}

/// A record's name, for when a borrow will not do. Good for the arena that made it only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordId {
    arena: u64,
    place: u32,
}

impl Arena {
    /// Longest payload, in bytes.
    pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;

    /// An empty arena; the first memory is taken by the first reservation.
    pub fn new() -> Self {
        Self::with_spares(Arc::default())
    }

    /// The same, which takes memory from those before it and leaves it to those that come after.
    pub fn with_spares(spares: Arc<Spares>) -> Self {
        Self {
            tag: next_tag(),
            chunks: Chunks::new(spares),
            lanes: std::array::from_fn(|_| Lane::new()),
            lanes_used: AtomicU32::new(0),
            sealed: AtomicBool::new(false),
            growth: Mutex::new(Growth { next: FIRST_WORDS, spans: Vec::new() }),
        }
    }

    /// Reserves a record of `len` payload bytes. The arena keeps the least and the greatest `mark`.
    #[inline]
    pub fn reserve(&self, len: usize, mark: u64) -> Result<Reservation<'_>, Refused> {
        if len > Self::PAYLOAD_BYTES_MAX {
            return Err(Refused::Full);
        }
        let words = record_words(len as u32);
        let lane = self.lock_lane();
        if self.sealed.load(Relaxed) {
            return Err(Refused::Sealed);
        }
        let mut place = lane.next.load(Relaxed);
        if words <= lane.end.load(Relaxed) - place {
            lane.next.store(place + words, Relaxed);
        } else {
            place = self.take_span(&lane, words)?;
        }
        // SAFETY: `take_span` made the chunk before the lane was given its span.
        let reserved = unsafe { self.chunks.words(place) };
        let record = Record { arena: self, words: reserved, place };
        record.header().store(header(len as u32, RESERVED), Release);
        let ordinal = lane.note(words, mark);
        Ok(Reservation { record, len: len as u32, written: false, ordinal })
    }

    /// The record of a name. Panics if another arena made it.
    #[inline]
    pub fn record(&self, id: RecordId) -> Record<'_> {
        assert_eq!(id.arena, self.tag, "a record's name is good for its own arena");
        self.at(id.place)
    }

    /// The payload of a record, to be changed while nobody can read it: for tests of what readers make of memory that has changed.
    pub fn payload_mut(&mut self, id: RecordId) -> &mut [u8] {
        let record = self.record(id);
        let (words, len) = (record.words, record.payload().len());
        // SAFETY: the record is written, as above; records and payloads live as long as a shared borrow of the arena, of which there is
        // none while this exclusive one lasts.
        unsafe { words.bytes_mut(RECORD_WORDS, len) }
    }

    /// Refuses further reservations. Those made before may still be unfinished; see [`Walk::complete`].
    pub fn seal(&self) {
        self.sealed.store(true, SeqCst);
        for lane in &self.lanes {
            // Who holds the lane may have looked before the flag went up; who takes it next will see the flag.
            drop(lane.lock());
        }
    }

    /// Whether reservations are refused.
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Acquire)
    }

    /// Records reserved.
    pub fn records(&self) -> u64 {
        self.lanes_in_use().map(|lane| lane.records.load(Relaxed)).sum()
    }

    /// Bytes reserved, headers included.
    pub fn bytes(&self) -> u64 {
        self.lanes_in_use().map(|lane| lane.words.load(Relaxed) * 8).sum()
    }

    /// Whether nothing was ever reserved. Cheaper to ask than the lines that writers write to.
    #[inline]
    pub fn is_untouched(&self) -> bool {
        self.lanes_used.load(Acquire) == 0
    }

    /// The least and the greatest mark of a reservation.
    pub fn marks(&self) -> Option<(u64, u64)> {
        let marks = self.lanes_in_use().filter(|lane| lane.records.load(Acquire) > 0);
        marks.map(|lane| (lane.least.load(Relaxed), lane.greatest.load(Relaxed))).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The record at `place`, which must be that of a record of this arena whose writing happened before. (Inside this
    /// room also of one to come, whose header alone may then be looked at.)
    #[inline]
    pub(crate) fn at(&self, place: u32) -> Record<'_> {
        // SAFETY: places outside this module are those of written records, whose chunk was made before their reservation.
        Record { arena: self, words: unsafe { self.chunks.words(place) }, place }
    }

    /// Zeroed memory of a large layout, which is there as long as the arena is. Under loom there is none.
    #[cfg(not(loom))]
    pub(crate) fn block(&self, layout: std::alloc::Layout) -> std::ptr::NonNull<u8> {
        self.chunks.block(layout)
    }

    /// The number that no other arena has.
    pub(crate) fn tag(&self) -> u64 {
        self.tag
    }

    fn lanes_in_use(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().take(self.lanes_used.load(Acquire) as usize)
    }

    /// Takes a free lane, the one this thread had last if it can.
    #[inline]
    fn lock_lane(&self) -> LaneLock<'_> {
        let preferred = PREFERRED_LANE.with(Cell::get);
        match self.lanes[preferred].try_lock() {
            Some(lane) => lane,
            None => self.lock_other_lane(preferred),
        }
    }

    #[cold]
    fn lock_other_lane(&self, preferred: usize) -> LaneLock<'_> {
        let mut backoff = Backoff::default();
        let mut tries = preferred;
        loop {
            tries += 1;
            if let Some(lane) = self.lanes[tries % LANES].try_lock() {
                PREFERRED_LANE.with(|lane| lane.set(tries % LANES));
                return lane;
            }
            if tries % LANES == preferred {
                backoff.wait();
            }
        }
    }

    /// Gives the lane a new span that begins with a record of `words`, or such a record a span of its own if it is large.
    /// Returns the record's place.
    #[cold]
    fn take_span(&self, lane: &Lane, words: u32) -> Result<u32, Refused> {
        let index = (std::ptr::from_ref(lane).addr() - self.lanes.as_ptr().addr()) / size_of::<Lane>();
        self.lanes_used.fetch_max(index as u32 + 1, Release);
        let large = words > SPAN_WORDS / 4;
        let span_words = if large { words } else { SPAN_WORDS };
        let mut growth = lock(&self.growth);
        let place = growth.take(span_words).ok_or(Refused::Full)?;
        if self.chunks.ensure(place) {
            drop(growth);
            // SAFETY: the chunk was just made sure of; the span is this lane's alone, and no walk knows it yet.
            unsafe { self.chunks.words(place).clear(span_words) };
            growth = lock(&self.growth);
        }
        growth.spans.push(Span { next: place, end: place + span_words });
        if !large {
            let left = lane.next.load(Relaxed);
            if left < lane.end.load(Relaxed) {
                self.at(left).header().store(CLOSED, Release);
            }
            lane.next.store(place + words, Relaxed);
            lane.end.store(place + span_words, Relaxed);
        }
        Ok(place)
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} records, {} bytes)", self.records(), self.bytes())
    }
}

impl<'a> Reservation<'a> {
    /// How many reservations were made before in the same lane: each writer can tell its n-th by this, without counting.
    #[inline]
    pub fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// The payload, zeroed at first.
    #[inline]
    pub fn payload_mut(&mut self) -> &mut [u8] {
        // SAFETY: the lane gave these words to this reservation alone, which is borrowed exclusively while the bytes are, and
        // has handed out no record yet.
        unsafe { self.record.words.bytes_mut(RECORD_WORDS, self.len as usize) }
    }

    /// The payload is as it shall stay: the record may be pointed at.
    #[inline]
    pub fn write(mut self) -> Record<'a> {
        self.written = true;
        self.record
    }
}

impl Drop for Reservation<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.written {
            self.record.header().store(header(self.len, RESERVED | FINISHED | VOID), Release);
        }
    }
}

impl<'a> Record<'a> {
    /// The bytes written.
    #[inline]
    pub fn payload(self) -> &'a [u8] {
        let len = (self.header().load(Relaxed) >> 32) as usize;
        // SAFETY: the record is written, and whoever has it got it through an acquiring load or another way that orders
        // the writing before; the length was set by the reservation and never changes.
        unsafe { self.words.bytes(RECORD_WORDS, len) }
    }

    /// Asks for the memory of its beginning.
    #[inline]
    pub fn prefetch(self) {
        self.words.prefetch();
    }

    /// The record's name.
    #[inline]
    pub fn id(self) -> RecordId {
        RecordId { arena: self.arena.tag, place: self.place }
    }

    /// Everything that finds the record is in place: walks may deliver it. Its writer's last word.
    #[inline]
    pub fn finish(self) {
        let header = self.header();
        header.store(header.load(Relaxed) | FINISHED, Release);
    }

    /// Marks the record as the first of its key: only such are delivered by walks. Its writer's to say, before anything points
    /// at the record.
    #[inline]
    pub fn set_first(self) {
        let header = self.header();
        header.store(header.load(Relaxed) | FIRST, Relaxed);
    }

    /// The arena the record lives in.
    #[inline]
    pub(crate) fn arena(self) -> &'a Arena {
        self.arena
    }

    /// The record's number within its arena; never 0.
    #[inline]
    pub(crate) fn place(self) -> u32 {
        self.place
    }

    /// The rank in the chain, kept here because the header has room.
    #[inline]
    pub(crate) fn rank(self) -> u32 {
        self.header().load(Relaxed) as u32 >> RANK_SHIFT
    }

    /// Sets the rank, before anything points at the record.
    #[inline]
    pub(crate) fn set_rank(self, rank: u32) {
        let header = self.header();
        header.store(header.load(Relaxed) | u64::from(rank << RANK_SHIFT), Relaxed);
    }

    /// The word that the chain keeps its links in.
    #[inline]
    pub(crate) fn link(self) -> &'a AtomicU64 {
        // SAFETY: word 1 of a record is in the record's span, and never in its payload.
        unsafe { self.words.atomic(1) }
    }

    #[inline]
    fn header(self) -> &'a AtomicU64 {
        // SAFETY: word 0 of a record is in the record's span, and never in its payload.
        unsafe { self.words.atomic(0) }
    }
}

// SAFETY: a record is a shared borrow of its arena, whose contents are atomics and payloads that nobody writes any more.
unsafe impl Send for Record<'_> {}
// SAFETY: as above.
unsafe impl Sync for Record<'_> {}

impl PartialEq for Record<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Record<'_> {}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({}: \"{}\")", self.place, self.payload().escape_ascii())
    }
}

/// Writers beyond this many at the same instant wait for one another.
const LANES: usize = if cfg!(loom) { 2 } else { 16 };

/// Words in a lane's span: 64 KiB.
const SPAN_WORDS: u32 = FIRST_WORDS;

/// Words before a payload.
const RECORD_WORDS: usize = 2;

/// The header where a lane left its span for another.
const CLOSED: u64 = u64::MAX;

const RESERVED: u64 = 1;
const FINISHED: u64 = 1 << 1;
const VOID: u64 = 1 << 2;
const FIRST: u64 = 1 << 3;
const RANK_SHIFT: u32 = 8;

#[inline]
fn header(len: u32, flags: u64) -> u64 {
    u64::from(len) << 32 | flags
}

#[inline]
fn record_words(len: u32) -> u32 {
    RECORD_WORDS as u32 + len.div_ceil(8)
}

/// What no span was made of yet, and the spans made.
struct Growth {
    next: u32,
    spans: Vec<Span>,
}

/// Words of one chunk that hold records in a row, from `next` on for somebody who knows those before.
#[derive(Clone, Copy, Debug)]
struct Span {
    next: u32,
    end: u32,
}

impl Growth {
    /// So many words in a row, in one chunk. What a chunk has left when the next is begun stays unused, and untouched.
    fn take(&mut self, words: u32) -> Option<u32> {
        let mut place = self.next;
        loop {
            let end = chunk::chunk_end(place);
            if words <= end - place {
                self.next = place + words;
                // The last chunk is never entered, so that places stay below their maximum with room to compute.
                return (self.next < PLACES_MAX / 2).then_some(place);
            }
            if end >= PLACES_MAX / 2 {
                return None;
            }
            place = end;
        }
    }
}

/// A writer's place. The counts are written under the lock and read by anybody.
#[repr(align(128))]
struct Lane {
    locked: AtomicBool,
    next: AtomicU32,
    end: AtomicU32,
    records: AtomicU64,
    words: AtomicU64,
    least: AtomicU64,
    greatest: AtomicU64,
}

struct LaneLock<'a>(&'a Lane);

impl Lane {
    fn new() -> Self {
        Self {
            locked: AtomicBool::new(false),
            next: AtomicU32::new(0),
            end: AtomicU32::new(0),
            records: AtomicU64::new(0),
            words: AtomicU64::new(0),
            least: AtomicU64::new(u64::MAX),
            greatest: AtomicU64::new(0),
        }
    }

    #[inline]
    fn try_lock(&self) -> Option<LaneLock<'_>> {
        self.locked.compare_exchange(false, true, Acquire, Relaxed).is_ok().then(|| LaneLock(self))
    }

    fn lock(&self) -> LaneLock<'_> {
        let mut backoff = Backoff::default();
        loop {
            if let Some(lane) = self.try_lock() {
                return lane;
            }
            backoff.wait();
        }
    }

    /// Counts a reservation, and returns how many there were before. Under the lock.
    #[inline]
    fn note(&self, words: u32, mark: u64) -> u64 {
        let before = self.records.load(Relaxed);
        self.words.store(self.words.load(Relaxed) + u64::from(words), Relaxed);
        self.least.store(self.least.load(Relaxed).min(mark), Relaxed);
        self.greatest.store(self.greatest.load(Relaxed).max(mark), Relaxed);
        self.records.store(before + 1, Release);
        before
    }
}

impl std::ops::Deref for LaneLock<'_> {
    type Target = Lane;
    fn deref(&self) -> &Lane {
        self.0
    }
}

impl Drop for LaneLock<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.locked.store(false, Release);
    }
}

fn next_tag() -> u64 {
    // Plain even under loom: it orders nothing.
    static NEXT: PlainAtomicU64 = PlainAtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

#[cfg(loom)]
loom::thread_local! {
    static PREFERRED_LANE: Cell<usize> = Cell::new(0);
}
#[cfg(not(loom))]
thread_local! {
    /// The lane that this thread found free last. Threads that collide part by this, and stay apart.
    static PREFERRED_LANE: Cell<usize> = const { Cell::new(0) };
}

#[cfg(all(test, not(loom)))]
mod tests;
