//! `AbstractTree`: all that can be asked of a tree, whatever it is called.

use crate::{
    batch::WriteBatch,
    blob::{BlobFile, FragmentationMap},
    compaction::{CompactionResult, CompactionStrategy},
    config::{Config, TreeType},
    descriptor_table::{TableId, TreeId},
    error::{Result, unsupported},
    guard::IterGuardImpl,
    memtable::{Memtable, MemtableId},
    metrics::Metrics,
    report::{BlockVerifyReport, VerifyOptions},
    seqno::SeqNo,
    slice::{UserKey, UserValue, owned_bounds},
    value::{InternalValue, PinnableSlice},
    version::{Table, Version, VersionHistory},
};
use sediment_base::Kind;
use std::{
    ops::RangeBounds,
    path::Path,
    sync::{Arc, MutexGuard, RwLockWriteGuard},
};

pub(crate) mod sealed {
    use crate::tree::Tree;

    /// Every tree here is one [`Tree`].
    pub trait Sealed {
        /// That tree.
        fn standard(&self) -> &Tree;
    }
}

/// What a copy of a tree has.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointInfo {
    /// Tables.
    pub sst_files: usize,
    /// Files of values.
    pub blob_files: usize,
    /// Bytes of both.
    pub total_bytes: u64,
    /// The version that was copied.
    pub version_id: u64,
    /// All with a lower number is in it.
    pub seqno: SeqNo,
}

/// All that can be asked of a tree.
///
/// A read at `seqno` sees what was written with a lower one. `index` is a memtable of the caller's to be read as well, below a number of
/// its own.
pub trait AbstractTree: sealed::Sealed {
    /// Open table files, about: the tree keeps the file of an open table with it.
    fn table_file_cache_size(&self) -> usize {
        self.standard().counted().index_block_load_count().min(self.table_count())
    }

    /// Reads all tables. Not there yet: the report has one error that says so.
    fn verify_checksum(&self) -> BlockVerifyReport
    where
        Self: Sized,
    {
        self.verify_checksum_with(&VerifyOptions::default())
    }

    /// The same, in this way.
    fn verify_checksum_with(&self, options: &VerifyOptions) -> BlockVerifyReport
    where
        Self: Sized,
    {
        BlockVerifyReport::of(self.standard(), options)
    }

    /// Makes a copy that shares its files. Not there yet.
    fn create_checkpoint(&self, _target_path: &Path) -> Result<CheckpointInfo> {
        Err(unsupported("checkpoints"))
    }

    /// Writes what is sealed to tables, for who holds [`AbstractTree::get_flush_lock`]; the bytes of the memtables, if there were any. Nobody
    /// reads below `seqno_threshold`; 0 keeps every version.
    fn flush(&self, _lock: &MutexGuard<'_, ()>, seqno_threshold: SeqNo) -> Result<Option<u64>> {
        self.standard().flush_sealed(seqno_threshold)
    }

    /// All rows.
    fn iter(
        &self,
        seqno: SeqNo,
        index: Option<(Arc<Memtable>, SeqNo)>,
    ) -> Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static> {
        self.standard().scan::<&[u8]>(&.., seqno, &index)
    }

    /// The rows whose keys begin with `prefix`; under an order that is not that of bytes, an error, but for the empty one.
    fn prefix<K: AsRef<[u8]>>(
        &self,
        prefix: K,
        seqno: SeqNo,
        index: Option<(Arc<Memtable>, SeqNo)>,
    ) -> Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static> {
        self.standard().scan_prefix(prefix.as_ref(), seqno, &index)
    }

