//! Syncing the log: one sync at a time, for all who wait.
//!
//! Whoever holds the leader's lock syncs everything that was written when it began; those who waited for the lock meanwhile
//! find their records durable and go home. The durable position is published in the order in which syncs began, because there
//! is only one at a time, and a failure reaches everybody whose record was not durable before it.

use crate::wal::{fatal::Fatal, files::OpenFile};
use sediment_base::{
    Result, SeqNo, WalId,
    planted::{Bug, planted},
};
use sediment_env::LogFile;
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering},
};

/// A place in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) file: WalId,
    pub(crate) offset: u64,
}

/// Who syncs, and how far it is done. Shared.
#[derive(Debug)]
pub(crate) struct Syncer {
    written: Mutex<Option<Written>>,
    leader: Mutex<Durable>,
    /// Durable offset in the file that is written, for the records to carry.
    synced_upto: AtomicU64,
}

/// How far the log was handed to the operating system.
#[derive(Clone, Debug)]
struct Written {
    log: Arc<dyn LogFile>,
    position: Position,
    /// Every record with a smaller seqno lies before it.
    seqno: SeqNo,
}

#[derive(Clone, Copy, Debug)]
struct Durable {
    position: Position,
    seqno: SeqNo,
}

impl Syncer {
    /// Nothing is written yet; what lies below `seqno` is known to be durable.
    pub(crate) fn new(seqno: SeqNo) -> Self {
        let durable = Durable { position: Position::default(), seqno };
        Self { written: Mutex::new(None), leader: Mutex::new(durable), synced_upto: AtomicU64::new(0) }
    }

    /// The offset before which the file that is written is durable.
    #[inline]
    pub(crate) fn synced_upto(&self) -> u64 {
        self.synced_upto.load(Ordering::Acquire)
    }

    /// Tells how far the file is written. Called in order, under the log's lock.
    pub(crate) fn written(&self, offset: u64, seqno: SeqNo) {
        if let Some(written) = lock(&self.written).as_mut() {
            written.position.offset = offset;
            written.seqno = seqno;
        }
    }

    /// Goes over to a new file, whose birth is durable, once everything before it is. Called under the log's lock.
    pub(crate) fn switch(&self, fatal: &Fatal, create: impl FnOnce() -> Result<OpenFile>) -> Result<OpenFile> {
        let mut leader = lock(&self.leader);
        self.sync_written(&mut leader, fatal)?;
        let file = create()?;
        let position = Position { file: file.id, offset: file.writer.offset() };
        leader.position = position;
        self.synced_upto.store(position.offset, Ordering::Release);
        *lock(&self.written) = Some(Written { log: Arc::clone(&file.log), position, seqno: leader.seqno });
        Ok(file)
    }

    /// Returns once everything before `position` is durable.
    pub(crate) fn sync_to(&self, position: Position, fatal: &Fatal) -> Result<()> {
        let mut leader = lock(&self.leader);
        if leader.position >= position {
            return Ok(());
        }
        self.sync_written(&mut leader, fatal)
    }

    /// Whether every record below `seqno` is durable.
    pub(crate) fn is_durable(&self, seqno: SeqNo) -> bool {
        lock(&self.leader).seqno >= seqno
    }

    fn sync_written(&self, leader: &mut Durable, fatal: &Fatal) -> Result<()> {
        fatal.check()?;
        let Some(written) = lock(&self.written).clone() else { return Ok(()) };
        if leader.position >= written.position {
            return Ok(());
        }
        let mut synced = written.log.sync();
        if planted(Bug::RetryFailedSync) && synced.is_err() {
            synced = written.log.sync();
        }
        synced.map_err(|error| fatal.set(error.context("sync the log")))?;
        *leader = Durable { position: written.position, seqno: written.seqno };
        self.synced_upto.store(written.position.offset, Ordering::Release);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics under this lock")
}
