//! The order of commits: who comes next, and what waits to be written. Everything under one short lock, without I/O.
//!
//! Records wait in the order of their seqnos: first those that stand already (commits of
//! [`Durability::Memory`](crate::Durability::Memory)), then those that are not decided.
//! When a write fails, every undecided record is refused and its seqnos are given again: nothing was applied yet.

use crate::wal::{
    format::RecordKind,
    prepared::Prepared,
    submitted::{Settled, Submitted},
    sync::Position,
    watch::Watches,
};
use sediment_base::{Account, Error, MemoryBudget, Result, SeqNo, budget::Charge, seqno::SEQNO_MAX};
use sediment_raw::ratchet::{Step, Ticket, Tickets};
use std::sync::Arc;

/// Records that stand and may wait in the process, in bytes.
pub(super) const WAITING_BYTES_MAX: u64 = 1 << 20;
/// What waits is charged in steps of this size: it changes with every commit.
const CHARGE_STEP_BYTES: u64 = 64 << 10;

/// Who comes next, and what waits. What every commit changes comes first, beside the lock: where threads commit in turn, each cache line
/// that was written has to come from another processor before the lock is free again.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Order {
    next: SeqNo,
    /// Every record with smaller seqnos stands.
    settled: SeqNo,
    /// Records that are not decided: waiting, or being written.
    undecided: usize,
    tickets: Tickets,
    waiting: Vec<Arc<Submitted>>,
    waiting_bytes: u64,
    charge: Charge,
    pub(super) is_closed: bool,
    pub(super) watches: Watches,
}

impl Order {
    /// Goes on at `next`.
    pub(super) fn new(next: SeqNo, tickets: Tickets, budget: &Arc<MemoryBudget>) -> Self {
        let charge = Charge::new(budget, Account::Log, 0);
        let (waiting, waiting_bytes, undecided, is_closed) = (Vec::new(), 0, 0, false);
        Self { next, settled: next, waiting, waiting_bytes, charge, undecided, is_closed, watches: Watches::default(), tickets }
    }

    /// Every record with smaller seqnos stands; seqnos from here on may be given again.
    pub(super) fn settled(&self) -> SeqNo {
        self.settled
    }

    /// The seqno that the next record gets.
    pub(super) fn next(&self) -> SeqNo {
        self.next
    }

    /// Whether a record may stand without being written: it fits, and none before it is in doubt.
    pub(super) fn may_wait(&self, record: &Prepared<'_>) -> bool {
        self.undecided == 0 && self.waiting_bytes + record.stored_bytes() <= WAITING_BYTES_MAX
    }

    /// Whether anything waits to be written.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether nothing waits and nothing is in doubt.
    pub(super) fn is_idle(&self) -> bool {
        self.undecided == 0 && self.waiting.is_empty()
    }

    /// Gives a record its seqnos, of which the first is returned. It is not lined up: the caller has it written under this lock, and then
    /// lets it stand, or withdraws it.
    pub(super) fn place(&mut self, record: &Prepared<'_>) -> Result<SeqNo> {
        let end = self.next.checked_add(record.count().into()).filter(|end| *end < SEQNO_MAX);
        let end = end.ok_or_else(|| Error::invalid_input("the database has used up its sequence numbers"))?;
        self.watches.look_at(record);
        self.undecided += 1;
        Ok(std::mem::replace(&mut self.next, end))
    }

    /// Gives a record its seqnos and puts it at the end.
    pub(super) fn push(&mut self, record: Prepared<'static>) -> Result<Arc<Submitted>> {
        let bytes = record.stored_bytes();
        let submitted = Arc::new(Submitted::new(self.place(&record)?, record));
        self.waiting_bytes += bytes;
        self.count_memory();
        self.waiting.push(Arc::clone(&submitted));
        Ok(submitted)
    }

    /// Takes all that waits, to be written; ends with [`Order::settle`] or [`Order::refuse`]. What comes next gathers in `empty`,
    /// for its memory.
    pub(super) fn take(&mut self, empty: Vec<Arc<Submitted>>) -> Vec<Arc<Submitted>> {
        debug_assert!(empty.is_empty());
        self.waiting_bytes = 0;
        self.count_memory();
        std::mem::replace(&mut self.waiting, empty)
    }

    /// Lets a record stand, which is the oldest that does not; its place in the order of visibility, if it takes seqnos.
    pub(super) fn let_stand(&mut self, record: &Prepared<'_>) -> Option<Ticket> {
        self.undecided -= 1;
        let count = record.count();
        self.settled += SeqNo::from(count);
        let step = if count == 1 && record.kind() == RecordKind::Batch { Step::One } else { Step::Several };
        (count > 0).then(|| self.ticket(step))
    }

    /// The same, and tells whoever waits for it.
    pub(super) fn settle(&mut self, submitted: &Submitted, position: Option<Position>) {
        let ticket = self.let_stand(submitted.record());
        submitted.settle(Settled { ticket, position });
    }

    /// Takes back the only record that does not stand. Its seqnos are given again.
    pub(super) fn withdraw(&mut self) {
        self.undecided -= 1;
        self.next = self.settled;
    }

    /// After a failed write of `batch`: what stands waits on, all else is refused.
    pub(super) fn refuse(&mut self, batch: Vec<Arc<Submitted>>, error: &Error) {
        let newer = self.take(Vec::new());
        for submitted in batch.into_iter().chain(newer) {
            if submitted.is_decided() {
                self.waiting_bytes += submitted.record().stored_bytes();
                self.waiting.push(submitted);
            } else {
                submitted.refuse(error.clone());
            }
        }
        self.count_memory();
        self.undecided = 0;
        self.next = self.settled;
    }

    #[inline]
    fn count_memory(&self) {
        let bytes = self.waiting_bytes / CHARGE_STEP_BYTES * CHARGE_STEP_BYTES;
        if bytes != self.charge.bytes() {
            self.charge.resize(bytes);
        }
    }

    /// A place in the order of visibility. There is room but for thousands of threads at once: then the oldest are let through.
    fn ticket(&mut self, step: Step) -> Ticket {
        loop {
            if let Some(ticket) = self.tickets.take(self.settled, step) {
                return ticket;
            }
            std::hint::spin_loop();
        }
    }
}
