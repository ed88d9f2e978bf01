//! Flush and compaction let their caller in after every slice: it is told all, may use the tree, and may end the work.

use crate::model::{go_on, small_options};
use sediment_base::{ErrorKind, FileUuid, KeyOrder, Result, SeqNo};
use sediment_env::{Env, Fs, fs::MemFs};
use sediment_tree::{CompactionContext, CompactionReport, FlushContext, FlushReport, OnSlice, Progress, Retention, Tree};
use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

const KEYS: u64 = 6000;
const VALUE: [u8; 1000] = [7; 1000];
const KEY_BYTES: u64 = 8;
/// All values, with keys.
const BYTES: u64 = KEYS * (KEY_BYTES + VALUE.len() as u64);
const MIB: u64 = 1 << 20;
/// A slice may end with a block and the end of a table.
const BEYOND: u64 = 128 << 10;

fn key_of(number: u64) -> Vec<u8> {
    format!("{number:08}").into_bytes()
}

struct Filled {
    disk: MemFs,
    tree: Tree,
    next: AtomicU64,
}

impl Filled {
    fn new() -> Result<Self> {
        let disk = MemFs::new();
        let options = sediment_tree::TreeOptions { table_bytes: 2 * MIB, ..small_options(KeyOrder::bytewise()) };
        let env = Env::simulated(disk.clone(), 1);
        let tree = Tree::create(&env, Path::new("/tree"), FileUuid([1; 16]), options)?;
        Ok(Self { disk, tree, next: AtomicU64::new(1) })
    }

    fn seqno(&self) -> SeqNo {
        self.next.fetch_add(1, Relaxed)
    }

    fn insert_all(&self) -> Result<()> {
        (0..KEYS).try_for_each(|key| self.tree.insert(&key_of(key), &VALUE, self.seqno()))
    }

    fn remove_all(&self) -> Result<()> {
        (0..KEYS).try_for_each(|key| self.tree.remove(&key_of(key), self.seqno()))
    }

    fn flush(&self, on_slice: OnSlice<'_>) -> Result<FlushReport> {
        self.tree.seal(self.next.load(Relaxed) - 1);
        let (retention, through) = (Retention::newest(self.next.load(Relaxed)), SeqNo::MAX);
        self.tree.flush(&FlushContext { retention, now_us: 1, through, covered: None, before_publish: &|_| Ok(()), on_slice })
    }

    fn compact_all(&self, on_slice: OnSlice<'_>) -> Result<CompactionReport> {
        let retention = Retention::newest(self.next.load(Relaxed));
        self.tree.compact_all(&CompactionContext { retention, now_us: 1, on_slice, take_stamp: None, helpers: None })
    }

    fn table_files(&self) -> Vec<String> {
        let entries = self.disk.read_dir(Path::new("/tree/tables")).expect("the directory is there");
        entries.into_iter().map(|entry| entry.name).collect()
    }

    fn rows(&self) -> u64 {
        self.tree.range::<Vec<u8>, _>(.., self.next.load(Relaxed)).filter(|row| row.is_ok()).count() as u64
    }
}

/// Keeps every slice.
#[derive(Default)]
struct Slices(Mutex<Vec<Progress>>);

impl Slices {
    fn note(&self, progress: Progress) -> ControlFlow<()> {
        self.0.lock().expect("no panic").push(progress);
        ControlFlow::Continue(())
    }

    fn read(&self) -> Vec<u64> {
        self.0.lock().expect("no panic").iter().map(|progress| progress.bytes_read).collect()
    }

    fn written(&self) -> Vec<u64> {
        self.0.lock().expect("no panic").iter().map(|progress| progress.bytes_written).collect()
    }
}

