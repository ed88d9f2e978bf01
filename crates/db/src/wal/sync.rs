//! Syncing the log: few syncs at a time, for all who wait.
//!
//! What is written need not be durable when the next file begins: the file is then left *behind*, and a sync of a later one syncs it first.
//! So a place in the log is durable only if everything before it is, or is not needed any more.
//!
//! A sync covers everything that was written when it began. Whoever finds no running sync that covers its record begins one, up
//! to two at a time, since the second often costs nothing; the others wait and find their records durable. The durable position is
//! published in the order in which syncs began, and a failure ends all writing: also what an overlapping sync reports as done is
//! not believed then.

use crate::{
    instruments::Instruments,
    wal::{fatal::Fatal, files::OpenFile, format::CREATION_BYTES, lots::Lots},
};
use sediment_base::{
    Result, SeqNo, WalId,
    planted::{Bug, planted},
    stats::{Counter, Histogram},
};
use sediment_env::LogFile;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// Syncs that may run at once.
const SYNCS_MAX: usize = 2;

/// How much of the file that is written may wait for a sync where syncs are asked for: the next one takes no longer.
const BACKLOG_BYTES: u64 = 8 << 20;
/// Syncs are expected in the file in which one was asked for, and in the next one.
const ASKED_FILES: u64 = 2;

/// A place in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) file: WalId,
    pub(crate) offset: u64,
}

/// Who syncs, and how far it is done. Shared.
#[derive(Debug)]
pub(crate) struct Syncer {
    state: Mutex<State>,
    /// How far the file is written; set after the system has the bytes, by who writes, and only then
    written_offset: AtomicU64,
    /// the seqno below which every record lies before that. Who reads the seqno first finds an offset that is no smaller than its own.
    written_seqno: AtomicU64,
    /// Durable offset in the file that is written, for the records to carry.
    synced_upto: AtomicU64,
    /// In how many files, with the one that is written, syncs are expected because somebody asked for one.
    asked: AtomicU64,
    fatal: Arc<Fatal>,
    lots: Arc<Lots>,
    instruments: Arc<Instruments>,
}

#[derive(Debug)]
struct State {
    written: Option<OpenLog>,
    /// Files before that one that are not durable to their ends, oldest first.
    behind: Vec<OpenLog>,
    durable: Reached,
    /// In the order in which they began.
    running: VecDeque<Running>,
    begun: u64,
}

/// The file that is written.
#[derive(Clone, Debug)]
struct OpenLog {
    id: WalId,
    log: Arc<dyn LogFile>,
}

/// A place, and that every record with a smaller seqno lies before it.
#[derive(Clone, Copy, Debug)]
struct Reached {
    position: Position,
    seqno: SeqNo,
}

#[derive(Debug)]
struct Running {
    number: u64,
    goal: Reached,
    is_done: bool,
}

impl Syncer {
    /// Nothing is written yet; what lies below `seqno` is known to be durable.
    pub(crate) fn new(seqno: SeqNo, fatal: Arc<Fatal>, lots: Arc<Lots>, instruments: Arc<Instruments>) -> Self {
        let durable = Reached { position: Position::default(), seqno };
        let state = State { written: None, behind: Vec::new(), durable, running: VecDeque::new(), begun: 0 };
        let [written_offset, written_seqno, synced_upto, asked] = [0, seqno, 0, 0].map(AtomicU64::new);
        Self { state: Mutex::new(state), written_offset, written_seqno, synced_upto, asked, fatal, lots, instruments }
    }

    /// The offset before which the file that is written is durable.
    #[inline]
    pub(crate) fn synced_upto(&self) -> u64 {
        self.synced_upto.load(Ordering::Acquire)
    }

    /// Tells how far the file is written. Called in order, by who writes.
    pub(crate) fn written(&self, offset: u64, seqno: SeqNo) {
        self.written_offset.store(offset, Ordering::Release);
        self.written_seqno.store(seqno, Ordering::Release);
    }

