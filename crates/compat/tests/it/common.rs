//! A tree in a directory of its own, and shorthands.

use lsm_tree::{
    AbstractTree, AnyTree, Config, Error, Guard, IterGuardImpl, MergeOperator, Result, SeqNo, SequenceNumberCounter,
    UserComparator, UserValue, compaction::CompactionResult, compaction::CompactionStrategy, get_tmp_folder,
};
use std::{cmp::Ordering, io::ErrorKind, sync::Arc};

/// The order of bytes, the other way round.
pub(crate) struct Reverse;

impl UserComparator for Reverse {
    fn name(&self) -> &'static str {
        "reverse"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }
}

/// A merge operator that appends, and fails on `bad`.
pub(crate) struct Append;

impl MergeOperator for Append {
    fn merge(&self, _key: &[u8], base_value: Option<&[u8]>, operands: &[&[u8]]) -> Result<UserValue> {
        if operands.contains(&&b"bad"[..]) {
            return Err(Error::MergeOperator);
        }
        Ok([base_value.unwrap_or_default(), &operands.concat()].concat().into())
    }
}

/// With [`Append`].
pub(crate) fn appending(config: Config) -> Config {
    config.with_merge_operator(Some(Arc::new(Append)))
}

/// A tree with its counters and directory.
pub(crate) struct World {
    pub(crate) tree: AnyTree,
    pub(crate) seqno: SequenceNumberCounter,
    pub(crate) visible: SequenceNumberCounter,
    pub(crate) folder: tempfile::TempDir,
}

/// Both counters and a configuration in a new directory.
pub(crate) fn config() -> (Config, SequenceNumberCounter, SequenceNumberCounter, tempfile::TempDir) {
    let folder = get_tmp_folder();
    let (seqno, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
    (Config::new(&folder, seqno.clone(), visible.clone()), seqno, visible, folder)
}

impl World {
    pub(crate) fn new() -> Result<Self> {
        Self::with(|config| config)
    }

    pub(crate) fn with(change: impl FnOnce(Config) -> Config) -> Result<Self> {
        let (config, seqno, visible, folder) = config();
        let tree = change(config).open()?;
        Ok(Self { tree, seqno, visible, folder })
    }

    /// With "a" in a table, "b" in a sealed memtable and "c" in the active one.
    pub(crate) fn in_all_places() -> Result<Self> {
        let world = Self::new()?;
        world.put("a", "a");
        world.flush();
        world.put("b", "b");
        world.tree.rotate_memtable();
        world.put("c", "c");
        Ok(world)
    }

    /// Whether it comes true with one of the next scans: what nobody holds any more goes with the first after which no thread of the
    /// process, be it of another test, is in the middle of a read that began before.
    pub(crate) fn eventually(&self, is_true: impl Fn() -> bool) -> bool {
        (0..100_000).any(|_| {
            drop(self.keys());
            std::thread::yield_now();
            is_true()
        })
    }

    /// Closes it and opens it again, with counters as the tree says.
    pub(crate) fn reopened(self, change: impl FnOnce(Config) -> Config) -> Result<Self> {
        let Self { tree, folder, .. } = self;
        drop(tree);
        let (seqno, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
        let tree = change(Config::new(&folder, seqno.clone(), visible.clone())).open()?;
        let next = tree.get_highest_seqno().map_or(0, |highest| highest + 1);
        seqno.set(next);
        visible.set(next);
        Ok(Self { tree, seqno, visible, folder })
    }

    /// Writes with the next number, and shows it.
    pub(crate) fn put(&self, key: &str, value: &str) -> SeqNo {
        self.write(|tree, now| {
            tree.insert(key, value, now);
        })
    }

    /// Writes the key alone into a table.
    pub(crate) fn flushed(&self, key: &str) {
        self.put(key, key);
        self.flush();
    }

    pub(crate) fn remove(&self, key: &str) -> SeqNo {
        self.write(|tree, now| {
            tree.remove(key, now);
        })
    }

    pub(crate) fn remove_weak(&self, key: &str) -> SeqNo {
        self.write(|tree, now| {
            tree.remove_weak(key, now);
        })
    }

    pub(crate) fn merge(&self, key: &str, operand: &str) -> SeqNo {
        self.write(|tree, now| {
            tree.merge(key, operand, now);
        })
    }

    pub(crate) fn remove_range(&self, start: &str, end: &str) -> SeqNo {
        self.write(|tree, now| assert!(tree.remove_range(start, end, now) > 0))
    }

    pub(crate) fn ingest(&self, rows: &[(&str, &str)]) {
        let mut ingestion = self.tree.ingestion().expect("begun");
        for (key, value) in rows {
            ingestion.write(*key, *value).expect("in order");
        }
        ingestion.finish().expect("finished");
    }

    pub(crate) fn write(&self, write: impl FnOnce(&AnyTree, SeqNo)) -> SeqNo {
        let now = self.seqno.next();
        write(&self.tree, now);
        self.visible.fetch_max(now + 1);
        now
    }

    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.get_at(key, self.visible.get())
    }

    pub(crate) fn get_at(&self, key: &str, seqno: SeqNo) -> Option<String> {
        let value = self.tree.get(key, seqno).expect("read");
        value.map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// All keys, from the front.
    pub(crate) fn keys_at(&self, seqno: SeqNo) -> Vec<String> {
        keys(self.tree.iter(seqno, None))
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.keys_at(self.visible.get())
    }

    pub(crate) fn flush(&self) {
        self.flush_with(0);
    }

    pub(crate) fn flush_with(&self, watermark: SeqNo) {
        self.tree.flush_active_memtable(watermark).expect("flushed");
    }

    pub(crate) fn major(&self, watermark: SeqNo) {
        self.tree.major_compact(64 << 20, watermark).expect("compacted");
    }

    pub(crate) fn compact(&self, strategy: impl CompactionStrategy + 'static, watermark: SeqNo) -> CompactionResult {
        self.tree.compact(Arc::new(strategy), watermark).expect("compacted")
    }

    /// Tables by level.
    pub(crate) fn levels(&self) -> Vec<usize> {
        (0..7).map_while(|level| self.tree.level_table_count(level)).collect()
    }

    pub(crate) fn counters(&self) -> (SeqNo, SeqNo) {
        (self.seqno.get(), self.visible.get())
    }

    /// Rows of all tables as `key@seqno`, with a mark for what they do.
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for table in self.tree.current_version().iter_tables() {
            for row in table.iter() {
                let row = row.expect("read");
                let mark = ["", " T", " w", " M", ""][usize::from(u8::from(row.key.value_type))];
                rows.push(format!("{}@{}{mark}", String::from_utf8_lossy(&row.key.user_key), row.key.seqno));
            }
        }
        rows.sort();
        rows
    }
}

/// The keys of a scan.
pub(crate) fn keys(rows: impl Iterator<Item = IterGuardImpl>) -> Vec<String> {
    rows.map(|row| String::from_utf8_lossy(&row.key().expect("read")).into_owned()).collect()
}

/// The kind of the I/O error that something failed with.
pub(crate) fn io_kind<T>(result: Result<T>) -> Option<ErrorKind> {
    match result {
        Err(Error::Io(error)) => Some(error.kind()),
        _ => None,
    }
}
