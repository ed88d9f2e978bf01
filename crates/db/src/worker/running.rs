//! Whose turn it is to do maintenance, where there are no threads for it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
    thread::{self, ThreadId},
};

/// Held by the thread that does maintenance. A listener that this thread tells of it may write: its turn counts for that too.
#[derive(Debug, Default)]
pub(super) struct Running {
    turn: Mutex<()>,
    owner: Mutex<Option<ThreadId>>,
}

/// The turn, until dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    running: &'a Running,
    _turn: MutexGuard<'a, ()>,
}

impl Running {
    /// Waits for the turn.
    pub(super) fn enter(&self) -> Turn<'_> {
        self.begin(self.turn.lock().expect("maintenance does not panic"))
    }

    /// Takes the turn if nobody has it.
    pub(super) fn try_enter(&self) -> Option<Turn<'_>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(self.begin(turn)),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(_)) => panic!("maintenance panicked on another thread"),
        }
    }

    /// Whether the calling thread has it.
    pub(super) fn is_mine(&self) -> bool {
        *self.owner() == Some(thread::current().id())
    }

    fn begin<'a>(&'a self, turn: MutexGuard<'a, ()>) -> Turn<'a> {
        *self.owner() = Some(thread::current().id());
        Turn { running: self, _turn: turn }
    }

    fn owner(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.running.owner() = None;
    }
}
