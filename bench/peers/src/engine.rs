//! The engines, and what is asked of each.
//!
//! An engine is a type, and a workload is generic over it, so that nothing stands between the loop and the engine's own calls.
//! Each file says what its engine's documentation recommends and what was made of it.

mod coordinode;
mod fjall;
mod lmdb;
mod null;
mod redb;
mod rocksdb;
mod sediment;

pub(crate) use self::{
    coordinode::Coordinode, fjall::Fjall, lmdb::Lmdb, null::Null, redb::Redb, rocksdb::RocksDb, sediment::Sediment,
};

use crate::settings::{Compression, Durability, typed};
use anyhow::{Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Name {
    /// This repository's
    Sediment,
    /// As its wiki recommends: index and filter blocks in the block cache
    Rocksdb,
    /// Index and filter blocks outside of the cache, always in memory
    RocksdbPinned,
    /// An LSM engine in Rust
    Fjall,
    /// An LSM tree in Rust, without a log
    Coordinode,
    /// A copy-on-write B-tree in Rust
    Redb,
    /// LMDB: a copy-on-write B-tree in C, mapped into memory
    Lmdb,
    /// Nothing at all: what it costs is the harness
    Null,
}

impl Name {
    /// As it is typed.
    pub(crate) fn typed(self) -> String {
        typed(self)
    }

    /// Whether it is RocksDB, in any configuration.
    pub(crate) fn is_rocksdb(self) -> bool {
        matches!(self, Self::Rocksdb | Self::RocksdbPinned)
    }

    /// Whether it is asked for more than inserts, gets and scans of everything: to remove, to merge, to scan a prefix, to compact.
    pub(crate) fn has_vocabulary(self) -> bool {
        self.is_rocksdb() || matches!(self, Self::Sediment | Self::Null)
    }

    /// Whether writes can survive as much as this in it.
    pub(crate) fn can(self, durability: Durability) -> bool {
        self != Self::Coordinode || durability == Durability::Memory
    }
}

/// What a database is for, as far as its engine can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Rows by their keys.
    Rows,
    /// Numbers that are added to: 64 bits, little-endian.
    Counters,
    /// Scans of the rows whose keys begin with the same bytes, so many.
    Prefixes(usize),
}

/// How an engine is opened. Sizes are in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configuration {
    pub(crate) name: Name,
    pub(crate) purpose: Purpose,
    /// How many there will be. No engine is told; `Null` pretends to have them.
    pub(crate) keys: u64,
    /// For everything it keeps in memory: write buffers and cached blocks.
    pub(crate) memory: usize,
    pub(crate) durability: Durability,
    pub(crate) compression: Compression,
    /// Whether Sediment is told to save space.
    pub(crate) saves_space: bool,
}

/// The memory of an engine that has two settings for it.
pub(crate) struct Shares {
    /// One write buffer; an engine may fill the next while it writes one to a table.
    pub(crate) write_buffer: usize,
    pub(crate) cache: usize,
}

impl Configuration {
    /// A quarter for the write buffer, up to 64 MiB, and the rest for the cache.
    pub(crate) fn shares(&self) -> Shares {
        let write_buffer = (self.memory / 4).min(64 << 20);
        Shares { write_buffer, cache: self.memory - write_buffer }
    }
}

/// A key and its value.
pub(crate) type Row<'a> = (&'a [u8], &'a [u8]);

/// A database of one ordered map, shared by threads.
pub(crate) trait Engine: Sized + Sync {
    /// Whether what it answers can be verified.
    const ANSWERS: bool = true;

    /// What a thread reads from: everything committed before it was made, and perhaps what came later.
    type View<'a>: View
    where
        Self: 'a;

    /// Opens the database in a directory, or makes one there.
    fn open(dir: &Path, configuration: &Configuration) -> Result<Self>;

    /// Something to read from. Costs nothing where reads need no transaction.
    fn view(&self) -> Result<Self::View<'_>>;

    /// Inserts a row by itself, as durable as the configuration says when it returns.
    fn insert(&self, row: Row<'_>) -> Result<()>;

    /// Inserts rows as one.
    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()>;

    /// Removes a row.
    fn remove(&self, _key: &[u8]) -> Result<()> {
        not_offered()
    }

    /// Removes, at once, the rows from a key on that are before another.
    fn remove_range(&self, _from: &[u8], _to: &[u8]) -> Result<()> {
        not_offered()
    }

    /// Adds to a counter without reading it; one that is not there is 0.
    fn add(&self, _key: &[u8], _number: u64) -> Result<()> {
        not_offered()
    }

    /// Rewrites everything into one run, without what nobody can read any more; done on return.
    fn compact(&self) -> Result<()> {
        not_offered()
    }

    /// Blocks of tables that reads have looked into so far, in the cache or in a file, where the engine tells. What is between two
    /// answers to the same thread is what that thread's reads took, if it was alone.
    fn blocks_read(&self) -> Option<u64> {
        None
    }

    /// Begins to write to tables what is only in memory, where there is such a thing.
    fn flush(&self) -> Result<()>;

    /// Ends it as a program should that ends well.
    fn close(self) -> Result<()>;
}

fn not_offered<T>() -> Result<T> {
    bail!("not offered")
}

/// Shows rows, up to a number of them; how many there were.
#[inline]
fn see_rows<R>(rows: impl Iterator<Item = R>, most: u64, mut see: impl FnMut(R) -> Result<()>) -> Result<u64> {
    let mut seen = 0;
    for row in rows.take(most as usize) {
        see(row)?;
        seen += 1;
    }
    Ok(seen)
}

/// Reads. Each hands what it finds to a function while it holds it, as none needs to copy it.
pub(crate) trait View {
    /// Reads the value of a key; returns whether there is one.
    fn get(&self, key: &[u8], see: impl FnMut(&[u8])) -> Result<bool>;

    /// Reads the values of several keys, and shows them in the order of the keys; `is_sorted` says whether these ascend. Returns how
    /// many there were. One after another, where the engine has nothing better.
    fn get_many(&self, keys: &[Vec<u8>], is_sorted: bool, mut see: impl FnMut(&[u8])) -> Result<u64> {
        let _ = is_sorted;
        keys.iter().try_fold(0, |found, key| Ok(found + u64::from(self.get(key, &mut see)?)))
    }

    /// Reads rows in order, from a key on or from the first, up to a number of them; returns how many there were.
    fn scan(&self, from: Option<&[u8]>, rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64>;

    /// Reads rows whose keys begin with these bytes, in order, up to a number of them; returns how many there were.
    fn scan_prefix(&self, _prefix: &[u8], _rows: u64, _see: impl FnMut(Row<'_>)) -> Result<u64> {
        not_offered()
    }

    /// Reads all rows in reverse order; returns how many there were.
    fn scan_reverse(&self, see: impl FnMut(Row<'_>)) -> Result<u64>;
}
