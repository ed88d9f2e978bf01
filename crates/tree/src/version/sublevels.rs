//! Sublevels: how the tables of level 0 make as few runs as their overlaps allow.
//!
//! Tables are laid down from the oldest to the newest, each as low as it falls: in the lowest sublevel above every older table
//! that it overlaps. A sublevel is a run, so a get looks at one table in each, and a scan merges as many sources as there are
//! sublevels, however many flushes there were:
//!
//! ```text
//!   2            [  e  ]
//!   1      [    c     ]        [ d ]
//!   0    [  a  ]   [ b  ]   [     f     ]      f is newer than d, but overlaps only what is not there any more
//!        keys ->
//! ```
//!
//! A table is *newer* than another if its highest seqno is higher; of two that are alike, the one with the higher id. So
//! whoever searches from the top down meets the tables of a key by descending highest seqno, and may stop soon. Nothing but that
//! depends on the order: readers compare seqnos. The arrangement is a pure function of the set of tables, and not stored.
//!
//! [`arrange`] makes it from nothing, [`rearrange`] from that of other tables, of which most stay: what it does is to lift the tables whose
//! height may change, and lay them down again, from the oldest on. When the height of a table changes, that of a newer one which it overlaps
//! can only change if it lay directly above it, or lies no higher than it now does.

use super::{run::Run, table_file::TableFile};
use sediment_base::{KeyOrder, KeyRange, Result, SeqNo, TableId};
use std::{collections::BTreeMap, sync::Arc};

/// The sublevels of these tables, the oldest first, each in key order.
pub(crate) fn arrange(mut files: Vec<Arc<TableFile>>, order: &KeyOrder) -> Vec<Vec<Arc<TableFile>>> {
    files.sort_by_key(|file| file.age());
    let mut sublevels: Vec<Vec<Arc<TableFile>>> = Vec::new();
    for file in files {
        let below = sublevels.iter().rposition(|tables| place_between(tables, &file.meta.range, order).is_none());
        let height = below.map_or(0, |below| below + 1);
        if height == sublevels.len() {
            sublevels.push(Vec::new());
        }
        let tables = &mut sublevels[height];
        let place = place_between(tables, &file.meta.range, order).expect("it overlaps nothing from here up");
        tables.insert(place, file);
    }
    sublevels
}

/// The sublevels, the newest first as these are, once some of their tables have gone and others have come. Takes about as long as copying the
/// sublevels that change, and some logarithms for each table that changes its height.
pub(crate) fn rearrange(
    runs: &[Arc<Run>],
    gone: &[Arc<TableFile>],
    come: Vec<Arc<TableFile>>,
    order: &KeyOrder,
) -> Result<Vec<Arc<Run>>> {
    let mut sublevels = Sublevels { runs: runs.iter().rev().cloned().collect(), lifted: BTreeMap::new(), order };
    sublevels.take(gone);
    sublevels.lifted.extend(come.into_iter().map(|file| (file.age(), Lifted { file, from: None })));
    while let Some((_, lifted)) = sublevels.lifted.pop_first() {
        sublevels.lay(lifted)?;
    }
    let mut runs = sublevels.runs;
    runs.retain(|run| !run.tables().is_empty());
    runs.reverse();
    Ok(runs)
}

/// Sublevels that change: what lies in them lies as low as it falls, or is lifted.
struct Sublevels<'a> {
    /// The oldest first.
    runs: Vec<Arc<Run>>,
    /// By their ages.
    lifted: BTreeMap<(SeqNo, TableId), Lifted>,
    order: &'a KeyOrder,
}

struct Lifted {
    file: Arc<TableFile>,
    /// Where it lay, if it did.
    from: Option<usize>,
}

impl Sublevels<'_> {
    /// Takes tables out, and lifts those that may fall.
    fn take(&mut self, gone: &[Arc<TableFile>]) {
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let place = |file: &Arc<TableFile>| {
            let mut found = self.runs.iter().enumerate().map(|(height, run)| (height, run.place_of(file, self.order)));
            found.find_map(|(height, place)| place.map(|place| (height, place)))
        };
        let found: Vec<_> = gone.iter().filter_map(|file| Some((file, place(file)?))).collect();
        found.iter().for_each(|(_, (height, place))| places.entry(*height).or_default().push(*place));
        for (height, mut places) in places {
            places.sort_unstable();
            Arc::make_mut(&mut self.runs[height]).remove(&places);
        }
        found.into_iter().for_each(|(file, (height, _))| self.lift(height + 1, file));
    }

    /// Lays a lifted table down, as all older ones lie already.
    fn lay(&mut self, Lifted { file, from }: Lifted) -> Result<()> {
        let lies_above =
            |run: &Arc<Run>| run.overlapping(&file.meta.range, self.order).iter().any(|older| older.age() < file.age());
        let height = self.runs.iter().rposition(lies_above).map_or(0, |below| below + 1);
        if from != Some(height) {
            (0..=height).for_each(|height| self.lift(height, &file));
            from.into_iter().for_each(|from| self.lift(from + 1, &file));
        }
        if height == self.runs.len() {
            self.runs.push(Arc::default());
        }
        Arc::make_mut(&mut self.runs[height]).extend(vec![file], self.order)
    }

    /// Lifts what lies at this height, is newer than a table and overlaps it.
    fn lift(&mut self, height: usize, file: &TableFile) {
        let Some(run) = self.runs.get(height).filter(|run| run.max_seqno() >= file.meta.newest_seqno()) else { return };
        let is_newer = |other: &&Arc<TableFile>| other.age() > file.age();
        let newer: Vec<_> = run.overlapping(&file.meta.range, self.order).iter().filter(is_newer).cloned().collect();
        let places: Vec<_> = newer.iter().filter_map(|file| run.place_of(file, self.order)).collect();
        if !newer.is_empty() {
            Arc::make_mut(&mut self.runs[height]).remove(&places);
        }
        self.lifted.extend(newer.into_iter().map(|file| (file.age(), Lifted { file, from: Some(height) })));
    }
}

