//! `Charge`: bytes of an account that are given back when their holder goes.

use super::{Account, MemoryBudget};
use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{AcqRel, Relaxed},
    },
};

/// Bytes charged to an account until this is dropped. May be resized from any thread.
#[derive(Debug)]
pub struct Charge {
    budget: Arc<MemoryBudget>,
    account: Account,
    bytes: AtomicU64,
}

impl Charge {
    /// Charges so many bytes.
    pub fn new(budget: &Arc<MemoryBudget>, account: Account, bytes: u64) -> Self {
        budget.charge(account, bytes);
        Self { budget: Arc::clone(budget), account, bytes: AtomicU64::new(bytes) }
    }

    /// The bytes charged.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Which budget it is of.
    pub fn budget(&self) -> &Arc<MemoryBudget> {
        &self.budget
    }

    /// Charges so many bytes instead. Of calls at the same time, one is the last.
    pub fn resize(&self, bytes: u64) {
        self.change(|_| Some(bytes));
    }

    /// Charges at least so many bytes. Cheap where they are charged already.
    #[inline]
    pub fn grow_to(&self, bytes: u64) {
        if bytes > self.bytes() {
            self.change(|before| (bytes > before).then_some(bytes));
        }
    }

    /// Goes from what is charged to what `wanted` makes of it. The account is charged before the new figure can be seen, and
    /// released after: so nobody who resizes meanwhile gives back what is not yet there.
    fn change(&self, wanted: impl Fn(u64) -> Option<u64>) {
        let mut before = self.bytes();
        while let Some(after) = wanted(before) {
            let growth = after.saturating_sub(before);
            self.budget.charge(self.account, growth);
            match self.bytes.compare_exchange_weak(before, after, AcqRel, Relaxed) {
                Ok(_) => return self.budget.release(self.account, before.saturating_sub(after)),
                Err(found) => before = found,
            }
            self.budget.release(self.account, growth);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.release(self.account, *self.bytes.get_mut());
    }
}
