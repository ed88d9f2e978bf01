//! `Tree`: one LSM tree, a handle with one short method per verb.
//!
//! The caller brings seqnos, time, threads and durability. Reads at `S` see rows with a seqno below `S`. What was inserted is
//! in memory only until [`Tree::seal`] and [`Tree::flush`] have put it into tables. Every method may be called from any thread.

use crate::{
    admin::{TreeStats, VerifyReport},
    compaction::{CompactionContext, CompactionReport, Plan},
    flush::{FlushContext, FlushReport},
    options::TreeOptions,
    read::Scan,
    version::ManifestPosition,
};
use sediment_base::{FileUuid, Result, SeqNo, Slice};
use sediment_env::Env;
use std::{ops::RangeBounds, path::Path};

/// One LSM tree. Cheap to clone; the clones are one tree.
#[derive(Clone, Debug)]
pub struct Tree {}

impl Tree {
    /// Makes a tree in `dir`, which may be missing or hold what an earlier creation left. On return everything in it is
    /// durable; the name of `dir` in its parent is the caller's to sync. `InvalidInput` where a tree lies already.
    pub fn create(_env: &Env, _dir: &Path, _db_uuid: FileUuid, _options: TreeOptions) -> Result<Self> {
        unimplemented!()
    }

    /// Opens the tree in `dir` and writes nothing. See [`is_not_created`](crate::is_not_created) for a directory without one.
    pub fn open(_env: &Env, _dir: &Path, _options: TreeOptions) -> Result<Self> {
        unimplemented!()
    }

    /// Gives `key` a value at `seqno`. Seqnos come in any order; none below the horizon of a running flush or compaction.
    pub fn insert(&self, _key: &[u8], _value: &[u8], _seqno: SeqNo) -> Result<()> {
        unimplemented!()
    }

    /// Removes `key` at `seqno`.
    pub fn remove(&self, _key: &[u8], _seqno: SeqNo) -> Result<()> {
        unimplemented!()
    }

    /// The value of `key` at `read_seqno`.
    pub fn get(&self, _key: &[u8], _read_seqno: SeqNo) -> Result<Option<Slice>> {
        unimplemented!()
    }

    /// The value of `key` at the seqno that `visible` returns, asked once the memtables and tables to read are pinned: a flush
    /// or compaction that ends in between cannot take the version away. For readers without a registered snapshot.
    pub fn get_at(&self, _key: &[u8], _visible: impl FnOnce() -> SeqNo) -> Result<Option<Slice>> {
        unimplemented!()
    }

    /// Whether `key` has a value at `read_seqno`.
    pub fn contains_key(&self, _key: &[u8], _read_seqno: SeqNo) -> Result<bool> {
        unimplemented!()
    }

    /// The rows of a range at `read_seqno`. Errors come from the scan.
    pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, _range: R, _read_seqno: SeqNo) -> Scan {
        unimplemented!()
    }

    /// The rows of a range at the seqno that `visible` returns, asked as in [`Tree::get_at`].
    pub fn range_at<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, _range: R, _visible: impl FnOnce() -> SeqNo) -> Scan {
        unimplemented!()
    }

    /// The rows whose keys begin with `prefix`. `InvalidInput` under an order that is not lexicographic.
    pub fn prefix(&self, _prefix: &[u8], _read_seqno: SeqNo) -> Result<Scan> {
        unimplemented!()
    }

    /// Bytes of the active memtable.
    pub fn memtable_bytes(&self) -> usize {
        unimplemented!()
    }

    /// Memtables that wait for their flush.
    pub fn sealed_count(&self) -> usize {
        unimplemented!()
    }

    /// Whether no memtable holds rows.
    pub fn is_clean(&self) -> bool {
        unimplemented!()
    }

    /// Seals the active memtable and begins another; false, and nothing done, if it is empty. Every row at or below `boundary`
    /// is then in it or older, every row above comes later: the caller sees to it that no batch straddles.
    pub fn seal(&self, _boundary: SeqNo) -> bool {
        unimplemented!()
    }

    /// Writes all sealed memtables to tables, durably.
    pub fn flush(&self, _context: &FlushContext<'_>) -> Result<FlushReport> {
        unimplemented!()
    }

    /// The newest durable boundary: everything at or below it is in tables.
    pub fn mark(&self) -> Option<SeqNo> {
        unimplemented!()
    }

    /// The most urgent compaction, reserved for the caller; `None` when the tree is in shape or what is due is under way.
    pub fn pick_compaction(&self) -> Option<Plan> {
        unimplemented!()
    }

    /// Runs a compaction.
    pub fn compact(&self, _plan: Plan, _context: &CompactionContext<'_>) -> Result<CompactionReport> {
        unimplemented!()
    }

    /// Rewrites all tables into one run, waiting first for compactions under way.
    pub fn compact_all(&self, _context: &CompactionContext<'_>) -> Result<CompactionReport> {
        unimplemented!()
    }

    /// The highest seqno that this tree ever held, in memory or durably.
    pub fn highest_seqno(&self) -> Option<SeqNo> {
        unimplemented!()
    }

    /// From here on every read is exact; below, only those of snapshots that each flush and compaction since knew as pins.
    pub fn history_floor(&self) -> SeqNo {
        unimplemented!()
    }

    /// How far the manifest is durable.
    pub fn manifest_position(&self) -> ManifestPosition {
        unimplemented!()
    }

    /// Compares with a position remembered elsewhere: a manifest that ends before it has lost something.
    pub fn check_position(&self, _remembered: ManifestPosition) -> Result<()> {
        unimplemented!()
    }

    /// Moves files that nothing names to `lost/`; how many.
    pub fn move_orphans(&self) -> Result<usize> {
        unimplemented!()
    }

    /// Sizes at this moment.
    pub fn stats(&self) -> TreeStats {
        unimplemented!()
    }

    /// Reads every byte on disk and reports every fault.
    pub fn verify(&self) -> Result<VerifyReport> {
        unimplemented!()
    }

    /// Marks the tree as dropped: its files go when the last handle and the last scan do.
    pub fn delete_when_unused(&self) {
        unimplemented!()
    }
}
