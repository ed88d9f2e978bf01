//! `Walk`: meeting every finished record of an arena once, in passes, beside its writers.

use super::{Arena, CLOSED, FINISHED, FIRST, Record, Span, VOID, record_words};
use crate::sync::{Backoff, atomic::Ordering::Acquire, lock};

/// How far somebody has walked through an arena. One caller at a time.
#[derive(Debug, Default)]
pub struct Walk {
    /// The spans that may grow further.
    open: Vec<Span>,
    spans_seen: usize,
    /// Records stepped over because they were not finished.
    unfinished: Vec<u32>,
    records: u64,
}

impl Walk {
    /// At the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Delivers every first record of a key whose finishing happened before and that no earlier pass delivered.
    pub fn advance<'a>(&mut self, arena: &'a Arena, mut visit: impl FnMut(Record<'a>)) {
        self.unfinished.retain(|place| {
            let record = arena.at(*place);
            let flags = record.header().load(Acquire);
            deliver(record, flags, &mut visit);
            flags & FINISHED == 0
        });
        let seen = self.spans_seen;
        {
            let growth = lock(&arena.growth);
            self.open.extend_from_slice(&growth.spans[seen..]);
            self.spans_seen = growth.spans.len();
        }
        let (unfinished, records) = (&mut self.unfinished, &mut self.records);
        self.open.retain_mut(|span| {
            while span.next < span.end {
                let record = arena.at(span.next);
                let header = record.header().load(Acquire);
                if header == 0 {
                    // A lane writes its headers in a row, so nothing that happened before lies behind this one.
                    return true;
                }
                if header == CLOSED {
                    return false;
                }
                *records += 1;
                let flags = header;
                deliver(record, flags, &mut visit);
                if flags & FINISHED == 0 {
                    unfinished.push(span.next);
                }
                span.next += record_words((header >> 32) as u32);
            }
            false
        });
    }

    /// Goes on until everything of a sealed arena was delivered, waiting for what is unfinished.
    pub fn complete<'a>(&mut self, arena: &'a Arena, mut visit: impl FnMut(Record<'a>)) {
        assert!(arena.is_sealed(), "an arena in use has no end");
        let mut backoff = Backoff::default();
        loop {
            self.advance(arena, &mut visit);
            if self.unfinished.is_empty() {
                return;
            }
            backoff.wait();
        }
    }

    /// Records met, of whatever state.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Records met that were not finished.
    pub fn unfinished(&self) -> usize {
        self.unfinished.len()
    }
}

fn deliver<'a>(record: Record<'a>, flags: u64, visit: &mut impl FnMut(Record<'a>)) {
    if flags & (FINISHED | VOID | FIRST) == FINISHED | FIRST {
        visit(record);
    }
}
