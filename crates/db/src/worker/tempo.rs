//! How writers come, as flushes see it: whether compactions gain by waiting.
//!
//! A compaction of level 0 writes again what it meets below, however little it brings. While writers go on the next run is there soon, and
//! goes down at the price of one that was due before. Once writers of a tree pause, nothing is gained any more: what is due is
//! done. How much waits meanwhile is the strategy's to say.

use sediment_base::TreeId;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

/// Writers pause whose next flush does not end for so many times of what lies between two.
const PAUSE: u64 = 2;
/// What lies between two is taken to be as much as last time, or, if that was more before, as that less such a part: memtables that had to
/// wait are flushed one right after the other.
const FADING: u64 = 4;
/// Flushes that are further apart do not follow one another.
const APART_US: u64 = 20_000_000;

/// When flushes ended lately. Shared.
#[derive(Debug, Default)]
pub(super) struct Tempo(Mutex<HashMap<TreeId, Flow>>);

/// Flushes of a tree that follow one another.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    ended_us: u64,
    /// What is taken to lie between two; 0 after the first.
    between_us: u64,
}

impl Tempo {
    /// A flush of a tree ended.
    pub(super) fn flushed(&self, tree: TreeId, ended_us: u64) {
        let mut flows = self.flows();
        // Forgotten, where they do not follow one another any more.
        flows.retain(|_, flow| ended_us.saturating_sub(flow.ended_us) < APART_US);
        let between_us = flows.get(&tree).map_or(0, |before| before.between_us(ended_us));
        flows.insert(tree, Flow { ended_us, between_us });
    }

    /// Whether more comes into this tree soon.
    pub(super) fn expects_more(&self, tree: TreeId, now_us: u64) -> bool {
        self.flows().get(&tree).is_some_and(|flow| flow.left_us(now_us).is_some())
    }

    /// How long it takes from now on until that is over for the first tree of which more is expected, if nothing comes; nothing without
    /// one.
    pub(super) fn until_pause_us(&self, now_us: u64) -> Option<u64> {
        self.flows().values().filter_map(|flow| flow.left_us(now_us)).min()
    }

    /// How long it takes from now on until that is over for all trees, if nothing comes; nothing where it is.
    pub(super) fn until_rest_us(&self, now_us: u64) -> Option<u64> {
        self.flows().values().filter_map(|flow| flow.left_us(now_us)).max()
    }

    fn flows(&self) -> MutexGuard<'_, HashMap<TreeId, Flow>> {
        self.0.lock().expect("no code panics under this lock")
    }
}

impl Flow {
    /// What is taken to lie between two once another has ended.
    fn between_us(self, ended_us: u64) -> u64 {
        ended_us.saturating_sub(self.ended_us).max(self.between_us - self.between_us / FADING)
    }

    /// How long another may still take; nothing where it should have ended, or none is expected.
    fn left_us(&self, now_us: u64) -> Option<u64> {
        let until_us = self.ended_us.saturating_add(self.between_us * PAUSE);
        until_us.checked_sub(now_us).filter(|us| *us > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: TreeId = TreeId(1);

    #[test]
    fn more_is_expected_while_flushes_follow_one_another() {
        let tempo = Tempo::default();
        let at = |now_us| (tempo.expects_more(TREE, now_us), tempo.until_pause_us(now_us));
        assert_eq!(at(0), (false, None));
        tempo.flushed(TREE, 1_400);
        assert_eq!(at(1_400), (false, None), "one flush says nothing");
        tempo.flushed(TREE, 2_400);
        assert_eq!(at(2_400), (true, Some(2_000)));
        assert_eq!([4_399, 4_400].map(at), [(true, Some(1)), (false, None)], "until writers pause");
        tempo.flushed(TREE, 9_400);
        assert_eq!(at(9_400), (true, Some(14_000)), "more seldom");
        tempo.flushed(TREE, 9_400 + APART_US);
        assert_eq!(at(9_400 + APART_US), (false, None), "too seldom");
        tempo.flushed(TREE, 9_500 + APART_US);
        assert_eq!(at(9_500 + APART_US), (true, Some(200)), "at once again");
    }

    #[test]
    fn two_flushes_in_a_row_are_no_faster_writer() {
        let tempo = Tempo::default();
        [0, 1000, 1010].into_iter().for_each(|ended_us| tempo.flushed(TREE, ended_us));
        assert_eq!(tempo.until_pause_us(1010), Some(1500));
        (2..20).for_each(|n| tempo.flushed(TREE, 1000 + n * 10));
        assert!(tempo.until_pause_us(1190).is_some_and(|us| us < 30), "many are");
    }

    #[test]
    fn trees_have_each_a_tempo_of_their_own() {
        let (tempo, other) = (Tempo::default(), TreeId(2));
        tempo.flushed(TREE, 100);
        tempo.flushed(TREE, 200);
        (3..10).for_each(|n| tempo.flushed(other, n * 100 + 90));
        assert_eq!([TREE, other].map(|tree| tempo.expects_more(tree, 990)), [false, true]);
        assert_eq!(tempo.until_pause_us(990), Some(200));
        assert_eq!(tempo.until_rest_us(990), Some(200));
        tempo.flushed(TREE, 1_000);
        assert_eq!((tempo.until_pause_us(1_000), tempo.until_rest_us(1_000)), (Some(190), Some(1_600)));
        assert_eq!([1_190, 2_600].map(|now_us| tempo.until_rest_us(now_us)), [Some(1_410), None]);
        tempo.flushed(TreeId(3), 1_000);
        assert!(!tempo.expects_more(TreeId(3), 1_000), "one flush of it says nothing");
        tempo.flushed(other, APART_US + 1_000);
        assert_eq!(tempo.flows().len(), 1, "those that were not heard of for long are forgotten");
    }
}
