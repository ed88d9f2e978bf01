//! What a tree looks like to the lazy strategy: partitions with what has settled above them, and what is young.

use crate::{
    compaction::{strategy::TreeView, tiers::Tier},
    version::{Brief, Run, TableFile, arrange},
};
use sediment_base::{KeyOrder, Slice, TableId, range::compare_starts};
use std::{ops::Range, sync::Arc};

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
    pub(super) partitions: Vec<Partition>,
    /// The bottom, if it holds something.
    bottom_run: Option<&'a Run>,
    /// The sublevels of level 0, from the lowest on.
    sublevels: Vec<&'a Run>,
    /// What has settled, by partition, and for each by sublevel, from the lowest on.
    settled: Vec<Settled>,
    /// Tables of level 0 that have not settled, as runs, newest first.
    young: Vec<Run>,
    order: &'a KeyOrder,
}

/// A part of the bottom.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition {
    /// Its tables, by their places in the run.
    bottom: Range<usize>,
    bottom_bytes: u64,
    /// What has settled above.
    upper: Range<usize>,
    upper_bytes: u64,
    upper_tombstones: u64,
}

/// A settled table: where it lies in which sublevel.
#[derive(Clone, Copy, Debug)]
struct Settled {
    height: u32,
    place: u32,
    bytes: u64,
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
            bottom_run: levels[bottom].runs.first().map(|run| &**run),
            sublevels: levels[0].runs.iter().rev().map(|run| &**run).collect(),
            settled: Vec::new(),
            young: Vec::new(),
            order,
        };
        shape.partition();
        shape.settle();
        shape
    }

    /// Cuts the bottom.
    fn partition(&mut self) {
        for (place, brief) in self.bottom_run.map_or(&[][..], Run::briefs).iter().enumerate() {
            if self.partitions.last().is_some_and(|last| last.bottom_bytes * 2 >= self.partition_bytes) {
                self.partitions.push(Partition { bottom: place..place, ..Partition::default() });
            }
            let last = self.partitions.last_mut().expect("there is one");
            last.bottom.end = place + 1;
            last.bottom_bytes += brief.bytes;
        }
    }

    /// Distributes the tables of level 0, from its lowest sublevel on: so what a table overlaps and is older comes before it.
    fn settle(&mut self) {
        let guards = self.guards();
        let guards: Vec<(u64, &Slice)> = guards.iter().map(|guard| (self.order.head(guard), guard)).collect();
        // Above these nothing settles any more, and these are one with the next.
        let mut covered = vec![self.between.is_some(); self.partitions.len()];
        let mut joined = vec![false; self.partitions.len() + 1];
        let (mut settled, mut young) = (Vec::new(), Vec::new());
        for (height, run) in self.sublevels.iter().enumerate() {
            let mut places = Places { guards: &guards, order: self.order, first: 0 };
            for (place, brief) in run.briefs().iter().enumerate() {
                let (first, last) = places.next(brief, run, place);
                // Two at most: a chain of neighbours could grow to the whole tree.
                let is_narrow = first == last || first + 1 == last && (first == 0 || !joined[first - 1]) && !joined[last];
                if is_narrow && !covered[first] && !covered[last] {
                    joined[first] |= first < last;
                    let partition = &mut self.partitions[first];
                    partition.upper.end += 1;
                    partition.upper_bytes += brief.bytes;
                    partition.upper_tombstones += brief.tombstones;
                    settled.push((first, Settled { height: height as u32, place: place as u32, bytes: brief.bytes }));
                } else {
                    covered[first..=last].fill(true);
                    young.push(Arc::clone(&run.tables()[place]));
                }
            }
        }
        self.gather(&joined, &settled);
        let runs = arrange(young, self.order).into_iter().rev().map(|tables| Run::new(tables, self.order));
        self.young = runs.collect::<Result<_, _>>().expect("tables of a sublevel do not overlap");
    }

    /// Makes one partition of those that are joined, and lays what has settled in each side by side.
    fn gather(&mut self, joined: &[bool], settled: &[(usize, Settled)]) {
        let (parts, mut numbers) = (std::mem::take(&mut self.partitions), Vec::new());
        for (index, part) in parts.into_iter().enumerate() {
            match self.partitions.last_mut() {
                Some(last) if joined[index - 1] => last.join(&part),
                _ => self.partitions.push(part),
            }
            numbers.push(self.partitions.len() - 1);
        }
        let mut end = 0;
        for partition in &mut self.partitions {
            let count = partition.upper.len();
            // Grows again as it is filled.
            partition.upper = end..end;
            end += count;
        }
        self.settled = vec![Settled { height: 0, place: 0, bytes: 0 }; end];
        for (first, table) in settled {
            let upper = &mut self.partitions[numbers[*first]].upper;
            self.settled[upper.end] = *table;
            upper.end += 1;
        }
    }

    /// Where partitions begin, but for the first.
    pub(super) fn guards(&self) -> Vec<Slice> {
        let begin = |partition: &Partition| self.bottom(partition).first().map(|file| file.meta.range.min.clone());
        self.partitions.iter().skip(1).filter_map(begin).collect()
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

    /// What is young, newest first; their numbers are for [`Shape::young_ids`].
    pub(super) fn young_tiers(&self, tree: &TreeView<'_>) -> Vec<Tier> {
        self.young.iter().enumerate().map(|(number, run)| Tier::of_run(tree, number, run)).collect()
    }

    pub(super) fn young_ids(&self, tier: &Tier) -> impl Iterator<Item = TableId> {
        self.young[tier.number].tables().iter().map(|file| file.meta.id)
    }

    /// What has settled in a partition, as runs, newest first: where nothing else lies below, sublevels are the same as in the whole. Their
    /// numbers are for [`Shape::tier_ids`].
    pub(super) fn tiers(&self, tree: &TreeView<'_>, partition: &Partition, tiers: &mut Vec<Tier>) {
        tiers.clear();
        for table in self.settled[partition.upper.clone()].iter().rev() {
            let is_busy = !tree.busy.is_empty() && tree.busy.has(self.upper(table).meta.id);
            match tiers.last_mut().filter(|last| last.number == table.height as usize) {
                Some(last) => {
                    last.bytes += table.bytes;
                    last.is_busy |= is_busy;
                }
                None => tiers.push(Tier { number: table.height as usize, bytes: table.bytes, is_busy }),
            }
        }
    }

    pub(super) fn tier_ids(&self, partition: &Partition, tier: &Tier) -> impl Iterator<Item = TableId> {
        let number = tier.number;
        let tables = self.settled[partition.upper.clone()].iter().filter(move |table| table.height as usize == number);
        tables.map(|table| self.upper(table).meta.id)
    }

    /// All tables of a partition.
    pub(super) fn ids(&self, partition: &Partition) -> impl Iterator<Item = TableId> {
        let upper = self.settled[partition.upper.clone()].iter().map(|table| self.upper(table));
        self.bottom(partition).iter().chain(upper).map(|file| file.meta.id)
    }

    /// Bytes of what has settled, with each tombstone counted as a row of average size of the bottom.
    pub(super) fn weight(&self, partition: &Partition) -> u64 {
        if partition.upper_tombstones == 0 {
            return partition.upper_bytes;
        }
        let rows: u64 = self.bottom(partition).iter().map(|file| file.meta.rows).sum();
        let row_bytes = partition.bottom_bytes / rows.max(1);
        partition.upper_bytes.saturating_add(partition.upper_tombstones.saturating_mul(row_bytes))
    }

    /// Settled tables of a partition that meet nothing below.
    pub(super) fn sinking(&self, partition: &Partition) -> impl Iterator<Item = &'a Arc<TableFile>> {
        let lowest = self.settled[partition.upper.clone()].iter().take_while(|table| table.height == 0);
        lowest.filter(|table| !self.meets(partition, table)).map(|table| self.upper(table))
    }

    /// Whether a table of the lowest sublevel meets one of the bottom of its partition.
    fn meets(&self, partition: &Partition, table: &Settled) -> bool {
        let Some(run) = self.bottom_run else { return false };
        let brief = self.sublevels[table.height as usize].briefs()[table.place as usize];
        partition.bottom.clone().any(|place| {
            let lower = run.briefs()[place];
            let is_apart = lower.max_head < brief.min_head || brief.max_head < lower.min_head;
            !is_apart && run.tables()[place].meta.range.overlaps(&self.upper(table).meta.range, self.order)
        })
    }

    fn upper(&self, table: &Settled) -> &'a Arc<TableFile> {
        &self.sublevels[table.height as usize].tables()[table.place as usize]
    }

    fn bottom(&self, partition: &Partition) -> &'a [Arc<TableFile>] {
        self.bottom_run.map_or(&[], |run| &run.tables()[partition.bottom.clone()])
    }

    /// A number from 0.5 to 1.5 that is another for each partition.
    pub(super) fn stagger(&self, partition: &Partition) -> f64 {
        let id = self.bottom(partition).first().map_or(0, |file| file.meta.id.0);
        let scattered = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
        0.5 + scattered as f64 / 65536.0
    }
}

