//! `Run`: tables with disjoint keys, in key order.
//!
//! A lookup chooses the table by monotone heads of the bounds and compares whole keys only where heads tie. No user key lies in
//! two tables of a run. Immutable.

use super::table_file::TableFile;
use sediment_base::{Error, KeyOrder, KeyRange, Result, SeqNo, TableId, range::compare_starts};
use std::{collections::HashSet, ops::Bound, ops::Range, sync::Arc};

/// Tables with disjoint keys, in key order. Never empty.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    tables: Vec<Arc<TableFile>>,
    max_heads: Vec<u64>,
    min_seqno: SeqNo,
    max_seqno: SeqNo,
    bytes: u64,
    has_range_tombstones: bool,
}

impl Run {
    /// A run of these tables, in any order; overlapping ones are refused.
    pub(crate) fn new(mut tables: Vec<Arc<TableFile>>, order: &KeyOrder) -> Result<Self> {
        tables.sort_by(|a, b| compare_starts(&a.meta.range.min, &b.meta.range.min, order));
        for pair in tables.windows(2) {
            if !pair[0].meta.range.is_before(&pair[1].meta.range, order) {
                return Err(overlap(&pair[0], &pair[1]));
            }
        }
        Ok(Self::of_sorted(tables, order))
    }

    /// What is left of it without these tables, if anything is.
    pub(crate) fn without(&self, gone: &HashSet<TableId>, order: &KeyOrder) -> Option<Self> {
        let tables: Vec<_> = self.tables.iter().filter(|table| !gone.contains(&table.meta.id)).cloned().collect();
        (!tables.is_empty()).then(|| Self::of_sorted(tables, order))
    }

    fn of_sorted(tables: Vec<Arc<TableFile>>, order: &KeyOrder) -> Self {
        Self {
            max_heads: tables.iter().map(|table| table.meta.range.max_head(order)).collect(),
            min_seqno: tables.iter().map(|table| table.meta.oldest_seqno()).min().unwrap_or(0),
            max_seqno: tables.iter().map(|table| table.meta.newest_seqno()).max().unwrap_or(0),
            has_range_tombstones: tables.iter().any(|table| table.meta.ranges.count > 0),
            bytes: tables.iter().map(|table| table.meta.file_bytes).sum(),
            tables,
        }
    }

    pub(crate) fn tables(&self) -> &[Arc<TableFile>] {
        &self.tables
    }

    /// No row or range tombstone has a lower seqno.
    pub(crate) fn min_seqno(&self) -> SeqNo {
        self.min_seqno
    }

    /// No row or range tombstone has a higher seqno.
    #[inline]
    pub(crate) fn max_seqno(&self) -> SeqNo {
        self.max_seqno
    }

    /// Whether a table has range tombstones.
    pub(crate) fn has_range_tombstones(&self) -> bool {
        self.has_range_tombstones
    }

    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Index of the first table that ends at or after `key`.
    #[inline]
    pub(crate) fn seek(&self, key: &[u8], order: &KeyOrder) -> usize {
        let head = order.head(key);
        let first = self.max_heads.partition_point(|max| *max < head);
        if self.max_heads.get(first) != Some(&head) {
            return first;
        }
        let ties = self.max_heads[first..].partition_point(|max| *max == head);
        first + self.tables[first..first + ties].partition_point(|table| table.meta.range.is_below(key, order))
    }

    /// The table that may hold `key`.
    #[inline]
    pub(crate) fn find(&self, key: &[u8], order: &KeyOrder) -> Option<&Arc<TableFile>> {
        let table = self.tables.get(self.seek(key, order))?;
        (!table.meta.range.is_above(key, order)).then_some(table)
    }

    /// Indexes of the tables whose keys could lie within the bounds.
    pub(crate) fn overlapping_bounds(&self, lower: Bound<&[u8]>, upper: Bound<&[u8]>, order: &KeyOrder) -> Range<usize> {
        let start = self.tables.partition_point(|table| !table.meta.range.reaches_lower(lower, order));
        let end = self.tables.partition_point(|table| table.meta.range.reaches_upper(upper, order));
        start..end.max(start)
    }

    /// The tables that share a key with `range`, or could.
    pub(crate) fn overlapping(&self, keys: &KeyRange, order: &KeyOrder) -> &[Arc<TableFile>] {
        let start = self.tables.partition_point(|table| table.meta.range.is_before(keys, order));
        let end = self.tables.partition_point(|table| !keys.is_before(&table.meta.range, order));
        &self.tables[start..end.max(start)]
    }
}

#[cold]
fn overlap(a: &TableFile, b: &TableFile) -> Error {
    Error::corruption(format!(
        "tables {} and {} of one run overlap: {:?} and {:?}",
        a.meta.id, b.meta.id, a.meta.range, b.meta.range
    ))
}
