//! Sequence numbers, and who gives them.

use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// When something was written. A read at `S` sees what has a lower one.
pub type SeqNo = u64;

/// The largest number: legal only to read at. The bit above it is reserved for a layer of transactions.
pub const MAX_SEQNO: SeqNo = sediment_base::seqno::SEQNO_MAX;

/// Gives numbers to the rows of a caller and to the changes of a tree's structure alike.
///
/// A generator may leave numbers out; it never gives one twice nor a smaller one later, and all stay below [`MAX_SEQNO`].
pub trait SequenceNumberGenerator: Send + Sync + fmt::Debug + UnwindSafe + RefUnwindSafe + 'static {
    /// Takes the next number.
    fn next(&self) -> SeqNo;

    /// The number that [`SequenceNumberGenerator::next`] would give.
    fn get(&self) -> SeqNo;

    /// Goes on from here.
    fn set(&self, value: SeqNo);

    /// Goes on from here, if that is further.
    fn fetch_max(&self, value: SeqNo);
}

/// A generator that several hold.
pub type SharedSequenceNumberGenerator = Arc<dyn SequenceNumberGenerator>;

/// Counts. Clones are the same counter.
#[derive(Clone, Debug, Default)]
pub struct SequenceNumberCounter(Arc<AtomicU64>);

impl SequenceNumberCounter {
    /// A counter whose next number is `prev`. Panics above [`MAX_SEQNO`].
    pub fn new(prev: SeqNo) -> Self {
        Self(Arc::new(AtomicU64::new(checked(prev))))
    }

    /// Takes the next number. Panics when they have run out.
    #[allow(clippy::should_implement_trait, reason = "numbers are no iterator: they do not end")]
    pub fn next(&self) -> SeqNo {
        let taken = self.0.fetch_add(1, Ordering::AcqRel);
        assert!(taken < MAX_SEQNO, "Ran out of sequence numbers");
        taken
    }

    /// The number that [`SequenceNumberCounter::next`] would give.
    pub fn get(&self) -> SeqNo {
        self.0.load(Ordering::Acquire)
    }

    /// Goes on from here. Panics above [`MAX_SEQNO`].
    pub fn set(&self, value: SeqNo) {
        self.0.store(checked(value), Ordering::Release);
    }

    /// Goes on from here, if that is further; from [`MAX_SEQNO`] where it is above.
    pub fn fetch_max(&self, value: SeqNo) {
        self.0.fetch_max(value.min(MAX_SEQNO), Ordering::AcqRel);
    }
}

fn checked(value: SeqNo) -> SeqNo {
    assert!(value <= MAX_SEQNO, "Sequence number must not use the reserved MSB");
    value
}

impl SequenceNumberGenerator for SequenceNumberCounter {
    fn next(&self) -> SeqNo {
        Self::next(self)
    }

    fn get(&self) -> SeqNo {
        Self::get(self)
    }

    fn set(&self, value: SeqNo) {
        Self::set(self, value);
    }

    fn fetch_max(&self, value: SeqNo) {
        Self::fetch_max(self, value);
    }
}

impl From<SequenceNumberCounter> for SharedSequenceNumberGenerator {
    fn from(counter: SequenceNumberCounter) -> Self {
        Arc::new(counter)
    }
}

/// The two generators of a tree, as the tree asks them.
#[derive(Debug)]
pub(crate) struct Generators {
    pub(crate) seqno: SharedSequenceNumberGenerator,
    pub(crate) visible: SharedSequenceNumberGenerator,
}

impl Generators {
    /// Takes a number for a change that leaves everything as it was, and shows it.
    pub(crate) fn pass(&self) {
        self.visible.fetch_max(self.seqno.next() + 1);
    }
}

impl sediment_tree::SeqnoSource for Generators {
    fn next(&self) -> SeqNo {
        self.seqno.next()
    }

    fn show(&self, seqno: SeqNo) {
        self.visible.fetch_max(seqno);
    }
}
