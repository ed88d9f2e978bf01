//! `Spares`: memory of those that are gone, for those that come after them.
//!
//! A page that the system gives is cleared first, and where the system is itself a guest its host may have to find one: that took a fifth
//! of the time of writing small rows. What takes memory by the megabyte and lets go of it again and again leaves it here, for the next
//! one to use as it is.
//!
//! Nothing is kept for nobody: what is kept and what is used are together no more than was used at once lately, while the last sixteen left;
//! when the last one goes, nothing is kept. Sixteen, because one more than usual may be wanted every few times: that it found nothing
//! made those wait who wrote into it, for as long as a guest's host takes to find megabytes.

use crate::{
    pages::Memory,
    sync::{Mutex, lock},
};
use std::{
    alloc::Layout,
    cmp::Reverse,
    fmt, mem,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What was used at once while so many left is lately.
const LATELY: usize = 16;

/// Memory that several leave to one another. Shared.
pub struct Spares {
    kept: Mutex<Kept>,
    /// What is kept. Plain even under loom: it orders nothing.
    bytes: AtomicUsize,
}

struct Kept {
    memory: Vec<Memory>,
    /// Who will use up more.
    users: usize,
    /// Bytes that are in use.
    used: usize,
    /// The most that was in use at once since memory came back last, and, newer ones first, between each of the times before.
    peaks: [usize; LATELY],
}

impl Spares {
    /// None.
    pub fn new() -> Self {
        Self {
            kept: Mutex::new(Kept { memory: Vec::new(), users: 0, used: 0, peaks: [0; LATELY] }),
            bytes: AtomicUsize::new(0),
        }
    }

    /// How much is kept, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// One more will use up memory from here, so that it is worth keeping some: until it parts.
    pub(crate) fn join(&self) {
        lock(&self.kept).users += 1;
    }

    /// One who joined takes nothing more.
    pub(crate) fn part(&self) {
        lock(&self.kept).users -= 1;
    }

    /// Memory of this layout, and whether somebody has left something in it.
    pub(crate) fn take(&self, layout: Layout) -> (Memory, bool) {
        let mut kept = lock(&self.kept);
        kept.use_more(layout.size());
        let at = kept.memory.iter().position(|memory| memory.layout() == layout);
        let left = at.map(|at| kept.memory.swap_remove(at));
        self.count(&kept);
        drop(kept);
        left.map_or_else(|| (Memory::new(layout), false), |memory| (memory, true))
    }

    /// All that somebody took comes back. Of what is too much the smallest goes: it costs least to have anew.
    pub(crate) fn leave(&self, mut memory: Vec<Memory>) {
        if memory.is_empty() {
            return;
        }
        memory.sort_unstable_by_key(|memory| Reverse(memory.bytes()));
        let mut kept = lock(&self.kept);
        let total_max = kept.leave(memory.iter().map(Memory::bytes).sum());
        let mut given_back = Vec::new();
        if kept.users == 0 {
            given_back = mem::take(&mut kept.memory);
            given_back.extend(memory);
        } else {
            for memory in memory {
                let has_room = kept.used + kept.bytes() + memory.bytes() <= total_max;
                if has_room { kept.memory.push(memory) } else { given_back.push(memory) }
            }
        }
        self.count(&kept);
        drop(kept);
        // The system takes its time, which nobody waits for.
        drop(given_back);
    }

    fn count(&self, kept: &Kept) {
        self.bytes.store(kept.bytes(), Relaxed);
    }
}

impl Kept {
    fn use_more(&mut self, bytes: usize) {
        self.used += bytes;
        self.peaks[0] = self.peaks[0].max(self.used);
    }

    /// So much comes back; how much there may be now, used or kept.
    fn leave(&mut self, bytes: usize) -> usize {
        self.used -= bytes;
        let lately = self.peaks.iter().copied().max().unwrap_or(0);
        self.peaks.rotate_right(1);
        self.peaks[0] = self.used;
        lately
    }

    fn bytes(&self) -> usize {
        self.memory.iter().map(Memory::bytes).sum()
    }
}

impl Default for Spares {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Spares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spares({} bytes)", self.bytes())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn layout(kib: usize) -> Layout {
        Layout::from_size_align(kib << 10, 8).expect("small")
    }

    fn leave(spares: &Spares, memory: Vec<Memory>) {
        spares.part();
        spares.leave(memory);
    }

    fn memory(spares: &Spares, kib: usize) -> Memory {
        spares.take(layout(kib)).0
    }

    #[test]
    fn what_one_leaves_is_the_next_ones_while_somebody_is_there() {
        let spares = Spares::new();
        spares.join();
        spares.join();
        let left = [8, 16].map(|kib| memory(&spares, kib));
        let first = left[0].first();
        leave(&spares, Vec::from(left));
        assert_eq!(spares.bytes(), 24 << 10);
        let (other, is_used) = spares.take(layout(4));
        assert!(!is_used, "none of that length");
        let (taken, is_used) = spares.take(layout(8));
        assert_eq!((taken.first(), is_used, taken.layout(), spares.bytes()), (first, true, layout(8), 16 << 10));
        leave(&spares, vec![taken, other]);
        assert_eq!(spares.bytes(), 0, "nobody is left");
    }

    #[test]
    fn there_is_never_more_than_was_used_at_once_lately() {
        let spares = Spares::new();
        (0..5).for_each(|_| spares.join());
        let take = |kib: &[usize]| -> Vec<Memory> { kib.iter().map(|kib| memory(&spares, *kib)).collect() };
        let (first, second) = (take(&[4, 8]), take(&[4, 8]));
        leave(&spares, first);
        leave(&spares, second);
        assert_eq!(spares.bytes(), 24 << 10, "both may be wanted at once again");
        for time in 3..=LATELY + 1 {
            spares.join();
            leave(&spares, take(&[4, 8]));
            let kept = if time <= LATELY { 24 } else { 12 };
            assert_eq!(spares.bytes(), kept << 10, "after {time} have left they were not");
        }
        let fourth = take(&[2, 4, 4, 16]);
        leave(&spares, fourth);
        assert_eq!(spares.bytes(), 26 << 10, "what is large goes first, then what finds room");
        assert_eq!(format!("{spares:?}"), "Spares(26624 bytes)");
    }

    #[test]
    fn who_comes_now_and_then_finds_what_the_last_one_left() {
        let spares = Spares::new();
        let mut new = Vec::new();
        let mut take = |round| {
            spares.join();
            let (memory, is_used) = spares.take(layout(4));
            new.extend((!is_used).then_some(round));
            vec![memory]
        };
        let mut before = take(0);
        for round in 1..50 {
            let now = take(round);
            if round % (LATELY / 2) == 1 {
                leave(&spares, take(round));
            }
            leave(&spares, mem::replace(&mut before, now));
        }
        assert_eq!(new, [0, 1, 1], "no more than at first");
        leave(&spares, before);
    }

    /// One small piece more than is wanted took the room of the largest, which was given back each time that the next one was about to take it.
    #[test]
    fn two_that_follow_each_other_take_nothing_new_whenever_the_first_one_leaves() {
        for leaves_at in 0..4 {
            let spares = Spares::new();
            let (mut new, mut before) = (Vec::new(), Vec::new());
            for round in 0..20 {
                spares.join();
                let mut now = Vec::new();
                let more: &[usize] = if round == 0 { &[4] } else { &[] };
                for (step, kib) in more.iter().chain(&[4, 8, 16, 32]).enumerate() {
                    if step == leaves_at && round > 0 {
                        leave(&spares, mem::take(&mut before));
                    }
                    let (memory, is_used) = spares.take(layout(*kib));
                    now.push(memory);
                    new.extend((!is_used).then_some(round));
                }
                before = now;
            }
            assert!(new.iter().all(|round| *round < 3), "leaving at {leaves_at}: {new:?}");
            leave(&spares, before);
        }
    }
}
