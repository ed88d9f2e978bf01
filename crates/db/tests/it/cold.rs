//! Compactions that are large for the machine leave its memory to others.

use crate::disks::{DIR, small};
use sediment_env::{
    Env, File, Fs, LogFile, MemFs,
    fs::{DirEntry, DirLock},
};
use sedimentdb::{Db, Options, Result, stats::Counter};
use std::{path::Path, sync::Arc};

/// A disk of a machine with so much memory.
#[derive(Debug)]
struct Machine(MemFs, u64);

impl Fs for Machine {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        self.0.create(path)
    }
    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        self.0.open(path)
    }
    fn create_log(&self, path: &Path, capacity: u64) -> Result<Arc<dyn LogFile>> {
        self.0.create_log(path, capacity)
    }
    fn create_dir(&self, path: &Path) -> Result<()> {
        self.0.create_dir(path)
    }
    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        self.0.read_dir(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.0.rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> Result<()> {
        self.0.hard_link(from, to)
    }
    fn remove_file(&self, path: &Path) -> Result<()> {
        self.0.remove_file(path)
    }
    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.0.remove_dir(path)
    }
    fn exists(&self, path: &Path) -> Result<bool> {
        self.0.exists(path)
    }
    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.0.sync_dir(path)
    }
    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>> {
        self.0.lock(path)
    }
    fn available_bytes(&self, path: &Path) -> Result<Option<u64>> {
        self.0.available_bytes(path)
    }
    fn memory_bytes(&self) -> Option<u64> {
        Some(self.1)
    }
}

/// What a full compaction of half a megabyte leaves to others.
fn evicted(env: Env, options: Options) -> u64 {
    let db = Db::builder(DIR).options(options).env(env).open().unwrap();
    let a = db.keyspace("a").unwrap();
    (0..1500_u32).for_each(|number| a.insert(format!("{number:05}"), [7; 320]).unwrap());
    db.flush().unwrap();
    let before = db.stats().counted.counter(Counter::CompactionBytesEvicted);
    db.compact().unwrap();
    assert_eq!(a.iter().count(), 1500);
    db.stats().counted.counter(Counter::CompactionBytesEvicted) - before
}

#[test]
fn what_is_large_depends_on_the_memory_of_the_machine() {
    let on = |memory_bytes| Env::simulated(MemFs::new(), 1).with_fs(Arc::new(Machine(MemFs::new(), memory_bytes)));
    assert!(evicted(on(1 << 20), small()) > 900_000, "read and written");
    assert_eq!(evicted(on(4 << 20), small()), 0);
    assert_eq!(evicted(Env::simulated(MemFs::new(), 1), small()), 0, "nobody knows");
    let asked = |bytes| {
        let mut options = small();
        options.expert.cold_input_bytes = Some(bytes);
        options
    };
    assert!(evicted(on(4 << 20), asked(300_000)) > 900_000);
    assert_eq!(evicted(on(1), asked(u64::MAX)), 0);
}
