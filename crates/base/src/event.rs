//! Events: what a database does on its own, told to whoever wants to know.
//!
//! An [`EventListener`] has a method for each kind of event, empty unless it is written; [`Listeners`] tells all of them. Events say
//! that something *has* happened, and come on the thread that did it. The rules for listeners:
//!
//! * Return soon. The work that an event is about waits for its listeners.
//! * No lock that a read or a write needs is held, so a listener may read, write and ask for statistics. But the job that
//!   an event tells of may still count as under way: a listener must not flush, compact or close, which wait for it.
//! * Events of one thread come in the order in which things happened; listeners are called in the order in which they were given.
//!   Events of several threads may overlap.
//! * A panic ends with its listener: the database goes on, the other listeners are told. (Where panics abort the process, so do
//!   these.)

mod kinds;
mod listeners;

pub use kinds::{
    CompactionBegan, CompactionEnded, Event, EventListener, FlushBegan, FlushEnded, NoSpaceBegan, NoSpaceEnded, PaceChanged,
    Poisoned, StatsTaken, StopReason, TableCreated, TableDeleted, WalFileBegun, WalFileRemoved, WritesResumed, WritesStopped,
};
pub use listeners::Listeners;

#[cfg(test)]
mod tests;
