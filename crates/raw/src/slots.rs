//! Pointer slots: values behind one word each, read under an epoch pin, loaded by one thread for all, taken out by a clock.
//!
//! A reader pins itself, loads the word and follows it: it writes nothing, but for a *frequency* in the word's low bits that it
//! raises, up to 3, where the caller asks for it. An empty slot is *claimed* by one loader; the others may wait for its end. A clock *ages*
//! slots: one that was asked for loses one of its frequency, one that was not loses its value, which goes to a [`Limbo`] until
//! no reader can hold it any more.
//!
//! Values are `Arc`s, of which the slot, and after it the limbo, owns one count. Under the pin that count is not given up, so a reader may
//! always take another and keep the value for longer than the pin.
//!
//! That no reader meets a freed value is the argument of [`epoch`](crate::epoch): readers pin before they load the word, sweeps
//! empty the word before they draw the epoch's number, all of it `SeqCst`. Raising a frequency is an exchange that fails if anything
//! has changed; it neither brings a value back nor matters when it is lost.
//!
//! Shared; readers never block.

use crate::{
    epoch::Pin,
    sync::{
        Arc,
        atomic::{
            AtomicPtr,
            Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
        },
    },
};
use std::{fmt, ops::Deref};
use word::Word;

mod limbo;
mod word;

pub use limbo::{Limbo, Sweep};

/// Slots for values of one owner. `V` is aligned to 8 bytes or more.
pub struct Slots<V> {
    words: Box<[AtomicPtr<V>]>,
    limbo: Arc<Limbo<V>>,
}

/// A value in its slot, held in place by the thread's pin.
pub struct Resident<'a, V> {
    slot: &'a AtomicPtr<V>,
    seen: Word<V>,
    _pin: &'a Pin,
}

/// The right to fill an empty slot. When it goes, the slot holds what was published, or is empty again, also after a panic; if
/// somebody waits, `wake` is called then.
#[must_use = "the slot is empty again once this is dropped"]
pub struct Loader<'a, V, W: Fn()> {
    slot: &'a AtomicPtr<V>,
    outcome: Word<V>,
    wake: W,
}

impl<V> Slots<V> {
    /// The highest frequency that a slot can remember.
    pub const FREQUENCY_MAX: u8 = Word::<V>::FREQUENCY_MAX;

    /// So many empty slots, whose values go to `limbo` when they are taken out.
    pub fn new(count: usize, limbo: Arc<Limbo<V>>) -> Self {
        Self { words: (0..count).map(|_| AtomicPtr::new(Word::EMPTY.0)).collect(), limbo }
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The value in this slot, if it has one. Panics beyond the last slot, as all here that take an index.
    #[inline]
    pub fn get<'a>(&'a self, index: usize, pin: &'a Pin) -> Option<Resident<'a, V>> {
        let slot = &self.words[index];
        let seen = Word(slot.load(SeqCst));
        if seen.is_resident() { Some(Resident { slot, seen, _pin: pin }) } else { None }
    }

    /// The right to load this slot; none if it has a value or somebody loads it. Whoever waits for the loader's end, by
    /// [`Self::wait_loaded`], is woken by `wake`.
    pub fn claim<W: Fn()>(&self, index: usize, wake: W) -> Option<Loader<'_, V, W>> {
        let slot = &self.words[index];
        let is_claimed = slot.compare_exchange(Word::EMPTY.0, Word::LOADING.0, Acquire, Relaxed).is_ok();
        if is_claimed { Some(Loader { slot, outcome: Word::EMPTY, wake }) } else { None }
    }

    /// Waits, by `wait`, while somebody loads this slot. `wait` returns once what it is given holds, which it asks again after each
    /// wake. The load may have failed.
    pub fn wait_loaded(&self, index: usize, wait: impl FnOnce(&mut dyn FnMut() -> bool)) {
        let slot = &self.words[index];
        wait(&mut || {
            let mut seen = Word(slot.load(Acquire));
            while seen.is_loading() && !seen.is_awaited() {
                // An exchange that fails has met another waiter, or the end of the load.
                seen = match slot.compare_exchange(seen.0, Word::AWAITED.0, Relaxed, Acquire) {
                    Ok(_) => Word::AWAITED,
                    Err(now) => Word(now),
                };
            }
            !seen.is_loading()
        });
    }

