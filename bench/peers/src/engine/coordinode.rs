//! coordinode-lsm-tree: an LSM tree in Rust, without a log and without threads.
//!
//! Its documentation leaves durability and the scheduling of its work to the caller. So there is a thread here that flushes when the
//! memtable is as large as a write buffer and then compacts until there is nothing to compact, leveled; and a writer waits while the
//! memtable is twice that size. Two threads of a caller could do more at once, but on two processors not more in all. No snapshots
//! are open, so every flush and compaction may drop what was overwritten. Whatever durability is asked for, writes survive a clean
//! close only.

use super::{Configuration, Engine, Row, View, see_rows};
use crate::settings::Compression;
use anyhow::{Result, anyhow};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, Guard, SeqNo, SequenceNumberCounter, WriteBatch,
    compaction::{CompactionAction, Leveled},
    config::CompressionPolicy,
};
use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

/// A tree and the thread that works for it.
pub(crate) struct Coordinode {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

struct Shared {
    tree: AnyTree,
    seqno: SequenceNumberCounter,
    visible: SequenceNumberCounter,
    write_buffer: u64,
    /// Whether the worker was asked to flush and has not done it, so that only one insert in many takes the lock.
    asked: AtomicBool,
    state: Mutex<State>,
    /// Told of every change of the state.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How often work was asked for, and up to which time it is done.
    asked: u64,
    done: u64,
    flushes: u64,
    over: bool,
    failure: Option<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for a flush; returns its number.
    fn ask(&self) -> u64 {
        let mut state = self.lock();
        state.asked += 1;
        self.changed.notify_all();
        state.asked
    }

    /// Waits until this flush, and what compaction it led to, is done.
    fn wait(&self, number: u64) -> Result<()> {
        let mut state = self.lock();
        while state.done < number && state.failure.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.failure.as_ref().map_or(Ok(()), |failure| Err(anyhow!("in the background: {failure}")))
    }

    /// After an insert that made the memtable this large.
    #[inline]
    fn wrote(&self, seqno: SeqNo, memtable: u64) -> Result<()> {
        self.visible.fetch_max(seqno + 1);
        if memtable >= self.write_buffer { self.pressed(memtable) } else { Ok(()) }
    }

    #[cold]
    fn pressed(&self, memtable: u64) -> Result<()> {
        if !self.asked.swap(true, Relaxed) {
            self.ask();
        }
        if memtable >= 2 * self.write_buffer {
            let mut state = self.lock();
            let before = state.flushes;
            while state.flushes == before && state.failure.is_none() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        Ok(())
    }

    fn work(&self) {
        loop {
            let mut state = self.lock();
            while state.asked == state.done && !state.over {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.over {
                return;
            }
            let number = state.asked;
            drop(state);
            let outcome = self.flush_and_compact();
            let mut state = self.lock();
            state.done = number;
            state.failure = outcome.err().map(|error| error.to_string());
            self.changed.notify_all();
        }
    }

    fn flush_and_compact(&self) -> lsm_tree::Result<()> {
        self.tree.flush_active_memtable(self.seqno.get())?;
        self.asked.store(false, Relaxed);
        self.lock().flushes += 1;
        self.changed.notify_all();
        while self.tree.compact(Arc::new(Leveled::default()), self.seqno.get())?.action != CompactionAction::Nothing {}
        Ok(())
    }
}

impl Engine for Coordinode {
    type View<'a> = &'a AnyTree;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        let (seqno, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
        let shares = configuration.shares();
        let compression = match configuration.compression {
            Compression::None => CompressionType::None,
            Compression::Lz4 => CompressionType::Lz4,
        };
        let config = Config::new(dir, seqno.clone(), visible.clone());
        let config = config.use_cache(Arc::new(Cache::with_capacity_bytes(shares.cache as u64)));
        let tree = config.data_block_compression_policy(CompressionPolicy::all(compression)).open()?;
        let next = tree.get_highest_seqno().map_or(0, |seqno| seqno + 1);
        seqno.fetch_max(next);
        visible.fetch_max(next);
        let shared = Arc::new(Shared {
            tree,
            seqno,
            visible,
            write_buffer: shares.write_buffer as u64,
            asked: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let worker = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.work()
        });
        Ok(Self { shared, worker: Some(worker) })
    }

    #[inline]
    fn view(&self) -> Result<&AnyTree> {
        Ok(&self.shared.tree)
    }

    #[inline]
    fn insert(&self, (key, value): Row<'_>) -> Result<()> {
        let seqno = self.shared.seqno.next();
        let (_, memtable) = self.shared.tree.insert(key, value, seqno);
        self.shared.wrote(seqno, memtable)
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        let mut batch = WriteBatch::new();
        rows.for_each(|(key, value)| batch.insert(key, value));
        let seqno = self.shared.seqno.next();
        let (_, memtable) = self.shared.tree.apply_batch(batch, seqno)?;
        self.shared.wrote(seqno, memtable)
    }

    fn flush(&self) -> Result<()> {
        let number = self.shared.ask();
        self.shared.wait(number)
    }

    fn close(mut self) -> Result<()> {
        self.flush()?;
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        let worker = self.worker.take().map(JoinHandle::join);
        worker.map_or(Ok(()), |joined| joined.map_err(|_| anyhow!("the background thread panicked")))
    }
}

impl View for &AnyTree {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(self.get_pinned(key, SeqNo::MAX)?.inspect(|value| see(value.value())).is_some())
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.range(from.unwrap_or_default().., SeqNo::MAX, None), rows, |row| {
            let (key, value) = row.into_inner()?;
            see((&key, &value));
            Ok(())
        })
    }

    fn scan_reverse(&self, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.iter(SeqNo::MAX, None).rev(), u64::MAX, |row| {
            let (key, value) = row.into_inner()?;
            see((&key, &value));
            Ok(())
        })
    }
}
