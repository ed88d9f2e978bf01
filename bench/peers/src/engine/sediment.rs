//! Sediment, over the public interface of `sedimentdb`, with the defaults of its three settings but for memory.

use super::{Configuration, Engine, Purpose, Row, View};
use crate::settings::{Compression, Durability};
use anyhow::Result;
use sedimentdb::{Create, Db, ExpertOptions, Goal, Iter, Keyspace, KeyspaceOptions, stats::Counter};
use std::path::Path;

/// A database with one keyspace.
pub(crate) struct Sediment {
    db: Db,
    rows: Keyspace,
}

/// What the keyspace is told of its purpose.
fn options(purpose: Purpose) -> KeyspaceOptions {
    let mut options = KeyspaceOptions::default();
    match purpose {
        Purpose::Rows => {}
        Purpose::Counters => options.merge_operator = Some("add".to_owned()),
        Purpose::Prefixes(bytes) => options.prefix_extractor = Some(format!("fixed-{bytes}")),
    }
    options
}

impl Engine for Sediment {
    type View<'a> = &'a Keyspace;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        let durability = match configuration.durability {
            Durability::Memory => sedimentdb::Durability::Memory,
            Durability::Os => sedimentdb::Durability::Os,
            Durability::Sync => sedimentdb::Durability::Sync,
        };
        let compression = match configuration.compression {
            _ if configuration.saves_space => None,
            Compression::None => Some(sedimentdb::Compression::None),
            Compression::Lz4 => Some(sedimentdb::Compression::Lz4),
        };
        let goal = if configuration.saves_space { Goal::Space } else { Goal::Balanced };
        let expert = ExpertOptions { compression, level0_compression: compression, ..ExpertOptions::default() };
        let builder = Db::builder(dir).create(Create::IfMissing).memory(configuration.memory).durability(durability);
        let db = builder.goal(goal).expert(expert).open()?;
        let rows = db.keyspace_with("rows", options(configuration.purpose))?;
        Ok(Self { db, rows })
    }

    #[inline]
    fn view(&self) -> Result<&Keyspace> {
        Ok(&self.rows)
    }

    #[inline]
    fn insert(&self, (key, value): Row<'_>) -> Result<()> {
        Ok(self.rows.insert(key, value)?)
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        let mut batch = self.db.batch();
        for (key, value) in rows {
            batch.insert(&self.rows, key, value);
        }
        Ok(batch.commit()?)
    }

    #[inline]
    fn remove(&self, key: &[u8]) -> Result<()> {
        Ok(self.rows.remove(key)?)
    }

    fn remove_range(&self, from: &[u8], to: &[u8]) -> Result<()> {
        Ok(self.rows.remove_range(from..to)?)
    }

    #[inline]
    fn add(&self, key: &[u8], number: u64) -> Result<()> {
        Ok(self.rows.merge(key, number.to_le_bytes())?)
    }

    fn compact(&self) -> Result<()> {
        Ok(self.db.compact()?)
    }

    fn blocks_read(&self) -> Option<u64> {
        let counted = self.db.stats().counted;
        Some(counted.counter(Counter::BlockCacheHits) + counted.counter(Counter::BlockCacheMisses))
    }

    fn flush(&self) -> Result<()> {
        Ok(self.db.flush()?)
    }

    fn close(self) -> Result<()> {
        drop(self.rows);
        Ok(self.db.close()?)
    }
}

impl View for &Keyspace {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(self.get_with(key, |value| see(value))?.is_some())
    }

    fn get_many(&self, keys: &[Vec<u8>], _is_sorted: bool, see: impl FnMut(&[u8])) -> Result<u64> {
        let values = self.multi_get(keys)?;
        Ok(values.iter().flatten().map(|value| &**value).map(see).count() as u64)
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64> {
        let iter = match from {
            Some(key) => self.range(key..),
            None => self.iter(),
        };
        walk(iter, rows, see)
    }

    #[inline]
    fn scan_prefix(&self, prefix: &[u8], rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64> {
        walk(self.prefix(prefix), rows, see)
    }

    fn scan_reverse(&self, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        let (mut iter, mut seen) = (self.iter(), 0);
        while let Some(row) = iter.next_back_ref()? {
            see(row);
            seen += 1;
        }
        Ok(seen)
    }
}

/// Shows rows, up to a number of them; how many there were.
#[inline]
fn walk(mut iter: Iter, rows: u64, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
    let mut seen = 0;
    while seen < rows {
        let Some(row) = iter.next_ref()? else { break };
        see(row);
        seen += 1;
    }
    Ok(seen)
}
