//! Compaction filters at a tree: what they see and change, what a stamp keeps from older reads, and what a failure leaves.

use crate::model::{go_on, small_options};
use sediment_base::{
    CompactionFilter, CompactionFilterFactory, Error, ErrorKind, FileUuid, KeyOrder, Kind, Result, SeqNo,
    compaction_filter::{FilterContext, FilterRow, Verdict},
};
use sediment_env::{Env, Fs, fs::MemFs};
use sediment_tree::{CompactionContext, CompactionReport, FlushContext, Retention, Tree, TreeOptions};
use std::{
    cell::Cell,
    path::Path,
    sync::{Arc, Mutex},
};

/// Removes values that are `x`, fails at those that are `!`, and notes what happens.
#[derive(Debug, Default)]
struct Noting(Arc<Mutex<Vec<String>>>);

impl Noting {
    fn note(&self, what: String) {
        self.0.lock().expect("no panic under it").push(what);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic under it"))
    }
}

impl CompactionFilterFactory for Noting {
    fn name(&self) -> &str {
        "noting"
    }

    fn make(&self, context: &FilterContext) -> Option<Box<dyn CompactionFilter>> {
        self.note(format!("{context:?}"));
        Some(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl CompactionFilter for Noting {
    fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        self.note(format!("{} {} {:?} {}", text(row.key), row.seqno, row.kind, text(row.value)));
        match row.value {
            b"x" => Ok(Verdict::Remove),
            b"!" => Err(Error::invalid_input("nobody can judge that")),
            _ => Ok(Verdict::Keep),
        }
    }

    fn finish(self: Box<Self>) {
        self.note("finished".into());
    }
}

struct Filtered {
    disk: MemFs,
    tree: Tree,
    filter: Arc<Noting>,
    next: Cell<SeqNo>,
    stamps: Cell<u64>,
}

impl Filtered {
    fn new() -> Result<Self> {
        let (disk, filter) = (MemFs::new(), Arc::new(Noting::default()));
        let options = TreeOptions { compaction_filter: Some(filter.clone()), ..small_options(KeyOrder::bytewise()) };
        let env = Env::simulated(disk.clone(), 1);
        let tree = Tree::create(&env, Path::new("/tree"), FileUuid([1; 16]), options)?;
        Ok(Self { disk, tree, filter, next: Cell::new(1), stamps: Cell::new(0) })
    }

    fn seqno(&self) -> SeqNo {
        self.next.replace(self.next.get() + 1)
    }

    fn insert(&self, rows: &[(&str, &str)]) -> Result<()> {
        rows.iter().try_for_each(|(key, value)| self.tree.insert(key.as_bytes(), value.as_bytes(), self.seqno()))
    }

    fn flush(&self, pins: &[SeqNo]) -> Result<()> {
        self.tree.seal(self.next.get() - 1);
        let (retention, through) = (self.retention(pins), SeqNo::MAX);
        self.tree
            .flush(&FlushContext { retention, now_us: 1, through, before_publish: &|_| Ok(()), on_slice: &go_on })
            .map(drop)
    }

    fn retention(&self, pins: &[SeqNo]) -> Retention {
        Retention::Snapshots { pins: pins.to_vec(), horizon: self.next.get(), keep_all_from: SeqNo::MAX }
    }

    fn compact(&self, pins: &[SeqNo], take_stamp: Option<&dyn Fn() -> Result<SeqNo>>) -> Result<CompactionReport> {
        let retention = self.retention(pins);
        self.tree.compact_all(&CompactionContext { retention, now_us: 7, on_slice: &go_on, take_stamp })
    }

    fn compact_stamped(&self, pins: &[SeqNo]) -> Result<CompactionReport> {
        let take_stamp = || {
            self.stamps.set(self.stamps.get() + 1);
            Ok(self.seqno())
        };
        self.compact(pins, Some(&take_stamp))
    }

    fn rows(&self, read_seqno: SeqNo) -> String {
        let rows = self.tree.range::<Vec<u8>, _>(.., read_seqno);
        rows.map(|row| String::from_utf8(row.expect("readable").0.to_vec()).expect("text")).collect()
    }

    /// Whether it comes true with one of the next reads: a reader of another test may hold up what goes.
    fn eventually(&self, is_true: impl Fn() -> bool) -> bool {
        (0..100_000).any(|_| {
            self.rows(self.next.get());
            std::thread::yield_now();
            is_true()
        })
    }

    fn tables(&self) -> usize {
        self.disk.read_dir(Path::new("/tree/tables")).expect("the directory is there").len()
    }
}

#[test]
fn reads_at_or_below_the_stamp_find_what_was_there() -> Result<()> {
    let filtered = Filtered::new()?;
    filtered.insert(&[("a", "1"), ("b", "x"), ("c", "x")])?;
    filtered.flush(&[])?;
    let report = filtered.compact_stamped(&[])?;
    let stamp = filtered.next.get() - 1;
    assert_eq!((report.rows_in, report.rows_out, report.rows_filtered, filtered.stamps.get()), (3, 1, 2, 1));
    assert_eq!((&*filtered.rows(stamp), &*filtered.rows(stamp + 1)), ("abc", "a"));
    assert_eq!(filtered.tree.get(b"b", stamp)?.as_deref(), Some(&b"x"[..]));
    assert_eq!(filtered.tree.get(b"b", stamp + 1)?, None);
    assert_eq!((filtered.tree.history_len(), filtered.tables()), (1, 2));
    filtered.tree.forget_history(stamp);
    assert_eq!((filtered.tree.history_len(), &*filtered.rows(stamp)), (1, "abc"), "somebody may read there");
    filtered.tree.forget_history(stamp + 1);
    assert_eq!(filtered.tree.history_len(), 0);
    assert!(filtered.eventually(|| filtered.tables() == 1));
    Ok(())
}

#[test]
fn it_sees_rows_that_stay_and_no_pin_sees_in_compactions_alone() -> Result<()> {
    let filtered = Filtered::new()?;
    filtered.insert(&[("a", "old"), ("b", "1")])?;
    let pin = filtered.next.get();
    filtered.insert(&[("a", "older"), ("a", "new")])?;
    filtered.tree.remove(b"c", filtered.seqno())?;
    filtered.flush(&[pin])?;
    assert_eq!(filtered.filter.take(), [""; 0], "a flush asks nobody");
    let report = filtered.compact_stamped(&[pin])?;
    let context = FilterContext { is_last_level: true, now_us: 7 };
    assert_eq!(filtered.filter.take(), [format!("{context:?}"), format!("a 4 {:?} new", Kind::Value), "finished".into()]);
    assert_eq!((report.rows_filtered, filtered.stamps.get(), filtered.tree.history_len()), (0, 0, 0), "nothing has changed");
    Ok(())
}

#[test]
fn a_later_flush_or_compaction_lets_go_of_what_nobody_reads() -> Result<()> {
    let filtered = Filtered::new()?;
    filtered.insert(&[("a", "1"), ("b", "x")])?;
    filtered.flush(&[])?;
    filtered.compact_stamped(&[])?;
    assert_eq!(filtered.tree.history_len(), 1);
    filtered.insert(&[("c", "1")])?;
    filtered.flush(&[])?;
    assert_eq!((filtered.tree.history_len(), &*filtered.rows(filtered.next.get())), (0, "ac"));
    Ok(())
}

#[test]
fn without_stamps_it_is_refused_and_what_fails_changes_nothing() -> Result<()> {
    let filtered = Filtered::new()?;
    filtered.insert(&[("a", "1"), ("b", "x")])?;
    filtered.flush(&[])?;
    let refused = filtered.compact(&[], None).unwrap_err();
    assert!(refused.kind() == ErrorKind::InvalidInput && refused.to_string().contains("take_stamp"), "{refused}");
    let full = || Err(Error::new(ErrorKind::NoSpace, "no room in the log"));
    assert_eq!(filtered.compact(&[], Some(&full)).unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!((&*filtered.rows(filtered.next.get()), filtered.tables(), filtered.tree.history_len()), ("ab", 1, 0));
    filtered.insert(&[("c", "!")])?;
    filtered.flush(&[])?;
    filtered.filter.take();
    let failed = filtered.compact_stamped(&[]).unwrap_err();
    assert!(failed.to_string().contains("nobody can judge that"), "{failed}");
    assert!(!filtered.filter.take().contains(&"finished".into()));
    assert_eq!((&*filtered.rows(filtered.next.get()), filtered.tables(), filtered.stamps.get()), ("abc", 2, 0));
    Ok(())
}
