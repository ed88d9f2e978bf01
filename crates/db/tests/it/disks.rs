//! Databases on simulated disks, for the tests of each capability.

use sediment_env::{
    Env, MemFs,
    fs::{Call, CrashPlan, Fault, FaultFs, FaultRule, ImageName, Variant},
};
use sedimentdb::{Db, DbBuilder, Durability, ExpertOptions, Keyspace, Options, Result};
use std::{path::Path, sync::Arc};

pub(crate) const DIR: &str = "db";

/// Settings so small that little data goes through every room.
pub(crate) fn small() -> Options {
    Options {
        memory_bytes: 256 << 10,
        expert: ExpertOptions {
            background_threads: Some(0),
            reserve_bytes: 0,
            memtable_bytes: Some(16 << 10),
            wal_file_bytes: 16 << 10,
            table_bytes: Some(16 << 10),
            block_bytes: Some(1024),
            level_base_bytes: Some(64 << 10),
            ..ExpertOptions::default()
        },
        ..Options::default()
    }
}

pub(crate) fn open(disk: &MemFs) -> Db {
    try_open(disk).expect("a sound disk")
}

pub(crate) fn try_open(disk: &MemFs) -> Result<Db> {
    open_env(Env::simulated(disk.clone(), 7))
}

pub(crate) fn open_env(env: Env) -> Result<Db> {
    Db::builder(DIR).options(small()).env(env).open()
}

/// Like [`open`], with more to be given.
pub(crate) fn builder(disk: &MemFs) -> DbBuilder {
    Db::builder(DIR).options(small()).env(Env::simulated(disk.clone(), 7))
}

/// A disk that fails on demand around `disk`.
pub(crate) fn faulty(disk: &MemFs) -> (Arc<FaultFs>, Env) {
    let faults = Arc::new(FaultFs::new(Arc::new(disk.clone())));
    let env = Env { fs: faults.clone(), ..Env::simulated(disk.clone(), 7) };
    (faults, env)
}

/// From now on writes to files whose path holds `part` have this many bytes left.
pub(crate) fn fill(faults: &FaultFs, part: &'static str, after_bytes: u64) {
    let rule = FaultRule::nth(0, Fault::NoSpace { after_bytes }).sticky();
    faults.arm(rule.matching(move |_, path| path.to_string_lossy().contains(part)));
}

/// The next such call on a file whose path holds `part` fails.
pub(crate) fn fail(faults: &FaultFs, wanted: Call, part: &'static str, fault: Fault) {
    let rule = FaultRule::nth(0, fault);
    faults.arm(rule.matching(move |call, path| call == wanted && path.to_string_lossy().contains(part)));
}

/// What a killed process leaves: everything that was written.
pub(crate) fn killed(disk: &MemFs) -> MemFs {
    image(disk, Variant::Killed)
}

/// What loss of power leaves at its worst: what was synced.
pub(crate) fn powerless(disk: &MemFs) -> MemFs {
    image(disk, Variant::SyncedOnly)
}

fn image(disk: &MemFs, wanted: Variant) -> MemFs {
    let history = disk.history();
    let mut found = None;
    let mut killed = None;
    history.for_each_image(history.len(), &CrashPlan::ci(), &mut |name: &ImageName, image| {
        if name.variant == Variant::Killed {
            killed.get_or_insert_with(|| image.clone());
        }
        if name.variant == wanted {
            found.get_or_insert(image);
        }
    });
    // Where nothing is unsynced all images are one.
    found.or(killed).expect("every point has an image")
}

/// A fresh disk that remembers what happens to it.
pub(crate) fn recorded() -> MemFs {
    let disk = MemFs::new();
    disk.record();
    disk
}

pub(crate) fn put(db: &Db, keyspace: &Keyspace, key: &str, value: &str, durability: Durability) -> Result<()> {
    let mut batch = db.batch();
    batch.insert(keyspace, key, value);
    batch.durability(durability).commit()
}

pub(crate) fn text(keyspace: &Keyspace, key: &str) -> Option<String> {
    let value = keyspace.get(key).expect("readable");
    value.map(|value| String::from_utf8(value.to_vec()).expect("text"))
}

/// Key and value of each row, as text.
pub(crate) fn rows(rows: impl Iterator<Item = Result<(sedimentdb::Slice, sedimentdb::Slice)>>) -> Vec<String> {
    rows.map(|row| {
        let (key, value) = row.expect("readable");
        format!("{}={}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value))
    })
    .collect()
}

/// What a process reads in a file.
pub(crate) fn bytes(disk: &MemFs, path: &Path) -> Vec<u8> {
    disk.tree().remove(&Path::new("/").join(path)).expect("the file is there")
}

/// Whether it comes true with one of the next scans. What nobody holds any more goes with the first read after which no thread of
/// the process, be it of another test, is in the middle of one that began before.
pub(crate) fn eventually(keyspace: &Keyspace, is_true: impl Fn() -> bool) -> bool {
    eventually_by(|| drop(keyspace.iter()), is_true)
}

/// As [`eventually`], with any kind of read. Sleeps in between: whoever is in the middle of one may be a thread of low priority, which
/// has to wait for a processor.
pub(crate) fn eventually_by(read: impl Fn(), is_true: impl Fn() -> bool) -> bool {
    let clock = Env::system().clock;
    (0..100_000).any(|turn| {
        read();
        if turn % 100 == 99 {
            clock.sleep_us(1_000);
        }
        is_true()
    })
}

/// Names in a directory of the disk.
pub(crate) fn list(disk: &MemFs, dir: &str) -> Vec<String> {
    use sediment_env::Fs;
    let path = Path::new(DIR).join(dir);
    disk.read_dir(&path).map(|entries| entries.into_iter().map(|entry| entry.name).collect()).unwrap_or_default()
}