    /// Goes over to a new file, of which only the birth is durable.
    pub(crate) fn switch(&self, file: &OpenFile) {
        let mut state = self.lock();
        let is_durable = self.written_in(&state).is_none_or(|written| state.durable.position >= written.position);
        let before = state.written.take().filter(|_| !is_durable);
        state.behind.extend(before);
        state.written = Some(OpenLog { id: file.id, log: Arc::clone(&file.log) });
        self.written_offset.store(CREATION_BYTES, Ordering::Release);
        self.written_seqno.store(state.durable.seqno, Ordering::Release);
        self.synced_upto.store(CREATION_BYTES, Ordering::Release);
        let asked = self.asked.load(Ordering::Relaxed).saturating_sub(1);
        self.asked.store(asked, Ordering::Relaxed);
        file.log.expect_syncs(asked > 0);
    }

    /// Syncs what is written, if it is so much that whoever asks for the next sync would wait for long. Where nobody asks for syncs nothing
    /// is: most of a log is removed before the system writes it to the disk.
    pub(crate) fn sync_backlog(&self) -> Result<bool> {
        if !self.has_backlog() {
            return Ok(false);
        }
        let written = self.written_in(&self.lock());
        written.map_or(Ok(()), |reached| self.sync_to(reached.position)).map(|()| true)
    }

    /// Somebody asks for a sync who is likely to ask for more.
    pub(crate) fn expect_more(&self) {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked < ASKED_FILES {
            self.asked.store(ASKED_FILES, Ordering::Relaxed);
        }
        if asked == 0
            && let Some(written) = &self.lock().written
        {
            written.log.expect_syncs(true);
        }
    }

    /// Whether there is something to sync unasked.
    pub(crate) fn has_backlog(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > 0 && self.written_bytes().saturating_sub(self.synced_upto()) >= BACKLOG_BYTES
    }

    /// Returns once everything before `position` is durable. It was written before: no sync reaches further than that, and whoever waited
    /// for one that does would sync for ever.
    pub(crate) fn sync_to(&self, position: Position) -> Result<()> {
        loop {
            let mut state = self.lock();
            if state.durable.position >= position {
                return Ok(());
            }
            self.fatal.check()?;
            let is_covered = state.running.iter().any(|running| running.goal.position >= position);
            if !is_covered && state.running.len() < SYNCS_MAX {
                let Some((open, goal)) = state.written.clone().zip(self.written_in(&state)) else { return Ok(()) };
                let number = state.begin(goal);
                let behind = if planted(Bug::SyncNewestFileOnly) { Vec::new() } else { state.behind.clone() };
                drop(state);
                assert!(goal.position >= position, "what is synced is written before: {position:?} lies behind {goal:?}");
                self.run(number, &behind, &open)?;
                continue;
            }
            drop(state);
            self.lots.synced.wait_until(&mut || self.is_settled(position));
        }
    }

    /// Whether every record below `seqno` is durable.
    pub(crate) fn is_durable(&self, seqno: SeqNo) -> bool {
        self.lock().durable.seqno >= seqno
    }

    /// Files before `oldest` are not needed any more, and not synced.
    pub(crate) fn forget_before(&self, oldest: WalId) {
        self.lock().behind.retain(|file| file.id >= oldest);
    }

    /// How long the file is that is written.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.written_offset.load(Ordering::Acquire)
    }

    /// Whether a waiter has something to do: it is durable, or failed, or a sync can begin for it.
    fn is_settled(&self, position: Position) -> bool {
        let state = self.lock();
        let is_covered = state.running.iter().any(|running| running.goal.position >= position);
        state.durable.position >= position || self.fatal.is_set() || !is_covered && state.running.len() < SYNCS_MAX
    }

    /// How far the file is written. Whoever goes over to another needs the lock.
    fn written_in(&self, state: &State) -> Option<Reached> {
        let file = state.written.as_ref()?.id;
        let seqno = self.written_seqno.load(Ordering::Acquire);
        let offset = self.written_offset.load(Ordering::Acquire);
        Some(Reached { position: Position { file, offset }, seqno })
    }

    /// Syncs the files behind, then the one that is written.
    fn run(&self, number: u64, behind: &[OpenLog], written: &OpenLog) -> Result<()> {
        for file in behind.iter().chain([written]) {
            let mut synced = sync_file(&self.instruments, &*file.log);
            if planted(Bug::RetryFailedSync) && synced.is_err() {
                synced = file.log.sync();
            }
            if let Err(error) = synced {
                return Err(self.fatal.set(error.context("sync the log")));
            }
        }
        let mut state = self.lock();
        state.end(number);
        state.behind.retain(|file| behind.iter().all(|synced| synced.id != file.id));
        let current = state.written.as_ref().map(|written| written.id);
        if current == Some(state.durable.position.file) {
            self.synced_upto.store(state.durable.position.offset, Ordering::Release);
        }
        drop(state);
        self.lots.synced.wake_all();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics under this lock")
    }
}

