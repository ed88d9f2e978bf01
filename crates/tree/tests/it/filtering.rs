//! Compaction filters at a tree: what they see and change, what a stamp keeps from older reads, and what a failure leaves.

use crate::model::{Pair, go_on, small_options};
use sediment_base::{
    CompactionFilter, CompactionFilterFactory, Error, ErrorKind, KeyOrder, Kind, Result, SeqNo,
    compaction_filter::{FilterContext, FilterRow, Verdict},
};
use sediment_env::{Env, Fs, fs::MemFs};
use sediment_tree::{CompactionContext, CompactionReport, TreeOptions};
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
    pair: Pair,
    disk: MemFs,
    filter: Arc<Noting>,
    stamps: Cell<u64>,
}

impl Filtered {
    fn new() -> Result<Self> {
        let (disk, filter) = (MemFs::new(), Arc::new(Noting::default()));
        let options = TreeOptions { compaction_filter: Some(filter.clone()), ..small_options(KeyOrder::bytewise()) };
        let pair = Pair::create_with(Env::simulated(disk.clone(), 1), options)?;
        Ok(Self { pair, disk, filter, stamps: Cell::new(0) })
    }

    /// Writes rows, and flushes.
    fn flush(&mut self, rows: &[(&str, &str)]) -> Result<()> {
        rows.iter().try_for_each(|(key, value)| self.pair.write(key.as_bytes(), Some(value.as_bytes())))?;
        self.pair.flush()
    }

    fn compact(&self, take_stamp: Option<&dyn Fn() -> Result<SeqNo>>) -> Result<CompactionReport> {
        self.pair.tree.compact_all(&CompactionContext { take_stamp, ..self.pair.compaction(&go_on) })
    }

    /// The stamp is the next seqno, which is taken, whether or not it is asked for.
    fn compact_stamped(&mut self) -> Result<CompactionReport> {
        let stamp = self.pair.next;
        let report = self.compact(Some(&|| {
            self.stamps.set(self.stamps.get() + 1);
            Ok(stamp)
        }));
        self.pair.next += 1;
        report
    }

    fn rows(&self, read_seqno: SeqNo) -> String {
        let rows = self.pair.tree.range::<Vec<u8>, _>(.., read_seqno);
        rows.map(|row| String::from_utf8(row.expect("readable").0.to_vec()).expect("text")).collect()
    }

    fn tables(&self) -> usize {
        self.disk.read_dir(Path::new("/tree/tables")).expect("the directory is there").len()
    }
}

#[test]
fn reads_at_or_below_the_stamp_find_what_was_there() -> Result<()> {
    let mut filtered = Filtered::new()?;
    filtered.flush(&[("a", "1"), ("b", "x"), ("c", "x")])?;
    let report = filtered.compact_stamped()?;
    let stamp = filtered.pair.next - 1;
    assert_eq!((report.rows_in, report.rows_out, report.rows_filtered, filtered.stamps.get()), (3, 1, 2, 1));
    assert_eq!((&*filtered.rows(stamp), &*filtered.rows(stamp + 1)), ("abc", "a"));
    assert_eq!(filtered.pair.tree.get(b"b", stamp)?.as_deref(), Some(&b"x"[..]));
    assert_eq!(filtered.pair.tree.get(b"b", stamp + 1)?, None);
    assert_eq!((filtered.pair.tree.history_len(), filtered.tables()), (1, 2));
    filtered.pair.tree.forget_history(stamp);
    assert_eq!((filtered.pair.tree.history_len(), &*filtered.rows(stamp)), (1, "abc"), "somebody may read there");
    filtered.pair.tree.forget_history(stamp + 1);
    assert_eq!(filtered.pair.tree.history_len(), 0);
    assert!(filtered.pair.eventually(|| filtered.tables() == 1));
    Ok(())
}

#[test]
fn it_sees_rows_that_stay_and_no_pin_sees_in_compactions_alone() -> Result<()> {
    let mut filtered = Filtered::new()?;
    filtered.pair.write(b"a", Some(b"old"))?;
    filtered.pair.write(b"b", Some(b"1"))?;
    filtered.pair.pins.push(filtered.pair.next);
    filtered.pair.write(b"a", Some(b"older"))?;
    filtered.pair.write(b"a", Some(b"new"))?;
    filtered.pair.write(b"c", None)?;
    filtered.pair.flush()?;
    assert_eq!(filtered.filter.take(), [""; 0], "a flush asks nobody");
    let report = filtered.compact_stamped()?;
    let context = FilterContext { is_last_level: true, now_us: 9 };
    assert_eq!(filtered.filter.take(), [format!("{context:?}"), format!("a 4 {:?} new", Kind::Value), "finished".into()]);
    assert_eq!(
        (report.rows_filtered, filtered.stamps.get(), filtered.pair.tree.history_len()),
        (0, 0, 0),
        "nothing has changed"
    );
    Ok(())
}

#[test]
fn a_later_flush_or_compaction_lets_go_of_what_nobody_reads() -> Result<()> {
    let mut filtered = Filtered::new()?;
    filtered.flush(&[("a", "1"), ("b", "x")])?;
    filtered.compact_stamped()?;
    assert_eq!(filtered.pair.tree.history_len(), 1);
    filtered.flush(&[("c", "1")])?;
    assert_eq!((filtered.pair.tree.history_len(), &*filtered.rows(filtered.pair.next)), (0, "ac"));
    Ok(())
}

#[test]
fn without_stamps_it_is_refused_and_what_fails_changes_nothing() -> Result<()> {
    let mut filtered = Filtered::new()?;
    filtered.flush(&[("a", "1"), ("b", "x")])?;
    let refused = filtered.compact(None).unwrap_err();
    assert!(refused.kind() == ErrorKind::InvalidInput && refused.to_string().contains("take_stamp"), "{refused}");
    let full = || Err(Error::new(ErrorKind::NoSpace, "no room in the log"));
    assert_eq!(filtered.compact(Some(&full)).unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!((&*filtered.rows(filtered.pair.next), filtered.tables(), filtered.pair.tree.history_len()), ("ab", 1, 0));
    filtered.flush(&[("c", "!")])?;
    filtered.filter.take();
    let failed = filtered.compact_stamped().unwrap_err();
    assert!(failed.to_string().contains("nobody can judge that"), "{failed}");
    assert!(!filtered.filter.take().contains(&"finished".into()));
    assert_eq!((&*filtered.rows(filtered.pair.next), filtered.tables(), filtered.stamps.get()), ("abc", 2, 0));
    Ok(())
}
