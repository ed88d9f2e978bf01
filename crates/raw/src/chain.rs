//! Chains: the records of one key, in an order that the caller gives, whatever the order of their arrival.
//!
//! A chain runs from its head through `previous` links. Besides, each record has a *rank* and a *jump* to some record further
//! down, and a search jumps as long as that does not pass its goal. New heads get skew-binary jumps (Myers, "An
//! applicative random-access stack", 1983): constant work to add, logarithmic to find any place. Records that arrive late
//! draw their rank from a geometric distribution and jump to the next record of at least that rank; the jumps of
//! lower rank that pass their place, all of which the search for the place met, are shortened to them.
//!
//! Readers walk while a chain is written. Adding is for one caller at a time per key: the index calls with the key's lock held.
//! Two at once would lose a record, never memory.

use crate::{
    arena::{Arena, Record},
    sync::atomic::Ordering::{Acquire, Relaxed, Release},
};

/// The first record, from `head` on, that satisfies `found`. `found` must hold for all records behind one for which it holds.
#[inline]
pub fn find<'a>(head: Record<'a>, mut found: impl FnMut(Record<'a>) -> bool) -> Option<Record<'a>> {
    let mut record = head;
    while !found(record) {
        let link = Link::of(record);
        record = match link.jump(record.arena()) {
            Some(target) if !found(target) => target,
            _ => link.previous(record.arena())?,
        };
    }
    Some(record)
}

/// The last record, from `head` on, that is ahead of some place; none if `head` is not. `is_ahead` must hold for all records
/// before one for which it holds.
pub fn last_ahead<'a>(head: Record<'a>, mut is_ahead: impl FnMut(Record<'a>) -> bool) -> Option<Record<'a>> {
    is_ahead(head).then(|| walk_ahead(head, is_ahead, |_| ()))
}

/// The record behind this one.
#[inline]
pub fn previous(record: Record<'_>) -> Option<Record<'_>> {
    Link::of(record).previous(record.arena())
}

/// Whether a newer head than this first record of its key exists: the index must be asked for it.
#[inline]
pub fn is_superseded(first: Record<'_>) -> bool {
    Link::of(first).jump & SUPERSEDED != 0
}

/// Adds `new`, a record that nothing points at yet, behind all records for which `stays_ahead` holds; those must form
/// the front of the chain. Returns the head, which the caller must publish if it is `new`.
pub fn add<'a>(head: Record<'a>, new: Record<'a>, mut stays_ahead: impl FnMut(Record<'a>) -> bool) -> Record<'a> {
    assert_eq!(head.arena().tag(), new.arena().tag(), "a chain lies in one arena");
    if !stays_ahead(head) {
        link_as_head(head, new);
        let link = Link::of(head);
        if link.jump & SUPERSEDED == 0 {
            // Releasing like any store of this word: its `previous` part may be news to who reads it here first.
            Link { jump: link.jump | SUPERSEDED, ..link }.store(head, Release);
        }
        return new;
    }
    let mut passed = Vec::new();
    let ahead = walk_ahead(head, stays_ahead, |record| passed.push(record));
    link_late(previous(ahead), new);
    for record in passed {
        let mut link = Link::of(record);
        if record.rank() <= new.rank() {
            link.jump = link.jump & SUPERSEDED | new.place();
        }
        if record == ahead {
            link.previous = new.place();
        }
        link.store(record, Release);
    }
    head
}

/// The last record that is ahead of a place, given that `head` is. Calls `pass` with all records whose jumps pass the place,
/// that record included.
fn walk_ahead<'a>(
    head: Record<'a>,
    mut is_ahead: impl FnMut(Record<'a>) -> bool,
    mut pass: impl FnMut(Record<'a>),
) -> Record<'a> {
    let mut record = head;
    loop {
        let link = Link::of(record);
        if let Some(target) = link.jump(record.arena())
            && is_ahead(target)
        {
            record = target;
            continue;
        }
        pass(record);
        match link.previous(record.arena()) {
            Some(previous) if is_ahead(previous) => record = previous,
            _ => return record,
        }
    }
}

/// Gives `new` its rank and links as the head before `head`.
fn link_as_head<'a>(head: Record<'a>, new: Record<'a>) {
    let (mut rank, mut target) = (1, head);
    if let Some(below) = Link::of(head).jump(head.arena())
        && below.rank() == head.rank()
        && let Some(further) = Link::of(below).jump(head.arena())
    {
        (rank, target) = (head.rank() + 1, further);
    }
    new.set_rank(rank.min(RANK_MAX));
    Link { previous: head.place(), jump: target.place() }.store(new, Relaxed);
}

/// Gives `new` its rank and links as a record before `behind`.
fn link_late<'a>(behind: Option<Record<'a>>, new: Record<'a>) {
    // Mixed twice: a bare product spreads the places of records of one size too evenly to tell them apart.
    let mixed = new.place().wrapping_mul(0x9E37_79B1);
    let rank = (mixed ^ mixed >> 15).wrapping_mul(0x85EB_CA6B).leading_zeros();
    new.set_rank(rank);
    let mut target = behind;
    while let Some(record) = target
        && record.rank() < rank
    {
        target = Link::of(record).jump(record.arena());
    }
    let place = |record: Option<Record<'_>>| record.map_or(0, Record::place);
    Link { previous: place(behind), jump: place(target) }.store(new, Relaxed);
}

/// Beyond any chain that fits into an arena.
const RANK_MAX: u32 = 63;

/// In a jump: a newer head than this record exists. Places leave the bit free.
const SUPERSEDED: u32 = 1 << 31;

/// The two links of a record. Places in them are those of written records: they are stored here only, from records.
#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    jump: u32,
}

impl Link {
    #[inline]
    fn of(record: Record<'_>) -> Self {
        let word = record.link().load(Acquire);
        Self { previous: word as u32, jump: (word >> 32) as u32 }
    }

    #[inline]
    fn store(self, record: Record<'_>, ordering: crate::sync::atomic::Ordering) {
        record.link().store(u64::from(self.jump) << 32 | u64::from(self.previous), ordering);
    }

    #[inline]
    fn previous(self, arena: &Arena) -> Option<Record<'_>> {
        (self.previous != 0).then(|| arena.at(self.previous))
    }

    #[inline]
    fn jump(self, arena: &Arena) -> Option<Record<'_>> {
        let place = self.jump & !SUPERSEDED;
        (place != 0).then(|| arena.at(place))
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
