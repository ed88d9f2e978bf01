//! A real disk that is really full: a small file system in memory is filled while writing, emptied, and filled again.

use sediment_env::Env;
use sedimentdb::{Db, ErrorKind, ExpertOptions, Keyspace, Options};
use std::{collections::BTreeMap, fs, path::Path, process::Command};
use tempfile::TempDir;

/// A file system of so many MiB, gone with its handle.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(mib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a place for it");
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

fn options(threads: usize) -> Options {
    let expert = ExpertOptions {
        background_threads: Some(threads),
        memtable_bytes: Some(256 << 10),
        wal_file_bytes: 512 << 10,
        table_bytes: Some(128 << 10),
        reserve_bytes: 1 << 20,
        ..ExpertOptions::default()
    };
    Options { memory_bytes: 2 << 20, expert, ..Options::default() }
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged(BTreeMap<String, Vec<u8>>);

impl Acknowledged {
    /// Writes until the disk is full, which one of this size soon is. What was let go of may still be on its way out.
    fn fill(&mut self, keyspace: &Keyspace, round: u32) {
        let (clock, mut early) = (Env::system().clock, 0);
        for index in 0..200_000_u64 {
            let key = format!("{round}-{:06}", (index * 7919) % 200_003);
            let value = format!("{round} {index} ").repeat(60).into_bytes();
            match keyspace.insert(&key, &value) {
                Ok(()) => drop(self.0.insert(key, value)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
                    if index > 100 {
                        return;
                    }
                    early += 1;
                    assert!(early < 2_000, "nothing goes in: {error}");
                    clock.sleep_us(5_000);
                }
            }
        }
        panic!("the disk is never full");
    }

    /// Writing goes on by itself, as soon as what was let go of is gone from the disk.
    fn resume(&mut self, keyspace: &Keyspace, round: u32) {
        let clock = Env::system().clock;
        for attempt in 1.. {
            let Err(error) = keyspace.insert(format!("{round}"), "goes on") else { break };
            assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
            assert!(attempt < 2_000, "writes do not go on: {error}");
            clock.sleep_us(5_000);
        }
        self.0.insert(format!("{round}"), b"goes on".to_vec());
    }

    fn check(&self, keyspace: &Keyspace) {
        let found: Result<BTreeMap<_, _>, _> = keyspace
            .iter()
            .map(|row| row.map(|(key, value)| (String::from_utf8_lossy(&key).into_owned(), value.to_vec())))
            .collect();
        let found = found.expect("reads go on");
        assert_eq!(found.len(), self.0.len());
        assert!(found == self.0, "what is there is what was acknowledged");
    }
}

fn filled_emptied_and_filled(threads: usize) {
    let Some(disk) = SmallDisk::mount(24) else {
        assert!(std::env::var_os("CI").is_none(), "a small disk can be mounted where everything is tested");
        eprintln!("skipped: only root may mount a file system");
        return;
    };
    let (dir, ballast) = (disk.path().join("db"), disk.path().join("ballast"));
    fs::write(&ballast, vec![1; 8 << 20]).expect("room for it");
    let db = Db::builder(&dir).options(options(threads)).open().expect("opens");
    let (kept, dropped) = (db.keyspace("kept").expect("made"), db.keyspace("dropped").expect("made"));
    let mut acknowledged = Acknowledged::default();
    acknowledged.fill(&kept, 1);
    acknowledged.check(&kept);
    fs::remove_file(&ballast).expect("it is there");
    acknowledged.resume(&kept, 2);
    Acknowledged::default().fill(&dropped, 2);
    acknowledged.check(&kept);
    drop(dropped);
    assert!(db.drop_keyspace("dropped").expect("what frees space works on a full disk"));
    acknowledged.resume(&kept, 3);
    acknowledged.fill(&kept, 3);
    acknowledged.check(&kept);
    let first: Vec<String> = acknowledged.0.keys().take(100).cloned().collect();
    for key in &first {
        kept.remove(key).expect("what frees space works on a full disk");
        acknowledged.0.remove(key);
    }
    acknowledged.check(&kept);
    assert!(db.stats().poisoned.is_none());
    drop((db, kept));
    let db = Db::builder(&dir).options(options(threads)).open().expect("opens");
    acknowledged.check(&db.keyspace("kept").expect("there"));
    assert!(db.verify().expect("readable").faults.is_empty());
}

#[test]
fn a_disk_that_was_full_goes_on_with_background_work() {
    filled_emptied_and_filled(1);
}

#[test]
fn a_disk_that_was_full_goes_on_without_threads() {
    filled_emptied_and_filled(0);
}

/// Others have taken all that was left, flushes and compactions among them: the catalog could not be written, so nothing was freed.
#[test]
fn a_keyspace_can_be_dropped_where_not_a_byte_is_left() {
    for threads in [0, 1] {
        let Some(disk) = SmallDisk::mount(16) else { return };
        let dir = disk.path().join("db");
        let db = Db::builder(&dir).options(options(threads)).open().expect("opens");
        let (kept, dropped) = (db.keyspace("kept").expect("made"), db.keyspace("dropped").expect("made"));
        for index in 0..6_000 {
            dropped.insert(format!("{index:05}"), [7; 600]).expect("room for it");
        }
        db.flush().expect("room for it");
        drop(dropped);
        let mut acknowledged = Acknowledged::default();
        acknowledged.fill(&kept, 1);
        assert!(fs::write(disk.path().join("ballast"), vec![1; 16 << 20]).is_err(), "it takes what is there");
        assert!(db.drop_keyspace("dropped").expect("it is written down in what was kept for that"));
        acknowledged.resume(&kept, 2);
        acknowledged.check(&kept);
        assert!(fs::read_dir(dir.join("trees")).expect("readable").count() == 1, "it is gone");
    }
}
