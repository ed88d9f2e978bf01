//! One LSM tree as a library: no threads, no clock, no log.
//!
//! Rooms import only rooms above them here. Start with `tree.rs` for the verbs and `docs/glossary.md` for the words. This crate
//! is public because crates must be; the stable face is `sedimentdb`.

mod options;

mod retention;

mod memtable;

mod version;

mod super_version;

mod cursor;

mod read;

mod write;

mod rewrite;

mod compaction;

mod flush;

mod ingest;

mod open;

mod admin;

mod simulate;

mod tree;

pub use admin::{LevelStats, TreeStats, VerifyReport, dump_current, dump_manifest};
pub use compaction::{
    Backlog, Coming, CompactionContext, CompactionReport, Fifo, Helpers, Lazy, Leveled, Plan, Pressure, Strategy, Tiered,
    TreeView, Urgency, strategy_by_name,
};
pub use flush::{FlushContext, FlushReport};
pub use ingest::IngestReport;
pub use open::{is_not_created, order_at_creation};
pub use options::{FilterWidths, Reclaimer, SeqnoSource, TreeOptions};
pub use read::{Cursor, Direction, RawRow, RawRows, Scan, ScanLimits, ScanPart, TakeValue, ValueLen};
pub use retention::Retention;
pub use rewrite::{OnSlice, Progress};
pub use simulate::{Simulation, SimulationCounts};
pub use tree::{BegunGet, BegunMultiGet, Ingestion, MemtableView, Overlay, StoppedGet, StoppedMultiGet, Tree};
pub use version::ManifestPosition;
pub use write::WriteBatch;
