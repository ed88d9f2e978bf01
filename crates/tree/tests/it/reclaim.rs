//! Files that may go are removed by whom the tree was given for that, and not where a reader lets go of them.

use crate::model::{Ends, Pair, owned, small_options};
use sediment_base::{KeyOrder, Result};
use sediment_env::{Env, Fs, fs::MemFs};
use sediment_tree::{Reclaimer, TreeOptions};
use std::{
    ops::Bound,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

/// Counts how often it was called, and does nothing.
#[derive(Debug, Default)]
struct Called(AtomicUsize);

impl Reclaimer for Called {
    fn wanted(&self) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn table_files(disk: &MemFs) -> usize {
    disk.read_dir(Path::new("/tree/tables")).expect("the directory is there").len()
}

#[test]
fn who_lets_go_of_files_only_says_so() -> Result<()> {
    let (disk, called) = (MemFs::new(), Arc::<Called>::default());
    let reclaimer = Some(Arc::clone(&called) as Arc<dyn Reclaimer>);
    let options = TreeOptions { reclaimer, ..small_options(KeyOrder::bytewise()) };
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), 1), options)?;
    for round in 0..4_u32 {
        for key in 0..60_u32 {
            pair.write(format!("key-{key:03}").as_bytes(), Some(format!("value {round} {key}").as_bytes()))?;
        }
        pair.flush()?;
    }
    let expected = pair.expected_range(&ALL, pair.next);
    let scan = pair.tree.range(ALL, pair.next);
    pair.compact_all()?;
    let (before, calls) = (table_files(&disk), called.0.load(SeqCst));
    assert!(!pair.tree.reclaim_one(), "the scan holds them");
    assert_eq!(scan.map(owned).collect::<Result<Vec<_>>>()?, expected);
    assert!(pair.eventually(|| called.0.load(SeqCst) > calls), "nobody was told");
    assert_eq!((table_files(&disk), pair.tree.stats().obsolete_tables > 0), (before, true), "only told");
    assert!(pair.tree.reclaim_one());
    assert_eq!(table_files(&disk), before - 1, "one at a time");
    while pair.tree.reclaim_one() {}
    assert_eq!((pair.tree.stats().obsolete_tables, pair.scanned(&ALL, pair.next)?), (0, expected));
    Ok(())
}
