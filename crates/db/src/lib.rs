//! An embedded key-value database: open a directory, write, read and scan; what you have been told is written stays written.
//!
//! ```
//! use sedimentdb::{Db, Durability};
//!
//! fn example(path: &std::path::Path) -> sedimentdb::Result<()> {
//!     let db = Db::open(path)?;
//!     let users = db.keyspace("users")?;
//!     let emails = db.keyspace("emails")?;
//!
//!     let mut batch = db.batch(); // all of it or none of it, across keyspaces
//!     batch.insert(&users, "u17", "Ada").insert(&emails, "ada@example.org", "u17");
//!     batch.durability(Durability::Sync).commit()?; // on disk when this returns
//!
//!     let before = db.snapshot();
//!     users.insert("u17", "Ada Lovelace")?;
//!     assert_eq!(users.get("u17")?.as_deref(), Some("Ada Lovelace".as_bytes()));
//!     assert_eq!(before.get(&users, "u17")?.as_deref(), Some("Ada".as_bytes()));
//!
//!     for row in users.prefix("u").rev() {
//!         let (key, value) = row?;
//!         println!("{} = {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value));
//!     }
//!     db.close()
//! }
//! # example(tempfile::tempdir().unwrap().path()).unwrap();
//! ```
//!
//! Three settings matter, memory, durability and [`Goal`]; the rest is for experts ([`ExpertOptions`]), and follows them where it
//! is left open. A keyspace can have settings of its own, stored with it:
//!
//! ```
//! use sedimentdb::{Db, Durability, Goal, KeyspaceOptions};
//!
//! fn example(path: &std::path::Path) -> sedimentdb::Result<()> {
//!     let db = Db::builder(path).memory(1 << 30).durability(Durability::Sync).goal(Goal::Write).open()?;
//!     let archive = db.keyspace_with("archive", KeyspaceOptions { goal: Some(Goal::Space), ..Default::default() })?;
//!     archive.set_options(KeyspaceOptions { block_bytes: Some(64 << 10), ..archive.options() })
//! }
//! # example(tempfile::tempdir().unwrap().path()).unwrap();
//! ```
//!
//! [`Db`] is the database, [`Keyspace`] one ordered map in it, [`WriteBatch`] several writes at once, [`Snapshot`] a moment to
//! read at. What a write survives is [`Durability`]. Every failure is an [`Error`] whose [`ErrorKind`] says what to do.
//!
//! How it works inside is in the repository: `ARCHITECTURE.md` for the map, `docs/durability.md` for the order of every write.

mod instruments;

mod options;

mod catalog;

mod wal;

mod snapshot;

mod token;

mod worker;

mod status;

mod commit;

mod recover;

mod dump;

mod api;

pub use api::{Cursor, Db, DbBuilder, Ingest, Iter, Keys, Keyspace, ScanPart, Snapshot, VerifyReport, WriteBatch};
pub use dump::dump_file;
pub use options::{
    Compression, Create, Durability, ExpertOptions, FilterKind, FilterWidths, Goal, KeyspaceOptions, Options, Residency,
};
pub use sediment_base::{
    Account, BlockCodec, Comparator, Error, ErrorKind, Location, MergeOperator, PrefixExtractor, Result, Slice,
    budget::BudgetSnapshot, event, stats,
};
pub use sediment_codec::compress::{Dictionary, ZstdLevel};
/// What a compaction filter sees, and says.
pub mod compaction_filter {
    pub use sediment_base::{
        compaction_filter::{CompactionFilter, CompactionFilterFactory, FilterContext, FilterRow, Verdict},
        kind::Kind,
    };
}
/// What a strategy of compactions sees, and says.
pub mod strategy {
    pub use sediment_base::{KeyRange, TableId};
    pub use sediment_table::TableMeta;
    pub use sediment_tree::{Backlog, Coming, Fifo, Lazy, Leveled, Plan, Strategy, Tiered, TreeView, strategy_by_name};
}

pub use sediment_env::{self as env, Env};
pub use sediment_tree::{Direction, ScanLimits};
pub use status::{DbStats, KeyspaceStats, LevelStats, MemoryStats, SnapshotStats};
pub use worker::{PaceStats, SlowdownCause};
