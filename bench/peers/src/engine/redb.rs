//! redb, a copy-on-write B-tree in one file.
//!
//! Its documentation knows two durabilities, `Immediate` and `None`. What survives the death of the process but not the loss of
//! power is `Immediate` over a file whose sync does nothing. Each insert is a transaction, as each is durable by itself. Reads of a
//! database at rest share one transaction and one table, as in its own benchmarks; beside writes each has its own.

use super::{Configuration, Engine, Row, View, see_rows};
use crate::settings::{Compression, Durability};
use anyhow::{Result, ensure};
use redb::{
    Builder, Database, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, backends::FileBackend,
};
use std::{fs::OpenOptions, io, path::Path};

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// A database with one table.
pub(crate) struct Redb {
    db: Database,
    durability: redb::Durability,
}

/// A file that is never synced.
#[derive(Debug)]
struct Unsynced(FileBackend);

impl StorageBackend for Unsynced {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

impl Redb {
    fn insert_all<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(self.durability)?;
        {
            let mut table = transaction.open_table(ROWS)?;
            for (key, value) in rows {
                table.insert(key, value)?;
            }
        }
        Ok(transaction.commit()?)
    }
}

impl Engine for Redb {
    type View<'a> = ReadOnlyTable<&'static [u8], &'static [u8]>;

    fn open(dir: &Path, configuration: &Configuration) -> Result<Self> {
        ensure!(configuration.compression == Compression::None, "redb does not compress");
        let mut builder = Builder::new();
        builder.set_cache_size(configuration.memory);
        let path = dir.join("rows.redb");
        let db = if configuration.durability == Durability::Os {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
            builder.create_with_backend(Unsynced(FileBackend::new(file)?))?
        } else {
            builder.create(path)?
        };
        let durability = match configuration.durability {
            Durability::Memory => redb::Durability::None,
            Durability::Os | Durability::Sync => redb::Durability::Immediate,
        };
        let redb = Self { db, durability };
        redb.insert_all(std::iter::empty())?;
        Ok(redb)
    }

    #[inline]
    fn view(&self) -> Result<Self::View<'_>> {
        Ok(self.db.begin_read()?.open_table(ROWS)?)
    }

    fn insert(&self, row: Row<'_>) -> Result<()> {
        self.insert_all(std::iter::once(row))
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        self.insert_all(rows)
    }

    fn flush(&self) -> Result<()> {
        // What was committed without durability goes to the file with the next commit that has it.
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(redb::Durability::Immediate)?;
        Ok(transaction.commit()?)
    }

    fn close(self) -> Result<()> {
        drop(self.db);
        Ok(())
    }
}

impl View for ReadOnlyTable<&'static [u8], &'static [u8]> {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        Ok(ReadableTable::get(self, key)?.inspect(|value| see(value.value())).is_some())
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.range(from.unwrap_or_default()..)?, rows, |row| {
            let (key, value) = row?;
            see((key.value(), value.value()));
            Ok(())
        })
    }

    fn scan_reverse(&self, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        see_rows(self.iter()?.rev(), u64::MAX, |row| {
            let (key, value) = row?;
            see((key.value(), value.value()));
            Ok(())
        })
    }
}
