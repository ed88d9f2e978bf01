//! What the database tells about itself.

use sediment_base::{Error, SeqNo};
use std::panic::Location;

/// State of a database at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DbStats {
    /// The read seqno of a read begun now: one above the newest commit.
    pub visible_seqno: SeqNo,
    /// Each keyspace, by name.
    pub keyspaces: Vec<KeyspaceStats>,
    /// Log files that are still needed.
    pub wal_files: usize,
    /// Bytes in those log files.
    pub wal_bytes: u64,
    /// Every open snapshot, oldest first.
    pub snapshots: Vec<SnapshotStats>,
    /// Why writes are refused, if they are.
    pub poisoned: Option<Error>,
}

/// State of one keyspace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyspaceStats {
    /// Its name.
    pub name: String,
    /// Bytes in the memtable that takes writes.
    pub memtable_bytes: u64,
    /// Bytes in memtables that wait for their flush.
    pub sealed_bytes: u64,
    /// What is on disk, newest level first.
    pub levels: Vec<LevelStats>,
}

/// State of one level of a keyspace's tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelStats {
    /// Number of tables.
    pub tables: u64,
    /// Their size on disk.
    pub bytes: u64,
    /// Rows in them, every version counted.
    pub rows: u64,
    /// Tombstones among those.
    pub tombstones: u64,
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

/// What [`Db::verify`](crate::Db::verify) found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Files read.
    pub files: u64,
    /// Blocks read.
    pub blocks: u64,
    /// Rows read.
    pub rows: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Everything that is wrong; empty for a sound database.
    pub faults: Vec<Error>,
}
