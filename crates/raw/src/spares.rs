//! `Spares`: memory of those that are gone, for those that come after them.
//!
//! A page that the system gives is cleared first, and where the system is itself a guest its host may have to find one: that took a fifth
//! of the time of writing small rows. What takes memory by the megabyte and lets go of it again and again leaves it here, for the next
//! one to use as it is.
//!
//! Nothing is kept for nobody: while others use memory from here, at most as much as the last one left; when the last one goes, nothing.

use crate::{
    pages::Memory,
    sync::{Mutex, lock},
};
use std::{
    alloc::Layout,
    fmt, mem,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Memory that several leave to one another. Shared.
pub struct Spares {
    kept: Mutex<Kept>,
    /// What is kept. Plain even under loom: it orders nothing.
    bytes: AtomicUsize,
}

struct Kept {
    memory: Vec<Memory>,
    users: usize,
}

impl Spares {
    /// None.
    pub fn new() -> Self {
        Self { kept: Mutex::new(Kept { memory: Vec::new(), users: 0 }), bytes: AtomicUsize::new(0) }
    }

    /// How much is kept, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// One more uses memory from here: until it leaves.
    pub(crate) fn join(&self) {
        lock(&self.kept).users += 1;
    }

    /// Memory of this layout, with what was left in it; none where none is kept.
    pub(crate) fn take(&self, layout: Layout) -> Option<Memory> {
        let mut kept = lock(&self.kept);
        let at = kept.memory.iter().position(|memory| memory.layout() == layout)?;
        let memory = kept.memory.swap_remove(at);
        self.count(&kept);
        Some(memory)
    }

    /// One who joined leaves, and with it what it had, what is wanted most first.
    pub(crate) fn leave(&self, memory: Vec<Memory>) {
        let bytes_max: usize = memory.iter().map(Memory::bytes).sum();
        let mut kept = lock(&self.kept);
        kept.users -= 1;
        let mut given_back = Vec::new();
        if kept.users == 0 {
            given_back = mem::take(&mut kept.memory);
            given_back.extend(memory);
        } else {
            for memory in memory {
                let has_room = kept.bytes() + memory.bytes() <= bytes_max;
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

    fn memory(kib: usize) -> Memory {
        Memory::new(layout(kib))
    }

    #[test]
    fn what_one_leaves_is_the_next_ones_while_somebody_is_there() {
        let spares = Spares::new();
        spares.join();
        spares.join();
        let left = memory(8);
        let first = left.first();
        spares.leave(vec![left, memory(16)]);
        assert_eq!(spares.bytes(), 24 << 10);
        assert!(spares.take(layout(4)).is_none(), "none of that length");
        let taken = spares.take(layout(8)).expect("kept");
        assert_eq!((taken.first(), taken.layout(), spares.bytes()), (first, layout(8), 16 << 10));
        spares.leave(vec![taken]);
        assert_eq!(spares.bytes(), 0, "nobody is left");
    }

    #[test]
    fn no_more_is_kept_than_the_last_one_left() {
        let spares = Spares::new();
        (0..4).for_each(|_| spares.join());
        spares.leave(vec![memory(4), memory(8)]);
        spares.leave(vec![memory(4), memory(8)]);
        assert_eq!(spares.bytes(), 12 << 10);
        spares.leave(vec![memory(4), memory(16)]);
        assert_eq!(spares.bytes(), 16 << 10, "what comes first is kept first");
        assert_eq!(format!("{spares:?}"), "Spares(16384 bytes)");
    }
}
