//! RocksDB, by the crate `rocksdb`.
//!
//! Both configurations follow the wiki's "Setup Options and Basic Tuning": Bloom filters of 10 bits, two background jobs for two
//! cores and more for more, writes of tables synced every MiB, and HyperClockCache, which it recommends over LRU. As there, the
//! first has blocks of 16 KiB with index and filter blocks in the cache, those of level 0 pinned. The second has the default's
//! blocks of 4 KiB, with index and filter outside of the cache, so in memory for good and beyond the memory that is equal for all;
//! point reads are faster that way. Gets are `get_pinned`, which copies nothing, of several keys `batched_multi_get_cf`, which copies no more;
//! scans are by `raw_iterator`.

use super::{Configuration, Engine, Name, Row, View};
use crate::settings::{Compression, Durability};
use anyhow::{Context, Result};
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBRawIteratorWithThreadMode, FlushOptions, Options, WriteBatch,
    WriteOptions,
};
use std::{path::Path, thread};

/// Bits of a filter for each key.
const FILTER_BITS: f64 = 10.0;
/// How much of a table is written before the system is told to write it to the disk.
const BYTES_PER_SYNC: u64 = 1 << 20;

/// The default column family.
const FAMILY: &str = "default";

/// A database with the default column family.
pub(crate) struct RocksDb {
    db: DB,
    write: WriteOptions,
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
    options
}

impl Engine for RocksDb {
    type View<'a> = &'a DB;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        let options = options(configuration);
        // Named, because reads of several keys ask for its handle.
        let db = DB::open_cf_with_opts(&options, dir, [(FAMILY, options.clone())])?;
        let mut write = WriteOptions::default();
        write.disable_wal(configuration.durability == Durability::Memory);
        write.set_sync(configuration.durability == Durability::Sync);
        Ok(Self { db, write })
    }

    #[inline]
    fn view(&self) -> Result<&DB> {
        Ok(&self.db)
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

impl View for &DB {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(self.get_pinned(key)?.inspect(|value| see(value)).is_some())
    }

    fn get_many(&self, keys: &[Vec<u8>], is_sorted: bool, mut see: impl FnMut(&[u8])) -> Result<u64> {
        let (family, mut found) = (self.cf_handle(FAMILY).context("it was opened with it")?, 0);
        for value in self.batched_multi_get_cf(family, keys, is_sorted) {
            if let Some(value) = value? {
                see(&value);
                found += 1;
            }
        }
        Ok(found)
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64> {
        let mut iter = self.raw_iterator();
        match from {
            Some(key) => iter.seek(key),
            None => iter.seek_to_first(),
        }
        walk(&mut iter, rows, DBRawIteratorWithThreadMode::next, see)
    }

    fn scan_reverse(&self, see: impl FnMut(Row<'_>)) -> Result<u64> {
        let mut iter = self.raw_iterator();
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
