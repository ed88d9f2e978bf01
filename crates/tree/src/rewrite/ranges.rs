//! The range tombstones of a rewrite: which rows they hide from everybody, and which of them stay.
//!
//! A row goes if every reader in use that sees it also sees a range tombstone above it: one in the row's stripe. Of the range
//! tombstones that cover a key, the newest of each stripe stays, and all from the floor on. One in the lowest stripe goes as well
//! where nothing older lies outside: every row that it hides has just gone. What stays is cut into as few pieces as that allows.
//!
//! Under a watermark this is so on the last level alone, with the one stripe that it has. Elsewhere no row goes because of a range
//! tombstone, and all are carried on as they are; operands are not folded with what one hides from them.

use super::rules::Policy;
use crate::retention::Stripes;
use sediment_base::{
    KeyOrder, KeyRange, RangeTombstone, RangeTombstones, SeqNo, Slice,
    planted::{Bug, planted},
};
use sediment_table::{TableMeta, WholeBlock};
use std::collections::HashMap;

/// The range tombstones of a rewrite.
#[derive(Debug, Default)]
pub(crate) struct Ranges {
    order: KeyOrder,
    all: RangeTombstones,
    /// Whether rows go that they hide.
    is_applied: bool,
    kept: RangeTombstones,
    exact_from: Option<SeqNo>,
}

impl Ranges {
    /// Those of all inputs. `is_older_outside` says whether a source outside of the rewrite may hold a row of these keys with a seqno
    /// at or below the given one.
    pub(crate) fn new(
        inputs: Vec<RangeTombstone>,
        policy: &Policy,
        order: &KeyOrder,
        is_older_outside: impl Fn(&KeyRange, SeqNo) -> bool,
    ) -> Self {
        if inputs.is_empty() {
            return Self::default();
        }
        let (all, stripes) = (RangeTombstones::new(inputs, order), &policy.stripes);
        if !policy.ends_removals() {
            return Self { order: order.clone(), kept: all.clone(), all, is_applied: false, exact_from: None };
        }
        let (mut kept, exact_from) = newest_of_stripes(&all, stripes);
        kept.retain(|tombstone| {
            let keys = KeyRange { min: tombstone.start.clone(), max: tombstone.end.clone(), is_open: true };
            stripes.of(tombstone.seqno) != Some(0) || is_older_outside(&keys, tombstone.seqno)
        });
        kept.extend(all.iter().filter(|tombstone| stripes.of(tombstone.seqno).is_none()).cloned());
        Self { order: order.clone(), kept: RangeTombstones::new(kept, order), all, is_applied: true, exact_from }
    }

    /// The range tombstone below `stripe_end` that hides a row of this seqno.
    #[inline]
    pub(crate) fn hiding(&self, key: &[u8], seqno: SeqNo, stripe_end: SeqNo) -> Option<SeqNo> {
        if !self.is_applied {
            return None;
        }
        Some(self.all.cover(key, stripe_end, &self.order)).filter(|cover| *cover > seqno)
    }

    /// Whether they hide all rows of an input from everybody who sees one of them. It need not be read then, and goes.
    pub(crate) fn hide_all_of(&mut self, table: &TableMeta, stripes: &Stripes) -> bool {
        let hiding = self.hiding_all_of(table, stripes);
        self.exact_from = self.exact_from.max(hiding.map(|newest| newest + 1));
        hiding.is_some()
    }

    /// The newest that it takes.
    fn hiding_all_of(&self, table: &TableMeta, stripes: &Stripes) -> Option<SeqNo> {
        if !self.is_applied || table.rows == 0 {
            return None;
        }
        let stripe = stripes.of(table.max_seqno).filter(|stripe| stripes.start(*stripe) <= table.min_seqno)?;
        let (range, stripe_end) = (&table.range, stripes.end(stripe));
        let mut stretch = match range.min.is_empty() {
            true => self.all.stretch_at(0, stripe_end),
            false => self.all.stretch(&range.min, stripe_end, &self.order),
        };
        let mut newest = 0;
        while stretch.cover > table.max_seqno {
            newest = newest.max(stretch.cover);
            let Some(next) = stretch.to.filter(|to| !range.is_below(to, &self.order)) else { return Some(newest) };
            stretch = self.all.stretch(next, stripe_end, &self.order);
        }
        None
    }

    /// Of a row that stays, the newest that hides it, but not one of a higher seqno.
    #[inline]
    pub(crate) fn between(&self, key: &[u8], seqno: SeqNo, higher: SeqNo) -> Option<SeqNo> {
        if self.is_applied {
            return None;
        }
        Some(self.all.cover(key, higher.saturating_add(1), &self.order)).filter(|cover| *cover > seqno)
    }

