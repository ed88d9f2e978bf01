//! Which tables and key ranges running compactions have taken.

use super::plan::Plan;
use crate::version::TableFile;
use sediment_base::{KeyOrder, KeyRange, TableId};
use sediment_env::Park;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is taken, as a planner sees it.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    /// Tables, and the level where each goes.
    tables: HashMap<TableId, usize>,
    /// Where tables are about to appear.
    targets: Vec<Target>,
    /// Somebody waits to have the whole tree: nothing more is given.
    is_claimed: bool,
    next_ticket: u64,
}

#[derive(Debug)]
struct Target {
    ticket: u64,
    level: usize,
    range: KeyRange,
}

impl Busy {
    /// Whether a table is taken.
    pub(crate) fn has(&self, id: TableId) -> bool {
        self.tables.contains_key(&id)
    }

    /// Whether nothing is taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The tables that are taken.
    pub(crate) fn taken(&self) -> impl Iterator<Item = TableId> {
        self.tables.keys().copied()
    }

    /// Whether a table is about to leave this level.
    pub(crate) fn takes_from(&self, level: usize, file: &TableFile) -> bool {
        self.tables.get(&file.meta.id).is_some_and(|target| *target > level)
    }

    /// Whether tables are about to appear in this range of a level.
    pub(crate) fn is_target(&self, level: usize, range: &KeyRange, order: &KeyOrder) -> bool {
        self.targets.iter().any(|target| target.level == level && target.range.overlaps(range, order))
    }

    /// Marks what a plan needs as taken.
    pub(crate) fn take(&mut self, plan: &Plan) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.tables.extend(plan.tables().map(|id| (id, plan.target)));
        self.targets.push(Target { ticket, level: plan.target, range: plan.range.clone() });
        ticket
    }
}

/// The book of a tree. Shared.
pub(crate) struct Reservations {
    busy: Mutex<Busy>,
    park: Arc<dyn Park>,
}

impl Reservations {
    pub(crate) fn new(park: Arc<dyn Park>) -> Arc<Self> {
        Arc::new(Self { busy: Mutex::default(), park })
    }

    /// Asks `pick` for a plan, and reserves it in the same breath.
    pub(crate) fn reserve(self: &Arc<Self>, pick: impl FnOnce(&Busy) -> Option<Plan>) -> Option<Plan> {
        let mut busy = self.lock();
        if busy.is_claimed {
            return None;
        }
        let plan = pick(&busy)?;
        Some(self.enter(&mut busy, plan))
    }

    /// Waits until nothing is taken, and then reserves what `pick` wants; nobody else gets anything meanwhile.
    pub(crate) fn reserve_alone(self: &Arc<Self>, pick: impl FnOnce() -> Option<Plan>) -> Option<Plan> {
        let mut has_claim = false;
        self.park.wait_until(&mut || {
            let mut busy = self.lock();
            if !has_claim && !busy.is_claimed {
                (has_claim, busy.is_claimed) = (true, true);
            }
            has_claim && busy.targets.is_empty()
        });
        let mut busy = self.lock();
        busy.is_claimed = false;
        let plan = pick().map(|plan| self.enter(&mut busy, plan));
        drop(busy);
        self.park.wake_all();
        plan
    }

    fn enter(self: &Arc<Self>, busy: &mut Busy, mut plan: Plan) -> Plan {
        let ticket = busy.take(&plan);
        plan.reservation = Some(Reservation { book: Arc::clone(self), ticket, tables: plan.tables().collect() });
        plan
    }

    fn lock(&self) -> MutexGuard<'_, Busy> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Reservations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservations").field("busy", &*self.lock()).finish_non_exhaustive()
    }
}

/// What one plan has taken; given back on drop.
pub(crate) struct Reservation {
    book: Arc<Reservations>,
    ticket: u64,
    tables: Vec<TableId>,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut busy = self.book.lock();
        for id in &self.tables {
            busy.tables.remove(id);
        }
        busy.targets.retain(|target| target.ticket != self.ticket);
        drop(busy);
        self.book.park.wake_all();
    }
}