/// Syncs a file of the log.
pub(super) fn sync_file(instruments: &Instruments, log: &dyn LogFile) -> Result<()> {
    let start_us = instruments.now_us();
    log.sync()?;
    instruments.count(Counter::WalSyncs, 1);
    instruments.record_since(Histogram::WalSyncLatencyUs, start_us);
    Ok(())
}

impl State {
    fn begin(&mut self, goal: Reached) -> u64 {
        let number = self.begun;
        self.begun += 1;
        self.running.push_back(Running { number, goal, is_done: false });
        number
    }

    /// A sync has succeeded; what it reached counts once all that began before it have, too.
    fn end(&mut self, number: u64) {
        if let Some(running) = self.running.iter_mut().find(|running| running.number == number) {
            running.is_done = true;
        }
        while self.running.front().is_some_and(|running| running.is_done)
            && let Some(first) = self.running.pop_front()
        {
            let position = self.durable.position.max(first.goal.position);
            self.durable = Reached { position, seqno: self.durable.seqno.max(first.goal.seqno) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wal::format::BODY_START;
    use sediment_base::FileUuid;
    use sediment_codec::frame::RecordWriter;
    use sediment_env::{Fs, MemFs, ThreadPark};
    use std::path::Path;

    /// A syncer of a file that is written up to `offset`, and its disk.
    fn syncer(offset: u64) -> (Syncer, MemFs) {
        let disk = MemFs::new();
        disk.record();
        let (instruments, lots) = (Instruments::for_tests(), Arc::new(Lots::new(&ThreadPark::new())));
        let fatal = Arc::new(Fatal::new(Arc::clone(&lots), Arc::clone(&instruments.events)));
        let syncer = Syncer::new(1, fatal, lots, instruments);
        let log = disk.create_log(Path::new("log"), 1 << 20).unwrap();
        let (uuid, writer) = (FileUuid::default(), RecordWriter::new(FileUuid::default(), 1, BODY_START));
        syncer.switch(&OpenFile { id: WalId(1), uuid, log, writer, capacity: 1 << 20 });
        syncer.written(offset, 7);
        (syncer, disk)
    }

    fn at(offset: u64) -> Position {
        Position { file: WalId(1), offset }
    }

    #[test]
    fn what_is_durable_is_not_synced_again() {
        let (syncer, disk) = syncer(500);
        let calls = || disk.op_count();
        let before = calls();
        syncer.sync_to(at(400)).unwrap();
        assert_eq!((calls(), syncer.synced_upto(), syncer.is_durable(7)), (before + 1, 500, true));
        syncer.sync_to(at(500)).unwrap();
        assert_eq!(calls(), before + 1);
        syncer.written(501, 8);
        syncer.sync_to(at(501)).unwrap();
        assert_eq!((calls(), syncer.synced_upto(), syncer.is_durable(8)), (before + 2, 501, true));
    }

    #[test]
    fn much_is_synced_unasked_only_where_more_syncs_are_expected() {
        let (syncer, _disk) = syncer(500);
        syncer.sync_to(at(500)).unwrap();
        syncer.written(500 + BACKLOG_BYTES, 8);
        assert!(!syncer.sync_backlog().unwrap() && !syncer.is_durable(8), "nobody is expected to ask");
        syncer.expect_more();
        assert!(syncer.sync_backlog().unwrap() && syncer.is_durable(8));
        assert!(!syncer.has_backlog(), "nothing is left");
    }

    /// Somebody took the place for written where a failed write should have ended. It was synced again and again, in a flush that never
    /// ended: no sync reaches what nobody has written.
    #[test]
    #[should_panic(expected = "what is synced is written before")]
    fn a_place_that_nobody_has_written_is_refused() {
        let _ = syncer(500).0.sync_to(at(501));
    }
}