/// Where among disjoint tables in key order this range fits, `None` if it overlaps one.
fn place_between(tables: &[Arc<TableFile>], range: &KeyRange, order: &KeyOrder) -> Option<usize> {
    let place = tables.partition_point(|table| table.meta.range.is_before(range, order));
    let is_free = tables.get(place).is_none_or(|next| range.is_before(&next.meta.range, order));
    is_free.then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::{AddedTable, tests as sample};
    use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};
    use sediment_base::TableId;
    use sediment_testkit::script::{self, Case};
    use std::path::Path;

    fn file(added: AddedTable) -> Arc<TableFile> {
        TableFile::new(&sample::home(), added.run, added.meta, 0)
    }

    /// `arrange`, then tables `id min..max seqno`.
    #[test]
    fn each_table_lies_as_low_as_it_falls() {
        let path = format!("{}/testdata/sublevels.txt", env!("CARGO_MANIFEST_DIR"));
        script::run(Path::new(&path), |case: &Case| {
            let table = |line: &str| {
                let words: Vec<&str> = line.split_whitespace().collect();
                file(sample::table(&format!("0 {} {} {} 1 1 0 1..{}", words[0], words[0], words[1], words[2])))
            };
            let sublevels = arrange(case.input.lines().map(table).collect(), &KeyOrder::bytewise());
            let ids =
                |tables: &Vec<Arc<TableFile>>| tables.iter().map(|file| file.meta.id.to_string()).collect::<Vec<_>>().join(" ");
            sublevels.iter().rev().map(ids).collect::<Vec<_>>().join("\n")
        });
    }

    fn ids<T: AsRef<[Arc<TableFile>]>>(sublevels: impl IntoIterator<Item = T>) -> Vec<Vec<TableId>> {
        let of = |tables: T| tables.as_ref().iter().map(|file| file.meta.id).collect();
        sublevels.into_iter().map(of).collect()
    }

    proptest! {
        /// Whatever comes and goes, sublevels are those of what is there, and sums those of runs that are made of it.
        #[test]
        fn a_change_leads_where_arranging_all_does(
            edits in vec((vec((0..90_u8, 0..30_u8, 0..50_u64), 0..12), vec(0..60_usize, 0..12)), 1..12), is_narrow in 0..2_u8
        ) {
            let order = KeyOrder::bytewise();
            let (mut files, mut runs, mut next_id): (Vec<Arc<TableFile>>, Vec<Arc<Run>>, u64) = (Vec::new(), Vec::new(), 0);
            for (come, gone) in edits {
                let mut left = Vec::new();
                for index in gone.into_iter() {
                    if index < files.len() {
                        left.push(files.swap_remove(index));
                    }
                }
                let come: Vec<_> = come.into_iter().map(|(min, width, seqno)| {
                    next_id += 1;
                    let width = if is_narrow == 1 { width / 8 } else { width };
                    let (bytes, max) = (next_id * 3, min + width);
                    file(sample::table(&format!("0 1 {next_id} k{min:03}..k{max:03} {bytes} 1 0 0..{seqno}")))
                }).collect();
                files.extend(come.iter().cloned());
                runs = rearrange(&runs, &left, come, &order).expect("sublevels are runs");
                let plain = arrange(files.clone(), &order);
                prop_assert_eq!(ids(runs.iter().rev().map(|run| run.tables())), ids(&plain));
                for (run, tables) in runs.iter().rev().zip(plain) {
                    let made = Run::new(tables, &order).expect("a run");
                    prop_assert_eq!((run.bytes(), run.min_seqno(), run.max_seqno()), (made.bytes(), made.min_seqno(), made.max_seqno()));
                    prop_assert!(run.tables().iter().all(|file| run.place_of(file, &order) == made.place_of(file, &order)));
                }
            }
        }

        #[test]
        fn any_set_is_arranged_by_the_rule(tables in vec((0..40_u8, 0..9_u8, 0..6_u64), 0..40)) {
            let order = KeyOrder::bytewise();
            let made = tables.iter().enumerate().map(|(index, (min, width, seqno))| {
                let (min, max) = (char::from(48 + min), char::from(48 + min + width));
                file(sample::table(&format!("0 1 {} {min}..{max} 1 1 0 0..{seqno}", index + 1)))
            });
            let files: Vec<_> = made.collect();
            let sublevels = arrange(files.clone(), &order);
            let shuffled = files.iter().rev().cloned().collect();
            prop_assert_eq!(ids(&sublevels), ids(arrange(shuffled, &order)), "whatever order they come in");
            let height = |file: &Arc<TableFile>| {
                sublevels.iter().position(|tables| tables.iter().any(|other| Arc::ptr_eq(other, file))).expect("all are there")
            };
            for file in &files {
                let older = files.iter().filter(|older| {
                    older.age() < file.age() && older.meta.range.overlaps(&file.meta.range, &order)
                });
                prop_assert_eq!(height(file), older.map(|older| height(older) + 1).max().unwrap_or(0));
            }
            let is_run = |tables: &Vec<Arc<TableFile>>| {
                tables.windows(2).all(|pair| pair[0].meta.range.max < pair[1].meta.range.min)
            };
            prop_assert!(sublevels.iter().all(is_run));
        }
    }
}
