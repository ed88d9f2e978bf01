//! How fast writers come, as flushes see it: whether compactions gain by waiting.
//!
//! A compaction of level 0 writes again what it meets below, however little it brings. While writers keep flushes busy the next run is
//! there soon, and goes down at the price of one that was due before; readers ask a few runs more until then, and the processors are the
//! writers'. Once writers pause, all of them or those of a tree, nothing is gained any more: what is due is done. How much waits is
//! the strategy's to say.

use sediment_base::TreeId;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

/// Writers are busy who keep flushes at work for this part of the time.
const BUSY_SHARE: f64 = 0.25;
/// Writers pause whose next flush does not end for so many times of what lay between the two before.
const PAUSE: u64 = 2;
/// A tree without a flush for so long is forgotten.
const FORGOTTEN_US: u64 = 60_000_000;

/// When flushes ended lately. Shared.
#[derive(Debug, Default)]
pub(super) struct Tempo(Mutex<Flushes>);

#[derive(Debug, Default)]
struct Flushes {
    of_all: Flow,
    /// Until when writers count as busy.
    busy_until_us: u64,
    of_trees: HashMap<TreeId, Flow>,
}

/// Flushes that follow one another.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    ended_us: Option<u64>,
    /// When another should have ended; not after the one before, where that was the first.
    next_us: u64,
}

impl Tempo {
    /// A flush of a tree ran.
    pub(super) fn flushed(&self, tree: TreeId, began_us: u64, ended_us: u64) {
        let mut flushes = self.flushes();
        let took_us = ended_us.saturating_sub(began_us);
        let between_us = flushes.of_all.note(ended_us);
        let is_busy = between_us.is_some_and(|between_us| took_us as f64 >= between_us as f64 * BUSY_SHARE);
        flushes.busy_until_us = if is_busy { flushes.of_all.next_us } else { 0 };
        flushes.of_trees.entry(tree).or_default().note(ended_us);
        flushes.of_trees.retain(|_, flow| flow.ended_us.is_some_and(|last_us| ended_us.saturating_sub(last_us) < FORGOTTEN_US));
    }

    /// Whether more comes into this tree soon, from busy writers.
    pub(super) fn is_loaded(&self, tree: TreeId, now_us: u64) -> bool {
        let flushes = self.flushes();
        let next_us = flushes.of_trees.get(&tree).map_or(0, |flow| flow.next_us);
        now_us < flushes.busy_until_us.min(next_us)
    }

    /// How long it takes from now on until that is over for a tree, if nothing comes; nothing where it is over for all.
    pub(super) fn until_pause_us(&self, now_us: u64) -> Option<u64> {
        let flushes = self.flushes();
        let until_us = flushes.of_trees.values().map(|flow| flow.next_us.min(flushes.busy_until_us));
        until_us.filter_map(|until_us| until_us.checked_sub(now_us).filter(|us| *us > 0)).min()
    }

    fn flushes(&self) -> MutexGuard<'_, Flushes> {
        self.0.lock().expect("no code panics under this lock")
    }
}

impl Flow {
    /// Another one ended; how long after the one before, if there was one.
    fn note(&mut self, ended_us: u64) -> Option<u64> {
        let between_us = self.ended_us.map(|before_us| ended_us.saturating_sub(before_us));
        *self =
            Self { ended_us: Some(ended_us), next_us: ended_us.saturating_add(between_us.unwrap_or(0).saturating_mul(PAUSE)) };
        between_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: TreeId = TreeId(1);

    #[test]
    fn a_tree_is_loaded_while_writers_keep_flushes_busy() {
        let tempo = Tempo::default();
        let at = |now_us| (tempo.is_loaded(TREE, now_us), tempo.until_pause_us(now_us));
        assert_eq!(at(0), (false, None));
        tempo.flushed(TREE, 1_000, 1_400);
        assert_eq!(at(1_400), (false, None), "one flush says nothing");
        tempo.flushed(TREE, 2_000, 2_400);
        assert_eq!(at(2_400), (true, Some(2_000)), "busy for two fifths");
        assert_eq!([4_399, 4_400].map(at), [(true, Some(1)), (false, None)], "until writers pause");
        tempo.flushed(TREE, 9_000, 9_400);
        assert_eq!(at(9_400), (false, None), "busy for a seventeenth");
        tempo.flushed(TREE, 9_900, 10_400);
        assert_eq!(at(10_400), (true, Some(2_000)), "at once again");
    }

    #[test]
    fn a_tree_is_loaded_that_more_is_written_to_whoever_else_is_busy() {
        let (tempo, other) = (Tempo::default(), TreeId(2));
        tempo.flushed(TREE, 0, 100);
        tempo.flushed(TREE, 100, 200);
        (3..10).for_each(|n| tempo.flushed(other, n * 100, n * 100 + 90));
        assert_eq!([TREE, other].map(|tree| tempo.is_loaded(tree, 990)), [false, true]);
        assert_eq!(tempo.until_pause_us(990), Some(200));
        tempo.flushed(TreeId(3), 990, 1_000);
        assert!(!tempo.is_loaded(TreeId(3), 1_000), "one flush of it says nothing");
        tempo.flushed(other, FORGOTTEN_US, FORGOTTEN_US + 1_000);
        assert_eq!(tempo.flushes().of_trees.len(), 1, "those that were not heard of for long are forgotten");
    }
}
