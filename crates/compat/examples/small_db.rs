//! A small database over a tree: its caller owns the log, the numbers, the snapshots and the thread that compacts.
//!
//! It writes, takes a snapshot, flushes and compacts in the background, dies without a word and comes back, twice, and compares all
//! that it reads with a model. What it prints depends on nothing but the rows, so that it is the same over any tree with this interface:
//! `bench/family` builds this very file over one of the family.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a caller of a library has files and threads of its own, and something to say"
)]

use lsm_tree::{
    AbstractTree, AnyTree, Config, Guard, Result, SeqNo, SequenceNumberCounter, WriteBatch, compaction::Leveled, get_tmp_folder,
};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// One write, as it stands in the log.
#[derive(Clone, Debug)]
enum Op {
    Put(Vec<u8>, Vec<u8>),
    Remove(Vec<u8>),
    RemoveRange(Vec<u8>, Vec<u8>),
}

/// A tree, the log in front of it, and a thread that compacts.
struct Db {
    tree: AnyTree,
    seqno: SequenceNumberCounter,
    visible: SequenceNumberCounter,
    dir: PathBuf,
    log: Mutex<Log>,
    snapshots: Arc<Mutex<BTreeMap<SeqNo, usize>>>,
    is_closing: Arc<AtomicBool>,
    compactor: Option<JoinHandle<usize>>,
}

/// The log file that is written.
struct Log {
    file: File,
    number: u64,
}

impl Log {
    fn path(dir: &Path, number: u64) -> PathBuf {
        dir.join(format!("log-{number:06}"))
    }

    fn create(dir: &Path, number: u64) -> Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(Self::path(dir, number))?;
        Ok(Self { file, number })
    }

    /// `seqno, kind, lengths, key, value, checksum`, all of it one write.
    fn append(&mut self, seqno: SeqNo, op: &Op) -> Result<()> {
        let (kind, key, value): (u8, &[u8], &[u8]) = match op {
            Op::Put(key, value) => (0, key, value),
            Op::Remove(key) => (1, key, &[]),
            Op::RemoveRange(start, end) => (2, start, end),
        };
        let mut record = seqno.to_le_bytes().to_vec();
        record.push(kind);
        record.extend((key.len() as u32).to_le_bytes());
        record.extend((value.len() as u32).to_le_bytes());
        record.extend(key);
        record.extend(value);
        record.extend(digest(&record).to_le_bytes());
        Ok(self.file.write_all(&record)?)
    }

    /// The whole records of a file; a torn one ends it.
    fn read(path: &Path) -> Result<Vec<(SeqNo, Op)>> {
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        let (mut records, mut rest) = (Vec::new(), &bytes[..]);
        while let Some((record, len)) = Self::decode(rest) {
            records.push(record);
            rest = &rest[len..];
        }
        Ok(records)
    }

    fn decode(bytes: &[u8]) -> Option<((SeqNo, Op), usize)> {
        let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
        let seqno = SeqNo::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let (key_len, value_len) = (number(9)?, number(13)?);
        let end = 17_usize.checked_add(key_len)?.checked_add(value_len)?;
        let stored = u64::from_le_bytes(bytes.get(end..end.checked_add(8)?)?.try_into().ok()?);
        if stored != digest(&bytes[..end]) {
            return None;
        }
        let (key, value) = (bytes[17..17 + key_len].to_vec(), bytes[17 + key_len..end].to_vec());
        let op = match bytes[8] {
            0 => Op::Put(key, value),
            1 => Op::Remove(key),
            _ => Op::RemoveRange(key, value),
        };
        Some(((seqno, op), end + 8))
    }
}

impl Db {
    /// Opens the tree, replays what its tables lack, and starts to compact.
    fn open(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let (seqno, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
        let tree = Config::new(dir.join("tree"), seqno.clone(), visible.clone()).open()?;
        let persisted = tree.get_highest_persisted_seqno();
        let (mut next, mut number) = (tree.get_highest_seqno().map_or(0, |highest| highest + 1), 0);
        for path in Self::logs(dir)? {
            let records = Log::read(&path)?;
            for (seqno, op) in records.iter().filter(|(seqno, _)| Some(*seqno) > persisted) {
                apply(&tree, op, *seqno);
                next = next.max(seqno + 1);
            }
            number += 1;
        }
        seqno.set(next);
        visible.set(next);
        let mut db = Self {
            tree,
            seqno,
            visible,
            dir: dir.to_path_buf(),
            log: Mutex::new(Log::create(dir, 1_000 * next + number)?),
            snapshots: Arc::default(),
            is_closing: Arc::default(),
            compactor: None,
        };
        db.compactor = Some(db.start_compactor());
        Ok(db)
    }

    fn logs(dir: &Path) -> Result<Vec<PathBuf>> {
        let mut logs: Vec<PathBuf> = fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        logs.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log-")));
        logs.sort();
        Ok(logs)
    }

    /// Log first, then tree, then visible.
    fn write(&self, op: &Op) -> Result<()> {
        let mut log = self.log.lock().expect("whole");
        let now = self.seqno.next();
        log.append(now, op)?;
        apply(&self.tree, op, now);
        self.visible.fetch_max(now + 1);
        Ok(())
    }

    /// A number to read at; no flush or compaction takes away what it sees until it is released.
    fn snapshot(&self) -> SeqNo {
        let mut snapshots = self.snapshots.lock().expect("whole");
        let seqno = self.visible.get();
        *snapshots.entry(seqno).or_default() += 1;
        seqno
    }

    fn release(&self, snapshot: SeqNo) {
        self.snapshots.lock().expect("whole").remove(&snapshot);
    }

    /// Everything goes to tables, and the logs of before go.
    fn flush(&self) -> Result<()> {
        let old = {
            let mut log = self.log.lock().expect("whole");
            self.tree.rotate_memtable();
            let old = Self::logs(&self.dir)?;
            *log = Log::create(&self.dir, log.number + 1)?;
            old
        };
        let lock = self.tree.get_flush_lock();
        self.tree.flush(&lock, oldest_reader(&self.snapshots, &self.visible))?;
        old.iter().try_for_each(fs::remove_file)?;
        Ok(())
    }

    fn start_compactor(&self) -> JoinHandle<usize> {
        let (tree, is_closing) = (self.tree.clone(), Arc::clone(&self.is_closing));
        let (snapshots, visible) = (Arc::clone(&self.snapshots), self.visible.clone());
        thread::spawn(move || {
            let (strategy, mut rounds) = (Arc::new(Leveled::default().with_table_target_size(64 << 10)), 0);
            while !is_closing.load(Ordering::Acquire) {
                tree.compact(strategy.clone(), oldest_reader(&snapshots, &visible)).expect("compacted");
                rounds += 1;
                thread::sleep(Duration::from_millis(1));
            }
            rounds
        })
    }

    /// All rows at a number.
    fn rows(&self, seqno: SeqNo) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let owned = |row: lsm_tree::KvPair| (row.0.to_vec(), row.1.to_vec());
        self.tree.iter(seqno, None).map(|row| row.into_inner().map(owned)).collect()
    }

