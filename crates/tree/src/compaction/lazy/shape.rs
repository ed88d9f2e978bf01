//! What a tree looks like to the lazy strategy: partitions with what has settled above them, and what is young.

use crate::{
    compaction::{strategy::TreeView, tiers::Tier},
    version::{Level, TableFile, arrange},
};
use sediment_base::{KeyOrder, KeyRange, Slice, TableId, range::compare_starts};
use std::sync::Arc;

/// Into how many partitions a bottom is cut, until they reach their greatest size.
const PARTITIONS: u64 = 128;
const PARTITION_BYTES_MAX: u64 = 512 << 20;
/// How many times smaller than on average a piece may be before it is too tiny to end at a guard.
pub(super) const SLACK: u64 = 4;

/// A tree, as the lazy strategy sees it.
pub(super) struct Shape<'a> {
    /// The deepest level that holds something; the last one if none but level 0 does.
    pub(super) bottom: usize,
    /// The deepest level that holds something and lies above it, but for level 0. Then nothing has settled.
    pub(super) between: Option<usize>,
    pub(super) bottom_bytes: u64,
    /// How large one should be.
    pub(super) partition_bytes: u64,
    /// In key order; one without tables where the bottom is empty.
    pub(super) partitions: Vec<Partition<'a>>,
    /// Tables of level 0 that have not settled.
    young: Vec<&'a Arc<TableFile>>,
    order: &'a KeyOrder,
}

/// A part of the bottom.
#[derive(Default)]
pub(super) struct Partition<'a> {
    bottom: Vec<&'a Arc<TableFile>>,
    /// What has settled above, by sublevel, from the lowest on.
    upper: Vec<(usize, &'a Arc<TableFile>)>,
}

impl<'a> Shape<'a> {
    pub(super) fn new(tree: &TreeView<'a>) -> Self {
        let (levels, order) = (&tree.version.levels, &tree.options.order);
        let deepest = |below: usize| (1..below).rev().find(|level| !levels[*level].is_empty());
        let bottom = deepest(levels.len()).unwrap_or(levels.len() - 1);
        let bottom_bytes = levels[bottom].bytes();
        let largest = PARTITION_BYTES_MAX.max(tree.options.table_bytes);
        let partition_bytes = (bottom_bytes / PARTITIONS).clamp(tree.options.table_bytes, largest);
        let mut shape = Self {
            bottom,
            between: deepest(bottom),
            bottom_bytes,
            partition_bytes,
            partitions: vec![Partition::default()],
            young: Vec::new(),
            order,
        };
        for file in levels[bottom].tables() {
            if shape.partitions.last().is_some_and(|last| last.bottom_bytes() * 2 >= partition_bytes) {
                shape.partitions.push(Partition::default());
            }
            shape.partitions.last_mut().expect("there is one").bottom.push(file);
        }
        shape.settle(&levels[0]);
        shape
    }

    /// Distributes the tables of level 0, from its lowest sublevel on: so what a table overlaps and is older comes before it.
    fn settle(&mut self, level0: &'a Level) {
        let guards = self.guards();
        // Above these nothing settles any more, and these are one with the next.
        let mut covered = vec![self.between.is_some(); self.partitions.len()];
        let mut joined = vec![false; self.partitions.len() + 1];
        for (height, run) in level0.runs.iter().rev().enumerate() {
            let mut places = Places { guards: &guards, order: self.order, first: 0 };
            for file in run.tables() {
                let (first, last) = places.next(&file.meta.range);
                // Two at most: a chain of neighbours could grow to the whole tree.
                let is_narrow = first == last || first + 1 == last && (first == 0 || !joined[first - 1]) && !joined[last];
                if is_narrow && !covered[first] && !covered[last] {
                    joined[first] |= first < last;
                    self.partitions[first].upper.push((height, file));
                } else {
                    covered[first..=last].fill(true);
                    self.young.push(file);
                }
            }
        }
        let parts = std::mem::take(&mut self.partitions);
        for (index, part) in parts.into_iter().enumerate() {
            match self.partitions.last_mut() {
                Some(last) if joined[index - 1] => last.join(part),
                _ => self.partitions.push(part),
            }
        }
    }

