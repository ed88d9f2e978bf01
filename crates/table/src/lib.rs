//! Internal to Sediment: immutable table files.
//!
//! A table is one sorted file that can be read, checked, dumped and fuzzed without a tree. `format.rs` says what lies where;
//! `writer.rs` makes one, `reader.rs` answers points, `cursor.rs` walks. This crate is public because crates must be; the
//! stable face is `sedimentdb`.

mod options;

mod format;

mod block;

mod filter;

mod index;

mod tombstone_block;

mod removed_block;

mod properties;

mod cache;

mod context;

mod writer;

mod reader;

mod cursor;

pub mod check;

pub mod dump;

pub use block::RowHead;
pub use cache::BlockCache;
pub use context::TableContext;
pub use cursor::{Segment, SegmentRow, TableCursor, WholeBlock};
pub use options::{DictionaryOptions, FilterKind, Residency, TableOptions};
pub use properties::{Properties, RangeCounts, RemovedCounts, TableMeta};
pub use reader::{Approach, Looked, PointRead, Reach, ReadCounts, Table, TableRow, TakeRow};
pub use removed_block::RemovedRuns;
pub use writer::{TableWriter, UnnumberedTable};