    /// The clock's step: a value that was asked for lately loses one of its frequency, one that was not is taken out and shown. Panics if
    /// the sweep is of another limbo.
    pub fn age<'s>(&self, index: usize, sweep: &'s mut Sweep<'_, V>) -> Option<&'s V> {
        assert!(sweep.is_of(&self.limbo), "slots and sweep have one limbo");
        let slot = &self.words[index];
        let seen = Word(slot.load(SeqCst));
        if !seen.is_resident() {
            return None;
        }
        if seen.frequency() > 0 {
            // If it fails, somebody has asked for the value at this moment, or another has aged it.
            let _ = slot.compare_exchange(seen.0, seen.colder().0, Relaxed, Relaxed);
            return None;
        }
        slot.compare_exchange(seen.0, Word::EMPTY.0, SeqCst, Relaxed).ok()?;
        // SAFETY: the pointer came from `Arc::into_raw`, and the exchange handed the slot's count to this thread alone.
        Some(sweep.push(unsafe { Arc::from_raw(seen.pointer()) }))
    }
}

impl<V> Drop for Slots<V> {
    fn drop(&mut self) {
        for slot in &self.words {
            let word = Word(slot.load(Relaxed));
            if word.is_resident() {
                // SAFETY: the pointer came from `Arc::into_raw` and the slot owns its count; residents borrow the slots, so
                // nobody reads through this one any more.
                drop(unsafe { Arc::from_raw(word.pointer()) });
            }
        }
    }
}

impl<V> fmt::Debug for Slots<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let residents = self.words.iter().filter(|slot| Word(slot.load(Relaxed)).is_resident()).count();
        write!(f, "Slots({residents} of {} resident)", self.words.len())
    }
}

impl<V> Resident<'_, V> {
    /// Remembers that the value was asked for. Writes nothing once its frequency is at the maximum.
    #[inline]
    pub fn touch(&self) {
        if self.seen.frequency() < Slots::<V>::FREQUENCY_MAX {
            let _ = self.slot.compare_exchange(self.seen.0, self.seen.warmer().0, Relaxed, Relaxed);
        }
    }

    /// How often it had been asked for lately when it was found.
    pub fn frequency(&self) -> u8 {
        self.seen.frequency()
    }

    /// The value, to keep.
    #[inline]
    pub fn to_arc(&self) -> Arc<V> {
        let value = self.seen.pointer();
        // SAFETY: `value` came from `Arc::into_raw`, and the pin keeps its count above zero: see `deref`.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }
}

impl<V> Deref for Resident<'_, V> {
    type Target = V;
    #[inline]
    fn deref(&self) -> &V {
        // SAFETY: the pointer came from `Arc::into_raw`. The slot's count behind it is given up by the drop of the slots,
        // which are borrowed, or by their limbo, which they hold, once no pin of before its taking out is left; this thread
        // was pinned before it loaded the word.
        unsafe { &*self.seen.pointer() }
    }
}

impl<V: fmt::Debug> fmt::Debug for Resident<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resident").field(&**self).finish()
    }
}

impl<V, W: Fn()> Loader<'_, V, W> {
    /// Fills the slot. The value begins with this frequency, up to the maximum.
    pub fn publish(mut self, value: Arc<V>, frequency: u8) {
        self.outcome = Word::resident(Arc::into_raw(value), frequency);
    }
}

impl<V, W: Fn()> Drop for Loader<'_, V, W> {
    fn drop(&mut self) {
        if Word(self.slot.swap(self.outcome.0, AcqRel)).is_awaited() {
            (self.wake)();
        }
    }
}

impl<V, W: Fn()> fmt::Debug for Loader<'_, V, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loader")
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
