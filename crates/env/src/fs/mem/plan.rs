//! `CrashPlan`: which images of a crash point are worth making.
//!
//! The certain outcomes come first (killed, nothing unsynced survived), then one op more or less than that, then torn last
//! writes and lengths on their own, then random parts. Outcomes that the state of the disk makes equal are named once.

use super::{
    disk::Edit,
    image::{ImageName, Rule, Variant},
    op::Op,
    replay::{Change, Replay},
};
use crate::random::SeededRandom;
use std::path::Path;

/// How thoroughly to enumerate the images of each crash point. Plain data: start from a preset and change it.
#[derive(Clone, Debug)]
pub struct CrashPlan {
    /// The promises to try; the first one also gets the images to which rules do not matter.
    pub rules: Vec<Rule>,
    /// How many of the newest unsynced ops are dropped, and kept, each on its own.
    pub singles_back: usize,
    /// Random parts per point and rule.
    pub subsets: usize,
    /// Cuts of a last write, at most; where there are more candidates, some are drawn, the first and last among them.
    pub cuts: usize,
    /// Whether a last write to this file is cut at any byte; otherwise only at multiples of 512 in the file.
    pub every_byte_of_last_write_for: fn(&Path) -> bool,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl CrashPlan {
    /// Each change in CI: about forty images a point while much is unsynced.
    pub fn ci() -> Self {
        Self {
            rules: vec![Rule::PosixStrict, Rule::Ext4Ordered, Rule::RenameBeforeData],
            singles_back: 16,
            subsets: 4,
            cuts: 8,
            every_byte_of_last_write_for: |_| true,
            seed: 0,
        }
    }

    /// Long runs.
    pub fn soak() -> Self {
        Self { singles_back: 64, subsets: 64, cuts: 512, ..Self::ci() }
    }

    /// The images of a crash of `replay`, whose last op was `last`.
    pub(super) fn names(&self, replay: &Replay, last: Option<(&Op, &Path)>) -> Vec<ImageName> {
        let mut names = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let mut add = |variant| names.push(ImageName { point: replay.at, rule: *rule, variant });
            if index == 0 {
                add(Variant::Killed);
                if !replay.lost.is_empty() {
                    add(Variant::AllKept);
                }
            }
            let has_names = replay.pending.iter().any(|pending| pending.change.edited().is_none());
            if replay.pending.is_empty() || (*rule != Rule::PosixStrict && !has_names) {
                continue;
            }
            add(Variant::SyncedOnly);
            self.singles(replay, *rule, &mut add);
            if *rule != Rule::Ext4Ordered {
                self.lengths(replay, &mut add);
            }
            if let (0, Some((op, path))) = (index, last) {
                self.torn(replay.at, op, path, &mut add);
            }
            self.subsets(replay, index, &mut add);
        }
        names
    }

    fn singles(&self, replay: &Replay, rule: Rule, add: &mut dyn FnMut(Variant)) {
        let is_open = |change: &Change| rule != Rule::RenameBeforeData || change.edited().is_some();
        let mut ops: Vec<_> = replay.pending.iter().filter(|pending| is_open(&pending.change)).collect();
        ops.dedup_by_key(|pending| pending.op);
        let all = ops.len();
        for pending in ops.iter().rev().take(self.singles_back) {
            if all > 1 {
                add(Variant::Dropped(pending.op));
            }
            // The bytes of a file that has no durable name are not to be seen on their own.
            let is_seen = pending.change.edited().is_none_or(|inode| replay.durable.links(inode) > 0);
            if all > 2 && is_seen && rule != Rule::Ext4Ordered {
                add(Variant::Alone(pending.op));
            }
        }
    }

    fn lengths(&self, replay: &Replay, add: &mut dyn FnMut(Variant)) {
        let grows = |change: &Change| match change {
            Change::Edit { inode, .. } => {
                let len = |content: Option<&super::content::Content>| content.map_or(0, |content| content.len());
                len(replay.visible.content(*inode)) != len(replay.durable.content(*inode))
            }
            Change::Names { .. } => false,
        };
        if replay.pending.iter().any(|pending| grows(&pending.change)) {
            add(Variant::LengthsLost);
            add(Variant::LengthsKept);
        }
    }

    fn torn(&self, point: usize, last: &Op, path: &Path, add: &mut dyn FnMut(Variant)) {
        let Op::Edit { edit: Edit::Write { offset, bytes }, .. } = last else { return };
        let mut cuts: Vec<usize> = if (self.every_byte_of_last_write_for)(path) {
            (1..bytes.len()).collect()
        } else {
            let first = (offset / SECTOR_BYTES + 1) * SECTOR_BYTES - offset;
            (first as usize..bytes.len()).step_by(SECTOR_BYTES as usize).collect()
        };
        if cuts.len() > self.cuts {
            let random = SeededRandom::new(self.seed ^ point as u64);
            let ends = [cuts.pop(), (!cuts.is_empty()).then(|| cuts.remove(0))];
            let mut drawn: Vec<usize> = ends.into_iter().flatten().take(self.cuts).collect();
            while drawn.len() < self.cuts {
                drawn.push(cuts.swap_remove(random.below(cuts.len() as u64) as usize));
            }
            cuts = drawn;
        }
        cuts.into_iter().for_each(|cut| add(Variant::Torn(cut)));
    }

    fn subsets(&self, replay: &Replay, rule_index: usize, add: &mut dyn FnMut(Variant)) {
        let parts = |change: &Change| match change {
            Change::Edit { edit: Edit::Write { bytes, .. }, .. } => 1 + bytes.len() / SECTOR_BYTES as usize,
            _ => 1,
        };
        if replay.pending.iter().map(|pending| parts(&pending.change)).sum::<usize>() < 2 {
            return;
        }
        let random = SeededRandom::new(self.seed ^ ((replay.at as u64) << 8 | rule_index as u64));
        for index in 0..self.subsets {
            let block = if index % 2 == 0 { 512 } else { 4096 };
            add(Variant::Subset { block, seed: random.next() >> 32 });
        }
    }
}

const SECTOR_BYTES: u64 = 512;
