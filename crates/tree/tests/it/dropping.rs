//! Tables that range tombstones hide altogether go without being read.

use crate::model::{Pair, go_on, small_options};
use sediment_base::{KeyOrder, Result, stats::Counter};
use sediment_env::{
    Env, FaultFs, MemFs,
    fs::{Call, Fault, FaultRule},
};
use sediment_tree::{CompactionReport, Lazy, Leveled, Strategy, Tiered};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
};

/// A tree of many tables on a disk that tells which of them are read.
struct Watched {
    pair: Pair,
    read: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Watched {
    fn new() -> Result<Self> {
        let disk = MemFs::new();
        let faults = Arc::new(FaultFs::new(Arc::new(disk.clone())));
        let env = Env { fs: faults.clone(), ..Env::simulated(disk, 1) };
        let mut pair = Pair::create_with(env, small_options(KeyOrder::bytewise()))?;
        for key in 0..400 {
            pair.write(&key_of(key), Some(&[7; 100]))?;
        }
        pair.flush()?;
        pair.compact_all()?;
        let read: Arc<Mutex<BTreeSet<PathBuf>>> = Arc::default();
        let noted = Arc::clone(&read);
        // It strikes nothing, and notes what it is asked about.
        faults.arm(FaultRule::nth(0, Fault::Eio).matching(move |call, path| {
            if call == Call::Read && path.to_string_lossy().contains("tables") {
                noted.lock().expect("no panic under it").insert(path.to_path_buf());
            }
            false
        }));
        Ok(Self { pair, read })
    }

    /// Compacts everything, with nothing open before; the tables that were read.
    fn compact(&mut self) -> Result<(CompactionReport, usize)> {
        self.pair.flush()?;
        self.pair.reopen()?;
        self.read.lock().expect("no panic under it").clear();
        let report = self.pair.tree.compact_all(&self.pair.compaction(&go_on))?;
        let read = self.read.lock().expect("no panic under it").len();
        Ok((report, read))
    }

    fn check(&self, keys: u64) -> Result<()> {
        for key in 0..400 {
            let found = self.pair.tree.get(&key_of(key), self.pair.next)?.map(|value| value.to_vec());
            assert_eq!(found, self.pair.expected(&key_of(key), self.pair.next), "{key}");
        }
        assert_eq!(self.pair.tree.len(self.pair.next)?, keys);
        Ok(())
    }
}

fn key_of(number: u64) -> Vec<u8> {
    format!("key-{number:03}").into_bytes()
}

#[test]
fn what_lies_within_a_range_is_not_read() -> Result<()> {
    let mut watched = Watched::new()?;
    watched.pair.remove_range(&key_of(50), &key_of(350))?;
    let (report, read) = watched.compact()?;
    assert!(report.tables_dropped > 5 && report.bytes_dropped > 20 << 10, "{report:?}");
    assert_eq!(read, report.tables_in - report.tables_dropped);
    assert_eq!((report.rows_in, report.rows_out), (400, 100));
    let counted = |counter| watched.pair.options.stats.get(counter);
    assert_eq!(counted(Counter::CompactionTablesDropped), report.tables_dropped as u64);
    watched.check(100)
}

#[test]
fn ranges_that_meet_hide_together_and_nothing_is_left() -> Result<()> {
    let mut watched = Watched::new()?;
    watched.pair.remove_range(&key_of(200), b"")?;
    watched.pair.remove_range(b"", &key_of(200))?;
    let (report, read) = watched.compact()?;
    assert_eq!(
        (report.tables_dropped, read, report.tables_out),
        (report.tables_in - 1, 1, 0),
        "that of the removes alone is read"
    );
    watched.check(0)
}

#[test]
fn a_gap_a_snapshot_or_a_newer_row_keeps_them() -> Result<()> {
    let mut watched = Watched::new()?;
    watched.pair.pins.push(watched.pair.next);
    watched.pair.remove_range(b"", b"")?;
    let (report, _) = watched.compact()?;
    assert_eq!((report.tables_dropped, report.rows_out), (0, 400), "a snapshot sees them");
    watched.pair.pins.clear();
    let (report, _) = watched.compact()?;
    assert_eq!((report.rows_out, watched.pair.tree.len(watched.pair.next)?), (0, 0));
    let mut watched = Watched::new()?;
    let tables = watched.pair.tree.stats().levels.iter().map(|level| level.tables).sum::<usize>();
    watched.pair.remove_range(b"", &key_of(200))?;
    watched.pair.remove_range(b"key-2000", b"")?;
    let (report, _) = watched.compact()?;
    assert_eq!((report.tables_dropped, report.rows_out), (tables - 1, 1), "one holds what no range does");
    watched.check(1)
}

#[test]
fn what_is_removed_frees_its_space_as_soon_as_that_is_flushed() -> Result<()> {
    let strategies: [Arc<dyn Strategy>; 3] = [Arc::new(Leveled), Arc::new(Lazy::default()), Arc::new(Tiered)];
    for strategy in strategies {
        let mut watched = Watched::new()?;
        let pair = &mut watched.pair;
        pair.tree.set_strategy(strategy);
        pair.compact_due()?;
        let bytes = |pair: &Pair| pair.tree.stats().levels.iter().map(|level| level.bytes).sum::<u64>();
        let before = bytes(pair);
        pair.remove_range(&key_of(20), &key_of(380))?;
        pair.flush()?;
        pair.compact_due()?;
        assert!(bytes(pair) < before / 5, "{} of {before} bytes", bytes(pair));
        assert_eq!(pair.tree.len(pair.next)?, 40);
        // Those who saw it keep it, and nobody tries again and again.
        pair.pins.push(pair.next);
        let before = bytes(pair);
        pair.remove_range(&key_of(0), &key_of(400))?;
        pair.flush()?;
        assert!(pair.compact_due()? <= 3);
        assert!(bytes(pair) >= before);
        assert_eq!((pair.tree.len(pair.next)?, pair.tree.len(pair.pins[0])?), (0, 40));
    }
    Ok(())
}