    /// The rows of a range; none of one the wrong way round.
    fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(
        &self,
        range: R,
        seqno: SeqNo,
        index: Option<(Arc<Memtable>, SeqNo)>,
    ) -> Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'static> {
        self.standard().scan(&range, seqno, &index)
    }

    /// Tombstones in tables, weak ones included.
    fn tombstone_count(&self) -> u64 {
        self.standard().tombstones()
    }

    /// Weak tombstones in tables. Opens them.
    fn weak_tombstone_count(&self) -> u64 {
        self.standard().weak_tombstones()
    }

    /// Values in tables right behind a weak tombstone of their key. Reads the tables that have weak ones.
    fn weak_tombstone_reclaimable_count(&self) -> u64 {
        self.standard().reclaimable_values()
    }

    /// Lets tables go that lie in a range altogether, with all in them; other tables and memtables stay. Waits for compactions under way.
    fn drop_range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<()> {
        self.standard().drop_tables(owned_bounds(&range))
    }

    /// Takes everything away, and its space on disk.
    fn clear(&self) -> Result<()> {
        self.standard().clear_all()
    }

    /// Merges all tables into the last level, once no other compaction is under way.
    fn major_compact(&self, target_size: u64, seqno_threshold: SeqNo) -> Result<CompactionResult> {
        self.standard().compact_major(target_size, seqno_threshold)
    }

    /// Bytes of values that nothing names: none.
    fn stale_blob_bytes(&self) -> u64 {
        0
    }

    /// Bytes of filters, about. Opens tables.
    fn filter_size(&self) -> u64 {
        self.standard().filter_bytes()
    }

    /// Counted with [`AbstractTree::pinned_block_index_size`].
    fn pinned_filter_size(&self) -> usize {
        0
    }

    /// Bytes that open tables keep in memory: fences, filters and properties, of all trees with the same cache.
    fn pinned_block_index_size(&self) -> usize {
        self.standard().metadata_bytes()
    }

    /// Earlier states that are kept for reads of old.
    fn version_free_list_len(&self) -> usize {
        self.standard().tree.history_len()
    }

    /// What was counted.
    fn metrics(&self) -> &Arc<Metrics> {
        self.standard().counted()
    }

    /// One flush at a time.
    fn get_flush_lock(&self) -> MutexGuard<'_, ()> {
        self.standard().lock_flushes()
    }

    /// A half of a flush. Not here.
    #[allow(clippy::type_complexity, reason = "the interface has it so")]
    fn flush_to_tables(
        &self,
        _stream: impl Iterator<Item = Result<InternalValue>>,
    ) -> Result<Option<(Vec<Table>, Option<Vec<BlobFile>>)>>
    where
        Self: Sized,
    {
        Err(unsupported("flush_to_tables: a flush is one call here"))
    }

    /// The other half. Not here.
    #[allow(clippy::too_many_arguments, reason = "the interface has so many")]
    fn register_tables(
        &self,
        _tables: &[Table],
        _blob_files: Option<&[BlobFile]>,
        _frag_map: Option<FragmentationMap>,
        _sealed_memtables_to_delete: &[MemtableId],
        _gc_watermark: SeqNo,
    ) -> Result<()> {
        Err(unsupported("register_tables: a flush is one call here"))
    }

    /// Forgets what is not in tables.
    fn clear_active_memtable(&self) {
        self.standard().tree.clear_memtables()
    }

    /// Memtables that wait for a flush.
    fn sealed_memtable_count(&self) -> usize {
        self.standard().tree.sealed_count()
    }

    /// Does what a strategy wants now. Nobody reads below `seqno_threshold`; 0 keeps every version.
    fn compact(&self, strategy: Arc<dyn CompactionStrategy>, seqno_threshold: SeqNo) -> Result<CompactionResult> {
        self.standard().compact_by(&*strategy, seqno_threshold)
    }

    /// Takes the next number of a table.
    fn get_next_table_id(&self) -> TableId {
        self.standard().tree.next_table_id(true).0
    }

    /// What it was opened with.
    fn tree_config(&self) -> &Config {
        self.standard().config()
    }

    /// The highest number of a row or range tombstone, in memory or ever flushed.
    fn get_highest_seqno(&self) -> Option<SeqNo> {
        self.standard().tree.highest_seqno()
    }

    /// The memtable that takes writes.
    fn active_memtable(&self) -> Arc<Memtable> {
        self.standard().active()
    }

    /// What kind it is.
    fn tree_type(&self) -> TreeType {
        TreeType::Standard
    }

    /// Seals the active memtable; none if it is empty.
    fn rotate_memtable(&self) -> Option<Arc<Memtable>> {
        self.standard().rotate()
    }

    /// Tables.
    fn table_count(&self) -> usize {
        self.standard().all_metas().len()
    }

    /// Tables of a level, if there is one of this number.
    fn level_table_count(&self, idx: usize) -> Option<usize> {
        self.standard().tables_of_level(idx)
    }

    /// Runs of level 0, tables without common keys together.
    fn l0_run_count(&self) -> usize {
        self.standard().metas().first().map_or(0, Vec::len)
    }

    /// Files of values: none.
    fn blob_file_count(&self) -> usize {
        0
    }

    /// Rows of all kinds and versions.
    fn approximate_len(&self) -> usize {
        self.standard().tree.approximate_len() as usize
    }

    /// Bytes of tables.
    fn disk_space(&self) -> u64 {
        self.standard().disk_bytes()
    }

    /// The highest number in memtables.
    fn get_highest_memtable_seqno(&self) -> Option<SeqNo> {
        self.standard().highest_in_memtables()
    }

    /// The highest number in tables.
    fn get_highest_persisted_seqno(&self) -> Option<SeqNo> {
        self.standard().highest_in_tables()
    }

    /// How many keys have a value: counts them.
    fn len(&self, seqno: SeqNo, index: Option<(Arc<Memtable>, SeqNo)>) -> Result<usize> {
        self.standard().count(seqno, &index)
    }

    /// Whether no key has a value.
    fn is_empty(&self, seqno: SeqNo, index: Option<(Arc<Memtable>, SeqNo)>) -> Result<bool> {
        self.standard().has_none(seqno, &index)
    }

    /// The row with the smallest key.
    fn first_key_value(&self, seqno: SeqNo, index: Option<(Arc<Memtable>, SeqNo)>) -> Option<IterGuardImpl> {
        self.standard().end(false, seqno, &index)
    }

    /// The row with the largest key.
    fn last_key_value(&self, seqno: SeqNo, index: Option<(Arc<Memtable>, SeqNo)>) -> Option<IterGuardImpl> {
        self.standard().end(true, seqno, &index)
    }

    /// Bytes of a value.
    fn size_of<K: AsRef<[u8]>>(&self, key: K, seqno: SeqNo) -> Result<Option<u32>> {
        self.standard().value_len(key.as_ref(), seqno)
    }

    /// The value of a key.
    #[inline]
    fn get<K: AsRef<[u8]>>(&self, key: K, seqno: SeqNo) -> Result<Option<UserValue>> {
        self.standard().get_value(key.as_ref(), seqno)
    }

    /// The value of a key.
    fn get_pinned<K: AsRef<[u8]>>(&self, key: K, seqno: SeqNo) -> Result<Option<PinnableSlice>> {
        self.standard().get_owned(key.as_ref(), seqno)
    }

    /// Whether a key has a value.
    #[inline]
    fn contains_key<K: AsRef<[u8]>>(&self, key: K, seqno: SeqNo) -> Result<bool> {
        self.standard().has_key(key.as_ref(), seqno)
    }

    /// Whether a key that begins with `prefix` has a value.
    fn contains_prefix<K: AsRef<[u8]>>(&self, prefix: K, seqno: SeqNo, index: Option<(Arc<Memtable>, SeqNo)>) -> Result<bool> {
        self.standard().has_prefix(prefix.as_ref(), seqno, &index)
    }

    /// The values of several keys, in their order.
    fn multi_get<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>, seqno: SeqNo) -> Result<Vec<Option<UserValue>>> {
        self.standard().get_many(keys, seqno)
    }

    /// Applies a batch, or nothing of it; its bytes, and those of the active memtable.
    fn apply_batch(&self, batch: WriteBatch, seqno: SeqNo) -> Result<(u64, u64)> {
        self.standard().apply(batch, seqno)
    }

    /// Gives a key a value; its bytes, and those of the active memtable. Panics where no tree can hold it: an empty key, or one above 65,535
    /// bytes, a value above 64 MiB, a number from [`MAX_SEQNO`](crate::MAX_SEQNO) on.
    #[inline]
    fn insert<K: Into<UserKey>, V: Into<UserValue>>(&self, key: K, value: V, seqno: SeqNo) -> (u64, u64) {
        self.standard().write(Kind::Value, &key.into(), &value.into(), seqno)
    }

    /// Removes a key. As [`AbstractTree::insert`] in all else.
    #[inline]
    fn remove<K: Into<UserKey>>(&self, key: K, seqno: SeqNo) -> (u64, u64) {
        self.standard().write(Kind::Tombstone, &key.into(), &[], seqno)
    }

    /// Merges an operand into a key. As [`AbstractTree::insert`] in all else.
    #[inline]
    fn merge<K: Into<UserKey>, V: Into<UserValue>>(&self, key: K, operand: V, seqno: SeqNo) -> (u64, u64) {
        self.standard().write(Kind::Operand, &key.into(), &operand.into(), seqno)
    }

    /// Removes the keys from `start` up to, and without, `end`; bytes, 0 where nothing was written: nothing lies between them, or one is longer than
    /// 65,535 bytes.
    fn remove_range<K: Into<UserKey>>(&self, start: K, end: K, seqno: SeqNo) -> u64 {
        self.standard().remove_range_of(&start.into(), &end.into(), seqno)
    }

    /// Removes the keys that begin with `prefix`; bytes, 0 where nothing was written: it is empty or all 0xFF, or the order is not that of bytes.
    fn remove_prefix<K: AsRef<[u8]>>(&self, prefix: K, seqno: SeqNo) -> u64 {
        self.standard().remove_prefix_of(prefix.as_ref(), seqno)
    }

    /// Seals the active memtable and flushes. Nobody reads below `seqno_threshold`.
    #[doc(hidden)]
    fn flush_active_memtable(&self, seqno_threshold: SeqNo) -> Result<()> {
        self.standard().flush_active(seqno_threshold)
    }

    /// Removes a key that was written once since it was last gone.
    #[doc(hidden)]
    #[inline]
    fn remove_weak<K: Into<UserKey>>(&self, key: K, seqno: SeqNo) -> (u64, u64) {
        self.standard().write(Kind::WeakTombstone, &key.into(), &[], seqno)
    }

    /// The newest row of a key, as it lies; none where that is a tombstone.
    #[doc(hidden)]
    fn get_internal_entry(&self, key: &[u8], seqno: SeqNo) -> Result<Option<InternalValue>> {
        self.standard().newest_row(key, seqno)
    }

    /// A number of its own in this process.
    #[doc(hidden)]
    fn id(&self) -> TreeId {
        self.standard().tree_id()
    }

    /// The next number of a table, left where it is.
    #[doc(hidden)]
    fn next_table_id(&self) -> TableId {
        self.standard().tree.next_table_id(false).0
    }

    /// The tables as they are now. Opens them.
    #[doc(hidden)]
    fn current_version(&self) -> Version {
        self.standard().version()
    }

    /// Prints all rows of a key to standard error.
    #[doc(hidden)]
    fn print_trace(&self, key: &[u8]) -> Result<()> {
        self.standard().trace(key)
    }

    /// Bytes of all memtables.
    #[doc(hidden)]
    fn version_memtable_size_sum(&self) -> u64 {
        self.standard().memtable_bytes_sum()
    }

    /// The present state, for a look at it. The lock holds nothing up but the next look.
    #[doc(hidden)]
    fn get_version_history_lock(&self) -> RwLockWriteGuard<'_, VersionHistory> {
        self.standard().lock_history()
    }
}
