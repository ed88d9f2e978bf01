//! Taking the lead: of many who want the same done, one does it for all.
//!
//! Each has something that waits to be decided. Whoever takes the lead decides everything that waits, also what others have brought,
//! and then gives the lead away; the others wait until theirs is decided or the lead is free. A decision that is made just before the
//! lead becomes free must not leave it with somebody who has nothing to do: [`Lead::turn`] sees to that.

use crate::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};

/// Whether somebody leads. Shared.
#[derive(Debug, Default)]
pub struct Lead {
    is_taken: AtomicBool,
}

impl Lead {
    /// Nobody leads.
    pub fn new() -> Self {
        Self { is_taken: AtomicBool::new(false) }
    }

    /// Takes the lead, if it is free. What the one before did is seen.
    pub fn take(&self) -> bool {
        !self.is_taken.load(Relaxed) && self.is_taken.compare_exchange(false, true, Acquire, Relaxed).is_ok()
    }

    /// Whether somebody has it. If not, what the one before did is seen; that nobody takes it next has to be seen to by other means.
    pub fn is_taken(&self) -> bool {
        self.is_taken.load(Acquire)
    }

    /// Gives the lead away; the caller has it, and wakes those who wait.
    pub fn give(&self) {
        self.is_taken.store(false, Release);
    }

    /// Waits, by `wait`, until `is_decided` holds or the lead is the caller's: `true`, and it has to be given away. `wait` returns once
    /// what it is given holds; whoever decides or gives the lead away wakes it.
    pub fn turn(&self, is_decided: impl Fn() -> bool, wait: impl FnOnce(&mut dyn FnMut() -> bool)) -> bool {
        let mut leads = false;
        wait(&mut || {
            leads = leads || !is_decided() && self.take();
            leads || is_decided()
        });
        leads
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_had_by_one_and_not_by_whom_it_does_not_concern() {
        let lead = Lead::new();
        let at_once = |is_over: &mut dyn FnMut() -> bool| assert!(is_over());
        assert!(lead.turn(|| false, at_once));
        assert!(!lead.take());
        assert!(!lead.turn(|| true, at_once));
        lead.give();
        assert!(!lead.turn(|| true, at_once), "nothing is left to do");
        assert!(lead.take());
    }
}
