//! An embedded key-value database: open a directory, write, read, scan, and nothing is lost.

pub mod options;

pub mod dump;

pub mod api;

pub use api::{
    Db, DbBuilder, DbStats, Iter, Keyspace, KeyspaceStats, LevelStats, Snapshot, SnapshotStats, VerifyReport, WriteBatch,
};
pub use dump::dump_file;
pub use options::{Create, Durability, Options};
pub use sediment_base::{Error, ErrorKind, Location, Result, Slice};
pub use sediment_env::{self as env, Env};
