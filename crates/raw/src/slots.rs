//! Pointer slots: values behind one word each, read under an epoch pin, loaded by one thread for all, taken out by a clock.
//!
//! A reader pins itself, loads the word and follows it: it writes nothing, but for a *frequency* in the word's low bits that it
//! raises, up to 3, where the caller asks for it. An empty slot is *claimed* by one loader; the others may wait for its end. A clock *ages*
//! slots: one that was asked for loses one of its frequency, one that was not loses its value, which goes to a [`Limbo`] until
//! no reader can hold it any more.
//!
//! Values are behind counted pointers, an `Arc` or a [`Shared`](crate::slab::Shared); the slot, and after it the limbo, is one of a value's
//! owners. Under the pin it does not let go, so a reader may always become another owner and keep the value for longer than the pin.
//!
//! That no reader meets a freed value is the argument of [`epoch`](crate::epoch): readers pin before they load the word, sweeps
//! empty the word before they draw the epoch's number, all of it `SeqCst`. Raising a frequency is an exchange that fails if anything
//! has changed; it neither brings a value back nor matters when it is lost.
//!
//! Shared; readers never block.

use crate::{
    epoch::Pin,
    simd::prefetch,
    sync::{
        Arc,
        atomic::{
            AtomicPtr,
            Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
        },
    },
};
use std::{fmt, marker::PhantomData, mem::ManuallyDrop, ops::Deref};
use word::Word;

mod limbo;
mod pointer;
mod word;

pub use limbo::{Limbo, Sweep};
pub use pointer::Pointer;

/// Slots for the values of one owner, each behind a pointer `P`.
pub struct Slots<P: Pointer> {
    words: Box<[AtomicPtr<()>]>,
    limbo: Arc<Limbo<P>>,
    /// Threads that share the slots share what is in them.
    _values: PhantomData<P>,
}

/// A value in its slot, held in place by the thread's pin. Dereferences to the slot's pointer; a clone of that may be kept.
pub struct Resident<'a, P> {
    slot: &'a AtomicPtr<()>,
    seen: Word,
    /// The slot's own, of which this is a borrow.
    value: ManuallyDrop<P>,
    _pin: &'a Pin,
}

/// The right to fill an empty slot. When it goes, the slot holds what was published, or is empty again, also after a panic; if
/// somebody waits, `wake` is called then.
#[must_use = "the slot is empty again once this is dropped"]
pub struct Loader<'a, P: Pointer, W: Fn()> {
    slot: &'a AtomicPtr<()>,
    outcome: Word,
    wake: W,
    _slots: PhantomData<&'a Slots<P>>,
}

impl<P: Pointer> Slots<P> {
    /// The highest frequency that a slot can remember.
    pub const FREQUENCY_MAX: u8 = Word::FREQUENCY_MAX;

    /// So many empty slots, whose values go to `limbo` when they are taken out.
    pub fn new(count: usize, limbo: Arc<Limbo<P>>) -> Self {
        let words = (0..count).map(|_| AtomicPtr::new(Word::EMPTY.0)).collect();
        Self { words, limbo, _values: PhantomData }
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
    pub fn get<'a>(&'a self, index: usize, pin: &'a Pin) -> Option<Resident<'a, P>> {
        let slot = &self.words[index];
        let seen = Word(slot.load(SeqCst));
        let pointer = seen.pointer()?;
        // SAFETY: the pointer came from `into_raw`, and is never dropped here. The slot's right to it is given up by the drop of the
        // slots, which are borrowed, or by their limbo, which they hold, once no pin of before its taking out is left; this
        // thread was pinned before it loaded the word.
        let value = ManuallyDrop::new(unsafe { P::from_raw(pointer) });
        Some(Resident { slot, seen, value, _pin: pin })
    }

    /// Asks for the memory of this slot.
    #[inline]
    pub fn prefetch(&self, index: usize) {
        prefetch(&raw const self.words[index]);
    }

    /// The right to load this slot; none if it has a value or somebody loads it. Whoever waits for the loader's end, by
    /// [`Self::wait_loaded`], is woken by `wake`.
    pub fn claim<W: Fn()>(&self, index: usize, wake: W) -> Option<Loader<'_, P, W>> {
        let slot = &self.words[index];
        let is_claimed = slot.compare_exchange(Word::EMPTY.0, Word::LOADING.0, Acquire, Relaxed).is_ok();
        if is_claimed { Some(Loader { slot, outcome: Word::EMPTY, wake, _slots: PhantomData }) } else { None }
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
    pub fn age<'s>(&self, index: usize, sweep: &'s mut Sweep<'_, P>) -> Option<&'s P> {
        assert!(sweep.is_of(&self.limbo), "slots and sweep have one limbo");
        let slot = &self.words[index];
        let seen = Word(slot.load(SeqCst));
        let pointer = seen.pointer()?;
        if seen.frequency() > 0 {
            // If it fails, somebody has asked for the value at this moment, or another has aged it.
            let _ = slot.compare_exchange(seen.0, seen.colder().0, Relaxed, Relaxed);
            return None;
        }
        slot.compare_exchange(seen.0, Word::EMPTY.0, SeqCst, Relaxed).ok()?;
        // SAFETY: the pointer came from `into_raw`, and the exchange handed the slot's right to this thread alone.
        Some(sweep.push(unsafe { P::from_raw(pointer) }))
    }
}

impl<P: Pointer> Drop for Slots<P> {
    fn drop(&mut self) {
        for slot in &self.words {
            if let Some(pointer) = Word(slot.load(Relaxed)).pointer() {
                // SAFETY: the pointer came from `into_raw` and the slot has the right to it; residents borrow the slots, so
                // nobody reads through this one any more.
                drop(unsafe { P::from_raw(pointer) });
            }
        }
    }
}

impl<P: Pointer> fmt::Debug for Slots<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let residents = self.words.iter().filter(|slot| Word(slot.load(Relaxed)).pointer().is_some()).count();
        write!(f, "Slots({residents} of {} resident)", self.words.len())
    }
}

impl<P> Resident<'_, P> {
    /// Remembers that the value was asked for. Writes nothing once its frequency is at the maximum.
    #[inline]
    pub fn touch(&self) {
        if self.seen.frequency() < Word::FREQUENCY_MAX {
            let _ = self.slot.compare_exchange(self.seen.0, self.seen.warmer().0, Relaxed, Relaxed);
        }
    }

    /// How often it had been asked for lately when it was found.
    pub fn frequency(&self) -> u8 {
        self.seen.frequency()
    }
}

impl<P> Deref for Resident<'_, P> {
    type Target = P;
    #[inline]
    fn deref(&self) -> &P {
        &self.value
    }
}

impl<P: fmt::Debug> fmt::Debug for Resident<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Resident").field(&**self).finish()
    }
}

impl<P: Pointer, W: Fn()> Loader<'_, P, W> {
    /// Fills the slot. The value begins with this frequency, up to the maximum.
    pub fn publish(mut self, value: P, frequency: u8) {
        self.outcome = Word::resident(value.into_raw(), frequency);
    }
}

impl<P: Pointer, W: Fn()> Drop for Loader<'_, P, W> {
    fn drop(&mut self) {
        if Word(self.slot.swap(self.outcome.0, AcqRel)).is_awaited() {
            (self.wake)();
        }
    }
}

impl<P: Pointer, W: Fn()> fmt::Debug for Loader<'_, P, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loader")
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
