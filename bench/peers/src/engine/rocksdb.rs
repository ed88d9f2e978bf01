//! RocksDB, by the crate `rocksdb`.
//!
//! Both configurations follow the wiki's "Setup Options and Basic Tuning": Bloom filters of 10 bits, two background jobs for two
//! cores and more for more, writes of tables synced every MiB, and HyperClockCache, which it recommends over LRU. As there, the
//! first has blocks of 16 KiB with index and filter blocks in the cache, those of level 0 pinned. The second has the default's
//! blocks of 4 KiB, with index and filter outside of the cache, so in memory for good and beyond the memory that is equal for all;
//! point reads are faster that way. Gets are `get_pinned`, which copies nothing, of several keys `batched_multi_get_cf`, which copies no more;
//! scans are by `raw_iterator`.
//!
//! Counters have an associative merge operator. Where it is told of prefixes, it is as the wiki's "Prefix Seek" has it: a prefix
//! extractor, filters of tables and memtables over prefixes alone, and `prefix_same_as_start`; otherwise a scan of a prefix ends at
//! an upper bound.

use super::{Configuration, Engine, Name, Purpose, Row, View};
use crate::settings::{Compression, Durability};
use anyhow::{Context, Result};
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBRawIteratorWithThreadMode, FlushOptions, MergeOperands, Options,
    PrefixRange, ReadOptions, SliceTransform, WriteBatch, WriteOptions,
    perf::{PerfContext, PerfMetric, PerfStatsLevel, set_perf_stats},
};
use std::{path::Path, thread};

/// Bits of a filter for each key.
const FILTER_BITS: f64 = 10.0;
/// How much of a table is written before the system is told to write it to the disk.
const BYTES_PER_SYNC: u64 = 1 << 20;

/// Of a memtable's size, what its filter over prefixes may take.
const MEMTABLE_FILTER_SHARE: f64 = 0.1;

/// The default column family.
const FAMILY: &str = "default";

/// A database with the default column family.
pub(crate) struct RocksDb {
    db: DB,
    write: WriteOptions,
    purpose: Purpose,
}

fn tables(configuration: &Configuration) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_hyper_clock_cache(configuration.shares().cache, 0));
    tables.set_bloom_filter(FILTER_BITS, false);
    if configuration.name == Name::Rocksdb {
        tables.set_block_size(16 << 10);
        tables.set_cache_index_and_filter_blocks(true);
        tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    } else {
        tables.set_cache_index_and_filter_blocks(false);
    }
    tables.set_whole_key_filtering(!matches!(configuration.purpose, Purpose::Prefixes(_)));
    tables
}

fn options(configuration: &Configuration) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.increase_parallelism(thread::available_parallelism().map_or(2, |cores| cores.get() as i32));
    options.set_bytes_per_sync(BYTES_PER_SYNC);
    options.set_write_buffer_size(configuration.shares().write_buffer);
    options.set_compression_type(match configuration.compression {
        Compression::None => DBCompressionType::None,
        Compression::Lz4 => DBCompressionType::Lz4,
    });
    options.set_block_based_table_factory(&tables(configuration));
    match configuration.purpose {
        Purpose::Rows => {}
        Purpose::Counters => options.set_merge_operator_associative("add", sum),
        Purpose::Prefixes(bytes) => {
            options.set_prefix_extractor(SliceTransform::create_fixed_prefix(bytes));
            options.set_memtable_prefix_bloom_ratio(MEMTABLE_FILTER_SHARE);
        }
    }
    options
}

/// What a counter holds after these were added.
fn sum(_: &[u8], base: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u64::from_le_bytes);
    let base = base.map_or(Some(0), number)?;
    let sum = operands.iter().try_fold(base, |sum: u64, operand| Some(sum.wrapping_add(number(operand)?)))?;
    Some(sum.to_le_bytes().to_vec())
}

