//! The writing half of an import: batches, and the count of what was left out.

use crate::failure::Result;
use sedimentdb::{Db, Keyspace, WriteBatch};

/// Longest key and value of the engine. A row that breaks them is malformed; the rest of its batch is not to suffer.
const KEY_BYTES_MAX: usize = 65_535;
const VALUE_BYTES_MAX: usize = 64 << 20;
/// A batch is one record in the log and one step of the progress bar.
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: u64 = 1 << 20;

/// Rows on their way into a keyspace.
pub(super) struct Load<'a> {
    db: &'a Db,
    keyspace: &'a Keyspace,
    batch: WriteBatch,
    batch_bytes: u64,
    /// Rows committed.
    pub(super) stored: u64,
    /// Bytes of the keys and values committed.
    pub(super) bytes: u64,
    /// Malformed lines left out.
    pub(super) skipped: u64,
    /// The first of those, with place and reason.
    pub(super) named: Vec<String>,
}

impl<'a> Load<'a> {
    /// Nothing yet.
    pub(super) fn new(db: &'a Db, keyspace: &'a Keyspace) -> Self {
        let batch = db.batch();
        Self { db, keyspace, batch, batch_bytes: 0, stored: 0, bytes: 0, skipped: 0, named: Vec::new() }
    }

    /// Adds a row to the batch; the inner error says why the row cannot be stored.
    pub(super) fn add(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<Result<(), String>> {
        if key.is_empty() {
            return Ok(Err("the key is empty".into()));
        }
        if key.len() > KEY_BYTES_MAX {
            return Ok(Err(format!("the key has {} bytes, more than {KEY_BYTES_MAX}", key.len())));
        }
        if value.len() > VALUE_BYTES_MAX {
            return Ok(Err(format!("the value has {} bytes, more than {VALUE_BYTES_MAX}", value.len())));
        }
        let bytes = (key.len() + value.len()) as u64;
        if self.batch_bytes + bytes > BATCH_BYTES {
            self.commit()?;
        }
        self.batch.insert(self.keyspace, key, value);
        self.batch_bytes += bytes;
        Ok(Ok(()))
    }

    /// Counts a malformed line; `name` gets the number of those named already and decides whether to name this one.
    pub(super) fn skip(&mut self, name: impl FnOnce(usize) -> Option<String>) {
        self.skipped += 1;
        self.named.extend(name(self.named.len()));
    }

    /// Whether the batch has as many rows as one should.
    pub(super) fn is_full(&self) -> bool {
        self.batch.len() >= BATCH_ROWS
    }

    /// Commits the batch and begins the next one.
    pub(super) fn commit(&mut self) -> Result<()> {
        let batch = std::mem::replace(&mut self.batch, self.db.batch());
        let (rows, bytes) = (batch.len() as u64, std::mem::take(&mut self.batch_bytes));
        if rows > 0 {
            batch.commit()?;
        }
        self.stored += rows;
        self.bytes += bytes;
        Ok(())
    }
}
