//! LMDB by `heed`: a copy-on-write B-tree in a file that is mapped into memory, so its cache is the system's.
//!
//! With `NO_SYNC` commits are written to the file and not synced, which survives the death of the process; nothing weaker is safe
//! there, so `Memory` is the same. Each insert is a transaction, as each is durable by itself. Reads of a database at rest share
//! one transaction, as its documentation advises; beside writes each has its own.

use super::{Configuration, Engine, Row, View, see_rows};
use crate::settings::{Compression, Durability};
use anyhow::{Result, ensure};
use heed::{Database, Env, EnvFlags, EnvOpenOptions, RoTxn, WithoutTls, types::Bytes};
use std::path::Path;

/// Address space for the file: far more than any workload fills.
const MAP_BYTES: usize = 64 << 30;

type Rows = Database<Bytes, Bytes>;

/// An environment with the unnamed database.
pub(crate) struct Lmdb {
    env: Env<WithoutTls>,
    rows: Rows,
}

/// A read transaction.
pub(crate) struct Reading<'a> {
    transaction: RoTxn<'a, WithoutTls>,
    rows: Rows,
}

impl Lmdb {
    fn insert_all<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        let mut transaction = self.env.write_txn()?;
        for (key, value) in rows {
            self.rows.put(&mut transaction, key, value)?;
        }
        Ok(transaction.commit()?)
    }
}

impl Engine for Lmdb {
    type View<'a> = Reading<'a>;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        ensure!(configuration.compression == Compression::None, "LMDB does not compress");
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(MAP_BYTES).max_readers(64);
        if configuration.durability != Durability::Sync {
            // SAFETY: the file system keeps the order of writes as long as the system itself runs on, and no workload outlives it.
            unsafe { options.flags(EnvFlags::NO_SYNC) };
        }
        // SAFETY: nobody else has this file, and it is opened once at a time.
        let env = unsafe { options.open(dir)? };
        let mut transaction = env.write_txn()?;
        let rows = env.create_database(&mut transaction, None)?;
        transaction.commit()?;
        Ok(Self { env, rows })
    }

    #[inline]
    fn view(&self) -> Result<Reading<'_>> {
        Ok(Reading { transaction: self.env.read_txn()?, rows: self.rows })
    }

    fn insert(&self, row: Row<'_>) -> Result<()> {
        self.insert_all(std::iter::once(row))
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        self.insert_all(rows)
    }

    fn flush(&self) -> Result<()> {
        Ok(self.env.force_sync()?)
    }

    fn close(self) -> Result<()> {
        self.env.prepare_for_closing().wait();
        Ok(())
    }
}

impl View for Reading<'_> {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(self.rows.get(&self.transaction, key)?.inspect(|value| see(value)).is_some())
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        let range = (from.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Included), std::ops::Bound::Unbounded);
        see_rows(self.rows.range(&self.transaction, &range)?, rows, |row| {
            see(row?);
            Ok(())
        })
    }

    fn scan_reverse(&self, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.rows.rev_iter(&self.transaction)?, u64::MAX, |row| {
            see(row?);
            Ok(())
        })
    }
}
