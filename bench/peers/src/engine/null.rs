//! No engine: its answers are right and cost next to nothing, so that a workload's time on it is the time of the harness.

use super::{Configuration, Engine, Row, View};
use anyhow::Result;
use std::{hint::black_box, path::Path};

/// Keeps nothing. The runner does not verify what it answers.
pub(crate) struct Null {
    keys: u64,
}

impl Engine for Null {
    const ANSWERS: bool = false;
    type View<'a> = &'a Self;

    fn open(_: &Path, configuration: &Configuration) -> Result<Self> {
        Ok(Self { keys: configuration.keys })
    }

    fn view(&self) -> Result<&Self> {
        Ok(self)
    }

    #[inline]
    fn insert(&self, row: Row<'_>) -> Result<()> {
        black_box(row);
        Ok(())
    }

    fn insert_batch<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> Result<()> {
        rows.for_each(|row| {
            black_box(row);
        });
        Ok(())
    }

    #[inline]
    fn remove(&self, key: &[u8]) -> Result<()> {
        black_box(key);
        Ok(())
    }

    fn remove_range(&self, from: &[u8], to: &[u8]) -> Result<()> {
        black_box((from, to));
        Ok(())
    }

    #[inline]
    fn add(&self, key: &[u8], number: u64) -> Result<()> {
        black_box((key, number));
        Ok(())
    }

    fn compact(&self) -> Result<()> {
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn close(self) -> Result<()> {
        Ok(())
    }
}

impl View for &Null {
    #[inline]
    fn get(&self, key: &[u8], mut see: impl FnMut(&[u8])) -> Result<bool> {
        see(black_box(key));
        Ok(true)
    }

    #[inline]
    fn scan(&self, from: Option<&[u8]>, rows: u64, mut see: impl FnMut(Row<'_>)) -> Result<u64> {
        let (key, rows) = (from.unwrap_or(&[0; 16]), rows.min(self.keys));
        (0..rows).for_each(|_| see(black_box((key, key))));
        Ok(rows)
    }

    #[inline]
    fn scan_prefix(&self, prefix: &[u8], rows: u64, see: impl FnMut(Row<'_>)) -> Result<u64> {
        self.scan(Some(prefix), rows, see)
    }

    fn scan_reverse(&self, see: impl FnMut(Row<'_>)) -> Result<u64> {
        self.scan(None, self.keys, see)
    }
}
