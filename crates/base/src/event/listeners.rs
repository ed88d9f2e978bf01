//! `Listeners`: those who are told of events.

use super::kinds::{Event, EventListener};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Those who are told of events, in the order in which they were given. Shared.
#[derive(Default)]
pub struct Listeners {
    listeners: Vec<Arc<dyn EventListener>>,
    panics: AtomicU64,
}

impl Listeners {
    /// These listeners; none is fine.
    pub fn new(listeners: Vec<Arc<dyn EventListener>>) -> Self {
        Self { listeners, panics: AtomicU64::new(0) }
    }

    /// Whether nobody listens.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    /// Tells everybody, one after another, of the event that `make` gives. Where nobody listens, it is not made. To be called
    /// without any lock that a read or a write needs.
    #[inline]
    pub fn tell<E: Event>(&self, make: impl FnOnce() -> E) {
        if !self.is_empty() {
            self.tell_all(&make());
        }
    }

    /// Tells everybody of an event that was made before.
    pub fn tell_made(&self, event: &dyn Event) {
        self.tell_all(event);
    }

    /// How many calls ended with a panic.
    pub fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    #[cold]
    fn tell_all(&self, event: &dyn Event) {
        for listener in &self.listeners {
            // Whatever state the listener is left in is its own; the event is only read.
            if catch_unwind(AssertUnwindSafe(|| event.tell(&**listener))).is_err() {
                self.panics.fetch_add(1, Relaxed);
            }
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listeners({})", self.listeners.len())
    }
}
