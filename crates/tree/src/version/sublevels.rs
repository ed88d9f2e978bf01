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

use super::table_file::TableFile;
use sediment_base::{KeyOrder, KeyRange};
use std::sync::Arc;

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

    proptest! {
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
            let ids = |sublevels: &[Vec<Arc<TableFile>>]| -> Vec<Vec<TableId>> {
                sublevels.iter().map(|tables| tables.iter().map(|file| file.meta.id).collect()).collect()
            };
            prop_assert_eq!(ids(&sublevels), ids(&arrange(shuffled, &order)), "whatever order they come in");
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