    /// Where partitions begin, but for the first.
    pub(super) fn guards(&self) -> Vec<Slice> {
        self.partitions.iter().skip(1).map(|partition| partition.bottom[0].meta.range.min.clone()).collect()
    }

    /// Whether a run that is so large is worth cutting at partitions.
    pub(super) fn settles(&self, tree: &TreeView<'_>, bytes: u64) -> bool {
        bytes / self.partitions.len() as u64 >= tree.options.guarded_bytes_min()
    }

    /// Size of tables that so many bytes of the bottom are best cut into.
    pub(super) fn even(&self, bytes: u64) -> u64 {
        match (bytes + self.partition_bytes / 2) / self.partition_bytes {
            0 | 1 => u64::MAX,
            count => bytes.div_ceil(count),
        }
    }

    pub(super) fn young_tiers(&self, tree: &TreeView<'_>) -> Vec<Tier> {
        let sublevels = arrange(self.young.iter().map(|file| Arc::clone(file)).collect(), self.order);
        sublevels.iter().rev().map(|tables| Tier::new(tree, 0, tables)).collect()
    }
}

impl<'a> Partition<'a> {
    pub(super) fn bottom_bytes(&self) -> u64 {
        self.bottom.iter().map(|file| file.meta.file_bytes).sum()
    }

    pub(super) fn upper_bytes(&self) -> u64 {
        self.upper.iter().map(|(_, file)| file.meta.file_bytes).sum()
    }

    /// Bytes of what has settled, with each tombstone counted as a row of average size of the bottom.
    pub(super) fn weight(&self) -> u64 {
        let rows: u64 = self.bottom.iter().map(|file| file.meta.rows).sum();
        let tombstones: u64 = self.upper.iter().map(|(_, file)| file.meta.tombstones).sum();
        self.upper_bytes().saturating_add(tombstones.saturating_mul(self.bottom_bytes() / rows.max(1)))
    }

    /// A number from 0.5 to 1.5 that is another for each.
    pub(super) fn stagger(&self) -> f64 {
        let id = self.bottom.first().map_or(0, |file| file.meta.id.0);
        let scattered = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
        0.5 + scattered as f64 / 65536.0
    }

    /// All its tables.
    pub(super) fn ids(&self) -> impl Iterator<Item = TableId> {
        self.bottom.iter().copied().chain(self.upper.iter().map(|(_, file)| *file)).map(|file| file.meta.id)
    }

    /// What has settled, as runs, newest first: where nothing else lies below, sublevels are the same as in the whole.
    pub(super) fn tiers(&self, tree: &TreeView<'_>) -> Vec<Tier> {
        self.upper.chunk_by(|a, b| a.0 == b.0).rev().map(|run| Tier::new(tree, 0, run.iter().map(|(_, file)| *file))).collect()
    }

    /// Settled tables that meet nothing below.
    pub(super) fn sinking(&self, order: &KeyOrder) -> impl Iterator<Item = &'a Arc<TableFile>> {
        let is_met = |file: &Arc<TableFile>| self.bottom.iter().any(|lower| lower.meta.range.overlaps(&file.meta.range, order));
        self.upper.iter().take_while(|(height, _)| *height == 0).map(|(_, file)| *file).filter(move |file| !is_met(file))
    }

    fn join(&mut self, next: Self) {
        self.bottom.extend(next.bottom);
        self.upper.extend(next.upper);
        self.upper.sort_by_key(|(height, _)| *height);
    }
}

/// Finds the partitions of tables that come in the order of their keys.
struct Places<'a> {
    guards: &'a [Slice],
    order: &'a KeyOrder,
    first: usize,
}

impl Places<'_> {
    /// The first and the last partition that the next range of keys lies in.
    fn next(&mut self, range: &KeyRange) -> (usize, usize) {
        let begins = |guard: &Slice| compare_starts(guard, &range.min, self.order).is_le();
        self.first += self.guards[self.first..].iter().take_while(|guard| begins(guard)).count();
        let goes_on = |guard: &&Slice| !range.is_below(guard, self.order);
        (self.first, self.first + self.guards[self.first..].iter().take_while(goes_on).count())
    }
}