    /// Dies as a process does: nothing is flushed, and the log ends in the middle of a record.
    fn die(mut self) -> Result<()> {
        self.is_closing.store(true, Ordering::Release);
        let rounds = self.compactor.take().map(|thread| thread.join().expect("no panic"));
        assert!(rounds > Some(0), "the compactor ran");
        self.log.lock().expect("whole").file.write_all(b"torn")?;
        Ok(())
    }
}

fn oldest_reader(snapshots: &Mutex<BTreeMap<SeqNo, usize>>, visible: &SequenceNumberCounter) -> SeqNo {
    let snapshots = snapshots.lock().expect("whole");
    snapshots.keys().next().copied().unwrap_or_else(|| visible.get())
}

fn apply(tree: &AnyTree, op: &Op, seqno: SeqNo) {
    match op {
        Op::Put(key, value) => drop(tree.apply_batch(one(key, value), seqno)),
        Op::Remove(key) => _ = tree.remove(&key[..], seqno),
        Op::RemoveRange(start, end) => _ = tree.remove_range(&start[..], &end[..], seqno),
    }
}

fn one(key: &[u8], value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.insert(key, value);
    batch
}

/// FNV-1a.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

fn digest_of(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> u64 {
    digest(&rows.iter().flat_map(|(key, value)| [&key[..], b"=", value, b";"].concat()).collect::<Vec<u8>>())
}

/// The n-th write: mostly puts, some removes, now and then a range.
fn op(n: u64) -> Op {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let key = |n: u64| format!("key-{:05}", n % 3000).into_bytes();
    match n % 50 {
        7 | 19 => Op::Remove(key(mixed)),
        31 if n % 500 == 31 => Op::RemoveRange(key(mixed), format!("key-{:05}", mixed % 3000 + 20).into_bytes()),
        _ => Op::Put(key(mixed), format!("value-{n}-").repeat(1 + (n % 7) as usize).into_bytes()),
    }
}

fn apply_to_model(model: &mut BTreeMap<Vec<u8>, Vec<u8>>, op: &Op) {
    match op {
        Op::Put(key, value) => drop(model.insert(key.clone(), value.clone())),
        Op::Remove(key) => drop(model.remove(key)),
        Op::RemoveRange(start, end) => model.retain(|key, _| key < start || key >= end),
    }
}

fn main() -> Result<()> {
    let folder = get_tmp_folder();
    let (mut model, mut n) = (BTreeMap::new(), 0);
    for life in 1..=3 {
        let db = Db::open(folder.path())?;
        assert_eq!(db.rows(db.snapshot())?, model, "life {life} finds what was written before");
        println!("life {life}: {} rows, digest {:016x}", model.len(), digest_of(&model));
        let mut kept = None;
        for _ in 0..6_500 {
            let op = op(n);
            db.write(&op)?;
            apply_to_model(&mut model, &op);
            n += 1;
            if n % 6_500 == 2_000 {
                kept = Some((db.snapshot(), model.clone()));
            }
            if n % 1_000 == 0 {
                db.flush()?;
            }
        }
        let (snapshot, then) = kept.expect("taken");
        assert_eq!(db.rows(snapshot)?, then, "a snapshot sees what it saw");
        db.release(snapshot);
        assert_eq!(db.rows(db.snapshot())?, model);
        for key in (0..3000).step_by(71).map(|key| format!("key-{key:05}").into_bytes()) {
            assert_eq!(db.tree.get(&key, db.visible.get())?.as_deref(), model.get(&key).map(|value| &value[..]));
        }
        println!("        snapshot {:016x}, {} rows, digest {:016x}", digest_of(&then), model.len(), digest_of(&model));
        db.die()?;
    }
    let db = Db::open(folder.path())?;
    assert_eq!(db.rows(db.snapshot())?, model);
    println!("end:    {} rows, digest {:016x}", model.len(), digest_of(&model));
    db.die()
}