#[test]
fn the_slices_of_a_flush_are_small_and_all_there_is() -> Result<()> {
    let filled = Filled::new()?;
    filled.insert_all()?;
    let slices = Slices::default();
    let report = filled.flush(&|progress| slices.note(progress))?;
    assert_eq!((slices.read().iter().sum::<u64>(), slices.written().iter().sum::<u64>()), (BYTES, report.bytes));
    assert!(slices.written().iter().all(|written| *written <= MIB + BEYOND), "{:?}", slices.written());
    assert!(slices.read().len() as u64 >= BYTES / MIB);

    let slices = Slices::default();
    assert_eq!(filled.flush(&|progress| slices.note(progress))?, FlushReport::default());
    assert!(slices.read().is_empty(), "nothing was done");
    Ok(())
}

#[test]
fn a_compaction_that_writes_nothing_asks_by_what_it_has_read() -> Result<()> {
    let filled = Filled::new()?;
    filled.insert_all()?;
    filled.flush(&go_on)?;
    filled.remove_all()?;
    filled.flush(&go_on)?;
    let slices = Slices::default();
    let report = filled.compact_all(&|progress| slices.note(progress))?;
    assert_eq!((report.rows_in, report.rows_out), (2 * KEYS, 0));
    assert_eq!(slices.written(), [0, 0]);
    assert_eq!(slices.read().iter().sum::<u64>(), BYTES + KEYS * KEY_BYTES);
    assert!(slices.read()[0] >= 4 * MIB && slices.read()[0] < 4 * MIB + BEYOND);
    Ok(())
}

#[test]
fn the_tree_is_free_between_slices() -> Result<()> {
    let filled = Filled::new()?;
    filled.insert_all()?;
    let use_it = |_| {
        let tree = &filled.tree;
        let (key, seqno) = (key_of(KEYS), filled.seqno());
        tree.insert(&key, b"meanwhile", seqno).expect("writers go on");
        assert_eq!(tree.get(&key, seqno + 1).expect("readers go on").as_deref(), Some(&b"meanwhile"[..]));
        assert_eq!(tree.get(&key_of(9), seqno).expect("readers go on").as_deref(), Some(&VALUE[..]));
        assert!(tree.range::<Vec<u8>, _>(.., seqno).next_back().is_some_and(|row| row.is_ok()));
        assert!(tree.seal(seqno));
        assert_eq!((tree.pressure().sealed_bytes > 0, tree.stats().sealed_count > 0), (true, true));
        drop(tree.pick_compaction(9));
        tree.confirm().expect("versions go on");
        ControlFlow::Continue(())
    };
    assert_eq!(filled.flush(&use_it)?.memtables, 1, "those sealed meanwhile wait");
    assert_eq!(filled.rows(), KEYS + 1);
    let use_it_more = |progress| {
        assert!(filled.flush(&go_on).expect("a flush comes between").memtables > 0);
        use_it(progress)
    };
    assert!(filled.compact_all(&use_it_more)?.rows_out >= KEYS);
    assert_eq!(filled.rows(), KEYS + 1);
    Ok(())
}

#[test]
fn a_stop_in_the_middle_leaves_everything_as_it_was() -> Result<()> {
    let filled = Filled::new()?;
    let asked = AtomicU64::new(0);
    let stop_at_third = |_| {
        if asked.fetch_add(1, Relaxed) < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    filled.insert_all()?;
    let error = filled.flush(&stop_at_third).expect_err("stopped");
    assert_eq!((error.kind(), asked.swap(0, Relaxed)), (ErrorKind::Cancelled, 3));
    assert!(filled.table_files().is_empty());
    assert_eq!((filled.rows(), filled.tree.sealed_count()), (KEYS, 1));
    let report = filled.flush(&go_on)?;
    assert_eq!((report.rows, filled.rows()), (KEYS, KEYS));

    let before = filled.table_files();
    let error = filled.compact_all(&stop_at_third).expect_err("stopped");
    assert_eq!((error.kind(), asked.swap(0, Relaxed), filled.table_files()), (ErrorKind::Cancelled, 3, before.clone()));
    assert_eq!(filled.rows(), KEYS);
    filled.compact_all(&go_on)?;
    assert!(filled.table_files().iter().any(|file| !before.contains(file)), "now it was done");
    assert_eq!(filled.rows(), KEYS);
    Ok(())
}
