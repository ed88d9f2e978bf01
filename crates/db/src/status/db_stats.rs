//! `DbStats`: a database at one moment, as plain data.

use crate::worker::PaceStats;
use sediment_base::{Error, SeqNo, budget::BudgetSnapshot, filename, stats::StatsSnapshot};
use std::panic::Location;

/// State of a database at one moment, and what it has counted since it was opened. Numbers of one moment are each exact; taken
/// together they may be of slightly different moments.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DbStats {
    /// The wall clock when this was taken, in microseconds since 1970.
    pub taken_at_us: u64,
    /// How long the database had been open then, in microseconds.
    pub open_us: u64,
    /// The read seqno of a read begun now: one above the newest commit.
    pub visible_seqno: SeqNo,
    /// Each keyspace, by name.
    pub keyspaces: Vec<KeyspaceStats>,
    /// How fast writers may go, and why not faster.
    pub pace: PaceStats,
    /// What memory is used for.
    pub memory: MemoryStats,
    /// Log files that are still needed.
    pub wal_files: usize,
    /// Bytes in those log files.
    pub wal_bytes: u64,
    /// Every open snapshot, oldest first.
    pub snapshots: Vec<SnapshotStats>,
    /// Why writes are refused, if they are.
    pub poisoned: Option<Error>,
    /// Counters and histograms, since the database was opened.
    pub counted: StatsSnapshot,
    /// Calls of listeners that ended with a panic.
    pub listener_panics: u64,
}

/// State of one keyspace.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyspaceStats {
    /// Its name.
    pub name: String,
    /// Bytes in the memtable that takes writes.
    pub memtable_bytes: u64,
    /// Memtables that wait for their flush.
    pub sealed_memtables: u64,
    /// Bytes in those.
    pub sealed_bytes: u64,
    /// What is on disk, newest level first.
    pub levels: Vec<LevelStats>,
    /// Bytes that compaction has to move down until every level has its size.
    pub debt_bytes: u64,
    /// Table files that are no longer needed and go as soon as nobody reads them.
    pub obsolete_tables: u64,
}

/// State of one level of a keyspace's tree.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LevelStats {
    /// Sorted runs: what a scan has to merge.
    pub runs: u64,
    /// Number of tables.
    pub tables: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// Rows in them, every version counted.
    pub rows: u64,
    /// Tombstones among those.
    pub tombstones: u64,
    /// Bits of filters for each row, in the mean of the tables that are open; 0.0 where none is, and where there are no filters.
    pub filter_bits_per_key: f64,
    /// How full the level is: from 1.0 on a compaction is due. 0.0 for the last level, which may hold any amount. While writers go on
    /// level 0 may hold more before it is full.
    pub score: f64,
}

/// What memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStats {
    /// Bytes in use by account, and how many there shall be in all.
    pub budget: BudgetSnapshot,
    /// How many the memtables may take before writers wait.
    pub memtables_bytes_max: u64,
    /// How many the block cache may take at this moment: what the other accounts leave.
    pub cache_bytes_max: u64,
}

/// An open snapshot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SnapshotStats {
    /// It sees commits with smaller seqnos.
    pub read_seqno: SeqNo,
    /// Where in the program it was made.
    pub made_at: &'static Location<'static>,
}

impl DbStats {
    /// The name of the file in a database's directory in which a live one keeps its statistics, as JSON.
    pub const FILE_NAME: &'static str = filename::STATS;

    /// What the JSON says in its first field, `format`: who reads it knows what to expect.
    pub const JSON_FORMAT: &'static str = "sediment-stats-1";

    /// All of it as one JSON object, on one line; what a live database keeps in its file `STATS`. `docs/statistics.md` in the
    /// repository says what is in it.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// db.keyspace("users")?.insert("u17", "Ada")?;
    /// let json = db.stats().to_json();
    /// assert!(json.contains(r#""commit_rows":1"#), "{json}");
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        super::json::of(self)
    }
}
