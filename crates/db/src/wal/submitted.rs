//! A record on its way into the log, and what became of it.

use crate::wal::{prepared::Prepared, sync::Position};
use sediment_base::{Error, Result, SeqNo};
use sediment_raw::ratchet::Ticket;
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

/// A record that has its seqnos. Whoever submitted it waits until it is decided; whoever leads decides.
#[derive(Debug)]
pub(crate) struct Submitted {
    seqno: SeqNo,
    record: Prepared<'static>,
    is_decided: AtomicBool,
    outcome: Mutex<Option<Result<Settled>>>,
}

/// The record stands: its seqnos are never given again.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Its place in the order in which commits become visible; none where it takes no seqno.
    pub(crate) ticket: Option<Ticket>,
    /// Where the write ended that took it into a file; none while it waits in the process.
    pub(crate) position: Option<Position>,
}

impl Submitted {
    pub(super) fn new(seqno: SeqNo, record: Prepared<'static>) -> Self {
        Self { seqno, record, is_decided: AtomicBool::new(false), outcome: Mutex::new(None) }
    }

    /// A record that stood before this process began.
    pub(super) fn standing(seqno: SeqNo, record: Prepared<'static>) -> Self {
        Self { seqno, record, is_decided: AtomicBool::new(true), outcome: Mutex::new(None) }
    }

    /// Its first seqno.
    pub(crate) fn seqno(&self) -> SeqNo {
        self.seqno
    }

    /// The seqno after its last.
    pub(crate) fn end_seqno(&self) -> SeqNo {
        self.seqno + SeqNo::from(self.record.count())
    }

    pub(crate) fn record(&self) -> &Prepared<'static> {
        &self.record
    }

    /// Whether it stands or was refused.
    #[inline]
    pub(super) fn is_decided(&self) -> bool {
        self.is_decided.load(Ordering::Acquire)
    }

    pub(super) fn settle(&self, settled: Settled) {
        self.decide(Ok(settled));
    }

    pub(super) fn refuse(&self, error: Error) {
        self.decide(Err(error));
    }

    /// What became of it. To be asked once, after it was decided.
    pub(super) fn outcome(&self) -> Result<Settled> {
        self.outcome.lock().expect("no code panics under this lock").take().expect("decided, and asked once")
    }

    fn decide(&self, outcome: Result<Settled>) {
        *self.outcome.lock().expect("no code panics under this lock") = Some(outcome);
        self.is_decided.store(true, Ordering::Release);
    }
}
