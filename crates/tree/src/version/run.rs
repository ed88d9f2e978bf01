//! `Run`: tables with disjoint keys, in key order.
//!
//! A lookup chooses the table by monotone heads of the bounds and compares whole keys only where heads tie. No user key lies in
//! two tables of a run. Immutable once a version has it: what an edit leaves as it is, the next version shares, and of the rest it changes a
//! copy.

use super::table_file::TableFile;
use sediment_base::{Error, KeyOrder, KeyRange, Result, SeqNo, TableId, range::compare_starts};
use sediment_table::TableMeta;
use std::{collections::HashSet, ops::Bound, ops::Range, sync::Arc};

/// Tables with disjoint keys, in key order. Never empty in a version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    tables: Vec<Arc<TableFile>>,
    max_heads: Vec<u64>,
    briefs: Vec<Brief>,
    totals: Totals,
}

/// What planners ask of every table, side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brief {
    /// At most the head of each key inside.
    pub(crate) min_head: u64,
    /// At least the head of each key inside.
    pub(crate) max_head: u64,
    pub(crate) bytes: u64,
    pub(crate) tombstones: u64,
}

/// What its tables come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    min_seqno: SeqNo,
    max_seqno: SeqNo,
    bytes: u64,
    weighed_bytes: u64,
    tombstones: u64,
    /// Tables that have range tombstones or runs of removed keys.
    covering: usize,
    /// Tables that hid others when they were made.
    hiding: usize,
}

impl Run {
    /// A run of these tables, in any order; overlapping ones are refused.
    pub(crate) fn new(tables: Vec<Arc<TableFile>>, order: &KeyOrder) -> Result<Self> {
        let mut run = Self::default();
        run.extend(tables, order)?;
        Ok(run)
    }

    /// What is left of it without these tables, if anything is.
    pub(crate) fn without(&self, gone: &HashSet<TableId>) -> Option<Self> {
        let ids = self.tables.iter().enumerate().filter(|(_, table)| gone.contains(&table.meta.id));
        let places: Vec<usize> = ids.map(|(place, _)| place).collect();
        let mut rest = self.clone();
        rest.remove(&places);
        (!rest.tables.is_empty()).then_some(rest)
    }

    /// Adds these tables, in any order; overlapping ones are refused. Takes a step for each table behind the first one.
    pub(super) fn extend(&mut self, mut added: Vec<Arc<TableFile>>, order: &KeyOrder) -> Result<()> {
        added.sort_by(|a, b| compare_starts(&a.meta.range.min, &b.meta.range.min, order));
        let Some(first) = added.first() else { return Ok(()) };
        let (had_none, first) = (self.tables.is_empty(), self.first_not_before(&first.meta.range, order));
        let mut behind = self.tables.split_off(first).into_iter().peekable();
        let mut behind_briefs = self.briefs.split_off(first).into_iter();
        for file in added {
            while let Some(table) = behind.next_if(|table| table.meta.range.is_before(&file.meta.range, order)) {
                self.tables.push(table);
                self.briefs.extend(behind_briefs.next());
            }
            let mut neighbours = self.tables.last().into_iter().chain(behind.peek());
            if let Some(met) = neighbours.find(|neighbour| neighbour.meta.range.overlaps(&file.meta.range, order)) {
                return Err(overlap(met, &file));
            }
            self.totals.add(&file, had_none && self.tables.is_empty());
            self.briefs.push(Brief::new(&file, order));
            self.tables.push(file);
        }
        self.tables.extend(behind);
        self.briefs.extend(behind_briefs);
        self.max_heads.truncate(first);
        self.max_heads.extend(self.briefs[first..].iter().map(|brief| brief.max_head));
        Ok(())
    }

    /// Takes out the tables at these places, which ascend. Takes a step for each table behind the first one.
    pub(super) fn remove(&mut self, places: &[usize]) {
        let before = self.totals;
        let mut loses_bound = false;
        for file in places.iter().map(|place| &self.tables[*place]) {
            self.totals.subtract(file);
            loses_bound |= file.meta.oldest_seqno() == before.min_seqno || file.meta.newest_seqno() == before.max_seqno;
        }
        remove_places(&mut self.tables, places);
        remove_places(&mut self.max_heads, places);
        remove_places(&mut self.briefs, places);
        if loses_bound {
            self.totals.min_seqno = self.tables.iter().map(|table| table.meta.oldest_seqno()).min().unwrap_or(0);
            self.totals.max_seqno = self.tables.iter().map(|table| table.meta.newest_seqno()).max().unwrap_or(0);
        }
    }