    /// Whether one stays that does not hide a row of this seqno now, but would if that were 0.
    #[inline]
    pub(crate) fn would_hide_at_zero(&self, key: &[u8], seqno: SeqNo) -> bool {
        !self.kept.is_empty() && self.kept.oldest(key, &self.order).is_some_and(|oldest| oldest <= seqno)
    }

    /// Whether one may hide a row of a block.
    pub(crate) fn touch(&self, block: &WholeBlock<'_>) -> bool {
        if !self.is_applied || planted(Bug::CarryUnderRangeTombstone) {
            return false;
        }
        let stretch = self.all.stretch(block.first_key(), SeqNo::MAX, &self.order);
        stretch.cover > 0 || stretch.to.is_some_and(|to| !block.ends_before(to))
    }

    /// Those that stay, in the order of their starts.
    pub(crate) fn kept(&self) -> &RangeTombstones {
        &self.kept
    }

    /// From here on every read is exact, as far as range tombstones are concerned.
    pub(crate) fn exact_from(&self) -> Option<SeqNo> {
        self.exact_from
    }
}

/// The newest of each stripe that covers a key, below the floor; and from where on reads are exact without the others.
fn newest_of_stripes(all: &RangeTombstones, stripes: &Stripes) -> (Vec<RangeTombstone>, Option<SeqNo>) {
    let (mut kept, mut exact_from): (Vec<RangeTombstone>, _) = (Vec::new(), None);
    // The piece of each stripe that ends where the next stretch begins.
    let mut open: HashMap<usize, usize> = HashMap::new();
    for index in 0..all.stretch_count() {
        let mut below = stripes.floor();
        let mut still_open = HashMap::new();
        loop {
            let stretch = all.stretch_at(index, below);
            let Some(stripe) = stripes.of(stretch.cover).filter(|_| stretch.cover > 0) else { break };
            let end: Slice = stretch.to.unwrap_or_default().into();
            let piece = match open.get(&stripe).filter(|piece| kept[**piece].seqno == stretch.cover) {
                Some(piece) => *piece,
                None => {
                    kept.push(RangeTombstone {
                        start: stretch.from.unwrap_or_default().into(),
                        end: Slice::default(),
                        seqno: stretch.cover,
                    });
                    kept.len() - 1
                }
            };
            kept[piece].end = end;
            still_open.insert(stripe, piece);
            below = stripes.start(stripe);
            let shadowed = all.stretch_at(index, stretch.cover).cover;
            if shadowed > 0 && shadowed >= below {
                exact_from = exact_from.max(Some(stretch.cover + 1));
            }
        }
        open = still_open;
    }
    (kept, exact_from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::Retention;

    fn tombstone(start: &str, end: &str, seqno: SeqNo) -> RangeTombstone {
        RangeTombstone { start: start.into(), end: end.into(), seqno }
    }

    fn kept(inputs: &[RangeTombstone], pins: &[SeqNo], is_older_outside: bool) -> (Vec<RangeTombstone>, Option<SeqNo>) {
        let retention = Retention::Snapshots { pins: pins.to_vec(), horizon: 20, keep_all_from: SeqNo::MAX };
        let ranges =
            Ranges::new(inputs.to_vec(), &Policy::new(&retention, false), &KeyOrder::bytewise(), |_, _| is_older_outside);
        (ranges.kept().iter().cloned().collect(), ranges.exact_from())
    }

    #[test]
    fn the_newest_of_each_stripe_stays_in_one_piece() {
        let inputs = [tombstone("a", "m", 5), tombstone("c", "e", 3), tombstone("m", "p", 5), tombstone("k", "z", 12)];
        let expected = vec![tombstone("a", "p", 5), tombstone("k", "z", 12)];
        assert_eq!(kept(&inputs, &[8], true), (expected, Some(6)), "3 lies under 5, in no reader's sight");
        let expected = vec![tombstone("a", "k", 5), tombstone("k", "z", 12)];
        assert_eq!(kept(&inputs, &[], true), (expected, Some(13)));
    }

    #[test]
    fn those_of_the_lowest_stripe_go_where_nothing_is_older() {
        let inputs = [tombstone("a", "m", 5), tombstone("", "z", 12), tombstone("b", "", 30)];
        assert_eq!(kept(&inputs, &[8], false).0, [tombstone("", "z", 12), tombstone("b", "", 30)]);
        assert_eq!(kept(&inputs, &[], false).0, [tombstone("b", "", 30)]);
        assert_eq!(kept(&inputs, &[], true).0, [tombstone("", "z", 12), tombstone("b", "", 30)]);
    }

    #[test]
    fn all_from_the_floor_on_stay_as_they_are() {
        let inputs = [tombstone("a", "m", 25), tombstone("c", "e", 23), tombstone("a", "m", 20)];
        assert_eq!(kept(&inputs, &[], false), (vec![inputs[0].clone(), inputs[2].clone(), inputs[1].clone()], None));
    }
}