impl Engine for RocksDb {
    type View<'a> = &'a Self;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        let options = options(configuration);
        // Named, because reads of several keys ask for its handle.
        let db = DB::open_cf_with_opts(&options, dir, [(FAMILY, options.clone())])?;
        let mut write = WriteOptions::default();
        write.disable_wal(configuration.durability == Durability::Memory);
        write.set_sync(configuration.durability == Durability::Sync);
        Ok(Self { db, write, purpose: configuration.purpose })
    }

    #[inline]
    fn view(&self) -> Result<&Self> {
        Ok(self)
    }

    #[inline]
    fn insert(&self, (key, value): Row<'_>) -> Result<()> {
        Ok(self.db.put_opt(key, value, &self.write)?)
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in rows {
            batch.put(key, value);
        }
        Ok(self.db.write_opt(batch, &self.write)?)
    }

    #[inline]
    fn remove(&self, key: &[u8]) -> Result<()> {
        Ok(self.db.delete_opt(key, &self.write)?)
    }

    fn remove_range(&self, from: &[u8], to: &[u8]) -> Result<()> {
        let family = self.db.cf_handle(FAMILY).context("it was opened with it")?;
        Ok(self.db.delete_range_cf_opt(family, from, to, &self.write)?)
    }

    #[inline]
    fn add(&self, key: &[u8], number: u64) -> Result<()> {
        Ok(self.db.merge_opt(key, number.to_le_bytes(), &self.write)?)
    }

    fn compact(&self) -> Result<()> {
        self.db.compact_range::<&[u8], &[u8]>(None, None);
        Ok(())
    }

    fn blocks_read(&self) -> Option<u64> {
        // Nothing is counted before the first answer, and counts belong to the thread.
        set_perf_stats(PerfStatsLevel::EnableCount);
        let context = PerfContext::default();
        Some(context.metric(PerfMetric::BlockCacheHitCount) + context.metric(PerfMetric::BlockReadCount))
    }

    fn flush(&self) -> Result<()> {
        let mut flush = FlushOptions::default();
        flush.set_wait(true);
        Ok(self.db.flush_opt(&flush)?)
    }

    fn close(self) -> Result<()> {
        self.db.cancel_all_background_work(true);
        Ok(())
    }
}

impl View for &RocksDb {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(self.db.get_pinned(key)?.inspect(|value| see(value)).is_some())
    }

    fn get_many(&self, keys: &[Vec<u8>], is_sorted: bool, mut see: impl FnMut(&[u8])) -> Result<u64> {
        let (family, mut found) = (self.db.cf_handle(FAMILY).context("it was opened with it")?, 0);
        for value in self.db.batched_multi_get_cf(family, keys, is_sorted) {
            if let Some(value) = value? {
                see(&value);
                found += 1;
            }
        }
        Ok(found)
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64> {
        let mut iter = self.db.raw_iterator();
        match from {
            Some(key) => iter.seek(key),
            None => iter.seek_to_first(),
        }
        walk(&mut iter, rows, DBRawIteratorWithThreadMode::next, see)
    }

    #[inline]
    fn scan_prefix(&self, prefix: &[u8], rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64> {
        let mut read = ReadOptions::default();
        match self.purpose {
            Purpose::Prefixes(_) => read.set_prefix_same_as_start(true),
            Purpose::Rows | Purpose::Counters => read.set_iterate_range(PrefixRange(prefix)),
        }
        let mut iter = self.db.raw_iterator_opt(read);
        iter.seek(prefix);
        walk(&mut iter, rows, DBRawIteratorWithThreadMode::next, see)
    }

    fn scan_reverse(&self, see: impl FnMut(Row<'_>)) -> Result<u64> {
        let mut iter = self.db.raw_iterator();
        iter.seek_to_last();
        walk(&mut iter, u64::MAX, DBRawIteratorWithThreadMode::prev, see)
    }
}

/// Goes on from where an iterator stands.
#[inline]
fn walk<'a>(
    iter: &mut DBRawIteratorWithThreadMode<'a, DB>,
    rows: u64,
    step: impl Fn(&mut DBRawIteratorWithThreadMode<'a, DB>),
    mut see: impl FnMut(Row<'_>),
) -> Result<u64> {
    let mut seen = 0;
    while let Some(row) = iter.item() {
        see(row);
        seen += 1;
        if seen == rows {
            return Ok(seen);
        }
        step(iter);
    }
    iter.status()?;
    Ok(seen)
}
