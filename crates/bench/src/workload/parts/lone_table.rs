//! A table by itself, with all of its blocks in memory.

use super::{Parts, rows::Rows};
use crate::failure::{Failure, Result};
use sediment_base::{FileUuid, InternalKey, KeyOrder, Kind, RowFlags, TableId, seqno::SEQNO_MAX};
use sediment_table::{BlockCache, Table, TableContext, TableOptions, TableWriter};
use sedimentdb::Env;
use std::sync::Arc;
use tempfile::TempDir;

/// More than any block takes, so that a small table has room for all of its blocks, too.
const CACHE_BYTES_MIN: u64 = 1 << 20;

/// A table, and the place of its file.
#[derive(Debug)]
pub(super) struct LoneTable {
    pub(super) table: Table,
    pub(super) rows: Rows,
    _place: TempDir,
}

impl LoneTable {
    /// Of so many rows. Each was read and compared, so that all blocks are in memory.
    pub(super) fn new(parts: &Parts, count: u64, filter_bits_per_key: u8) -> Result<Self> {
        let (env, place, mut rows) = (Env::system(), parts.place()?, Rows::new(parts, count));
        let cache = Arc::new(BlockCache::new(CACHE_BYTES_MIN + 2 * count * parts.settings.row_bytes()));
        let order = KeyOrder::bytewise();
        let context = TableContext::new(env.fs, env.random, FileUuid::default(), order, Arc::clone(&cache));
        let options = TableOptions { filter_bits_per_key, ..TableOptions::default() };
        let path = place.path().join("table");
        let mut writer = TableWriter::create(&context, &options, path.clone(), TableId(1))?;
        for index in 0..count {
            let (key, value) = rows.row(index);
            writer.add(InternalKey::new(key, index, Kind::Value), RowFlags::NONE, value)?;
        }
        writer.finish()?;
        let table = Table::open_alone(&context, &path)?;
        let read = |key: &[u8]| Ok(table.get(key, table.key_hash(key), SEQNO_MAX)?.map(|row| row.value));
        rows.check_all(read)?;
        let misses = cache.misses();
        rows.check_all(read)?;
        if cache.misses() > misses {
            return Err(Failure::Wrong("blocks left a cache that has room for all of them".to_owned()));
        }
        Ok(Self { table, rows, _place: place })
    }
}