    /// Where one of its tables lies.
    pub(super) fn place_of(&self, file: &TableFile, order: &KeyOrder) -> Option<usize> {
        let place = self.first_not_before(&file.meta.range, order);
        self.tables.get(place).filter(|table| table.meta.id == file.meta.id).map(|_| place)
    }

    pub(crate) fn tables(&self) -> &[Arc<TableFile>] {
        &self.tables
    }

    /// What planners ask of each of its tables.
    pub(crate) fn briefs(&self) -> &[Brief] {
        &self.briefs
    }

    /// No row or range tombstone has a lower seqno.
    pub(crate) fn min_seqno(&self) -> SeqNo {
        self.totals.min_seqno
    }

    /// No row or range tombstone has a higher seqno.
    #[inline]
    pub(crate) fn max_seqno(&self) -> SeqNo {
        self.totals.max_seqno
    }

    /// Whether a table has range tombstones or runs of removed keys.
    #[inline]
    pub(crate) fn has_covers(&self) -> bool {
        self.totals.covering > 0
    }

    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        self.totals.bytes
    }

    /// Bytes of all its files, with each tombstone counted as a row.
    pub(crate) fn weighed_bytes(&self) -> u64 {
        self.totals.weighed_bytes
    }

    /// Tombstones in all its tables.
    pub(crate) fn tombstones(&self) -> u64 {
        self.totals.tombstones
    }

    /// Whether a table hid others when it was made.
    pub(crate) fn hides_tables(&self) -> bool {
        self.totals.hiding > 0
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

    /// The tables that share a key with `range`, or could. Takes the logarithm of how many tables there are.
    pub(crate) fn overlapping(&self, keys: &KeyRange, order: &KeyOrder) -> &[Arc<TableFile>] {
        let rest = &self.tables[self.first_not_before(keys, order)..];
        // Most ranges meet few: looked for by steps that double.
        let mut reach = 1;
        while rest.get(reach - 1).is_some_and(|table| !keys.is_before(&table.meta.range, order)) {
            reach *= 2;
        }
        let near = &rest[..reach.min(rest.len())];
        &rest[..near.partition_point(|table| !keys.is_before(&table.meta.range, order))]
    }

    /// Index of the first table that does not lie before `keys`.
    fn first_not_before(&self, keys: &KeyRange, order: &KeyOrder) -> usize {
        if keys.min.is_empty() { 0 } else { self.seek(&keys.min, order) }
    }
}

impl Brief {
    fn new(file: &TableFile, order: &KeyOrder) -> Self {
        let TableMeta { range, file_bytes, tombstones, .. } = &file.meta;
        let min_head = if range.min.is_empty() { 0 } else { order.head(&range.min) };
        Self { min_head, max_head: range.max_head(order), bytes: *file_bytes, tombstones: *tombstones }
    }
}

impl Totals {
    fn add(&mut self, file: &TableFile, is_first: bool) {
        let (oldest, newest) = (file.meta.oldest_seqno(), file.meta.newest_seqno());
        self.min_seqno = if is_first { oldest } else { self.min_seqno.min(oldest) };
        self.max_seqno = self.max_seqno.max(newest);
        self.bytes = self.bytes.wrapping_add(file.meta.file_bytes);
        self.weighed_bytes = self.weighed_bytes.wrapping_add(file.weighed_bytes());
        self.tombstones = self.tombstones.wrapping_add(file.meta.tombstones);
        self.covering += usize::from(is_covering(&file.meta));
        self.hiding += usize::from(file.hides_bytes > 0);
    }

    /// Leaves the bounds as they are.
    fn subtract(&mut self, file: &TableFile) {
        self.bytes = self.bytes.wrapping_sub(file.meta.file_bytes);
        self.weighed_bytes = self.weighed_bytes.wrapping_sub(file.weighed_bytes());
        self.tombstones = self.tombstones.wrapping_sub(file.meta.tombstones);
        self.covering -= usize::from(is_covering(&file.meta));
        self.hiding -= usize::from(file.hides_bytes > 0);
    }
}

fn is_covering(meta: &TableMeta) -> bool {
    meta.ranges.count > 0 || meta.removed.count > 0
}

fn remove_places<T>(items: &mut Vec<T>, places: &[usize]) {
    let Some(first) = places.first() else { return };
    let mut behind = items.split_off(*first);
    let (mut place, mut rest) = (*first, places);
    behind.retain(|_| {
        let is_gone = rest.first() == Some(&place);
        rest = if is_gone { &rest[1..] } else { rest };
        place += 1;
        !is_gone
    });
    items.append(&mut behind);
}

#[cold]
fn overlap(a: &TableFile, b: &TableFile) -> Error {
    Error::corruption(format!(
        "tables {} and {} of one run overlap: {:?} and {:?}",
        a.meta.id, b.meta.id, a.meta.range, b.meta.range
    ))
}
