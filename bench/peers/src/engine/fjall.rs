//! fjall, an LSM engine in Rust.
//!
//! Its documentation asks for little: a cache as large as the data if there is memory for it, and larger write buffers than the
//! default's for much to write. What survives the death of the process is its default; for what survives less the journal is
//! persisted by hand, never; and for the loss of power `persist` follows each write, as it advises. It has no call to flush: what is
//! written last stays in its write buffer and journal.

use super::{Configuration, Engine, Row, View, see_rows};
use crate::settings::{Compression, Durability};
use anyhow::Result;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode, config::CompressionPolicy};
use std::path::Path;

/// A database with one keyspace.
pub(crate) struct Fjall {
    db: Database,
    rows: Keyspace,
    synced: bool,
}

impl Fjall {
    #[inline]
    fn persist(&self) -> Result<()> {
        if self.synced {
            self.db.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }
}

impl Engine for Fjall {
    type View<'a> = &'a Keyspace;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        let shares = configuration.shares();
        let is_manual = configuration.durability == Durability::Memory;
        let db = Database::builder(dir).cache_size(shares.cache as u64).manual_journal_persist(is_manual).open()?;
        let compression = match configuration.compression {
            Compression::None => CompressionType::None,
            Compression::Lz4 => CompressionType::Lz4,
        };
        let options = || {
            let options = KeyspaceCreateOptions::default().max_memtable_size(shares.write_buffer as u64);
            options.data_block_compression_policy(CompressionPolicy::all(compression))
        };
        let rows = db.keyspace("rows", options)?;
        Ok(Self { db, rows, synced: configuration.durability == Durability::Sync })
    }

    #[inline]
    fn view(&self) -> Result<&Keyspace> {
        Ok(&self.rows)
    }

    #[inline]
    fn insert(&self, (key, value): Row<'_>) -> Result<()> {
        self.rows.insert(key, value)?;
        self.persist()
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        let mut batch = self.db.batch();
        for (key, value) in rows {
            batch.insert(&self.rows, key, value);
        }
        batch.commit()?;
        self.persist()
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn close(self) -> Result<()> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }
}

impl View for &Keyspace {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(Keyspace::get(self, key)?.inspect(|value| see(value)).is_some())
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.range(from.unwrap_or_default()..), rows, |row| {
            let (key, value) = row.into_inner()?;
            see((&key, &value));
            Ok(())
        })
    }

    fn scan_reverse(&self, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.iter().rev(), u64::MAX, |row| {
            let (key, value) = row.into_inner()?;
            see((&key, &value));
            Ok(())
        })
    }
}