impl Partition {
    pub(super) fn bottom_bytes(&self) -> u64 {
        self.bottom_bytes
    }

    /// Of all its tables.
    pub(super) fn bytes(&self) -> u64 {
        self.bottom_bytes + self.upper_bytes
    }

    fn join(&mut self, next: &Self) {
        self.bottom.end = next.bottom.end;
        self.bottom_bytes += next.bottom_bytes;
        self.upper.end += next.upper.len();
        self.upper_bytes += next.upper_bytes;
        self.upper_tombstones += next.upper_tombstones;
    }
}

/// Finds the partitions of tables that come in the order of their keys. Whole keys are compared only where heads tie.
struct Places<'a> {
    guards: &'a [(u64, &'a Slice)],
    order: &'a KeyOrder,
    first: usize,
}

impl Places<'_> {
    /// The first and the last partition that the next table lies in, which is this one of a run.
    fn next(&mut self, brief: &Brief, run: &Run, place: usize) -> (usize, usize) {
        let range = || &run.tables()[place].meta.range;
        let begins = |(head, guard): &(u64, &Slice)| {
            *head < brief.min_head || *head == brief.min_head && compare_starts(guard, &range().min, self.order).is_le()
        };
        self.first += self.guards[self.first..].iter().take_while(|guard| begins(guard)).count();
        let goes_on = |(head, guard): &&(u64, &Slice)| {
            *head < brief.max_head || *head == brief.max_head && !range().is_below(guard, self.order)
        };
        (self.first, self.first + self.guards[self.first..].iter().take_while(goes_on).count())
    }
}
