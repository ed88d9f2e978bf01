//! `Limbo`: values that were taken out of slots and may still be read. `Sweep`: taking them out, many at a time.

use crate::{
    epoch::{Pin, oldest_pin, pin, retire},
    sync::{Mutex, lock},
};
use std::{collections::VecDeque, fmt};

/// Values taken out, each kept until no thread is pinned that could have found it in its slot. Shared.
///
/// They go with the next sweep that takes something out, or when somebody calls [`Limbo::collect`]. All slots that share a limbo hold it,
/// so it outlives whoever reads through them.
pub struct Limbo<P> {
    /// With the epochs of their retirement, ascending.
    retired: Mutex<VecDeque<(u64, P)>>,
}

/// A sweep over some slots. The thread is pinned while it lasts: keep it short. What it took out goes to limbo at its end.
pub struct Sweep<'a, P> {
    limbo: &'a Limbo<P>,
    /// So that a value cannot go, and another come to its address, between two looks at a slot. Taken at the end.
    pin: Option<Pin>,
    unlinked: Vec<P>,
}

impl<P> Limbo<P> {
    /// Nothing in it.
    pub fn new() -> Self {
        Self { retired: Mutex::new(VecDeque::new()) }
    }

    /// Begins a sweep over slots that were made with this limbo.
    pub fn sweep(&self) -> Sweep<'_, P> {
        Sweep { limbo: self, pin: Some(pin()), unlinked: Vec::new() }
    }

    /// Frees what no reader can hold any more.
    pub fn collect(&self) {
        self.retire(Vec::new());
    }

    /// Values that are still kept.
    pub fn len(&self) -> usize {
        lock(&self.retired).len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in what is in no slot any more, and frees what it can.
    fn retire(&self, unlinked: Vec<P>) {
        let free: Vec<_> = {
            let mut retired = lock(&self.retired);
            if !unlinked.is_empty() {
                // Under the lock, which keeps the queue in order.
                let epoch = retire();
                retired.extend(unlinked.into_iter().map(|value| (epoch, value)));
            }
            if retired.is_empty() {
                return;
            }
            let oldest = oldest_pin();
            let free = retired.partition_point(|(epoch, _)| *epoch < oldest);
            retired.drain(..free).collect()
        };
        // Outside the lock: dropping the last count may run anything.
        drop(free);
    }
}

impl<P> Default for Limbo<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> fmt::Debug for Limbo<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limbo({} values)", self.len())
    }
}

impl<P> Sweep<'_, P> {
    /// Values taken out so far.
    pub fn unlinked(&self) -> usize {
        self.unlinked.len()
    }

    /// Whether it takes out for this limbo.
    pub(super) fn is_of(&self, limbo: &Limbo<P>) -> bool {
        std::ptr::eq(self.limbo, limbo)
    }

    /// Takes charge of a value that this thread has just taken out of its slot.
    pub(super) fn push(&mut self, value: P) -> &P {
        self.unlinked.push(value);
        &self.unlinked[self.unlinked.len() - 1]
    }
}

impl<P> Drop for Sweep<'_, P> {
    fn drop(&mut self) {
        drop(self.pin.take());
        if !self.unlinked.is_empty() {
            self.limbo.retire(std::mem::take(&mut self.unlinked));
        }
    }
}

impl<P> fmt::Debug for Sweep<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sweep({} unlinked)", self.unlinked.len())
    }
}
