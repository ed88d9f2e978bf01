//! The super-versions before the present one, for reads that are older than what changed since.
//!
//! ```text
//!   stamp      0            21                34                  what a read sees that asks for S
//!   version    |-- empty ---|-- one table ----|-- two tables -->  34 < S: the present one
//!                    ^              ^                             21 < S <= 34: the one of 21
//!                  S = 9          S = 30                          1 <= S <= 21: the one of 0
//! ```
//!
//! A change of the version takes a seqno, its *stamp*, when it is shown, if the tree has a source of seqnos. Every row in it is then
//! older than the stamp. So whoever reads above the stamp sees all that the change found, and it may have left out whatever a newer row
//! hides; whoever reads at or below the stamp goes on with the super-version of before, which was not changed. A seal makes a
//! super-version of the same stamp, and the last of these is kept: it has all memtables.
//!
//! They keep memory and files. Those go that no read needs from the watermark of a flush or compaction on: all that are older than
//! the newest with a stamp below it.

use super::SuperVersion;
use sediment_base::SeqNo;
use std::sync::Arc;

/// Earlier super-versions, newest first; in these themselves there are none. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earlier(Arc<[Arc<SuperVersion>]>);

impl Earlier {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The newest that was there before what a read at this seqno must not see. Where it is gone, the oldest that is left, which
    /// refuses the read; `None` if there is none.
    pub(super) fn at(&self, read_seqno: SeqNo) -> Option<&Arc<SuperVersion>> {
        self.0.get(self.first_below(read_seqno)).or(self.0.last())
    }

    /// These behind `last`, which they were behind already, and which is no longer the present one.
    pub(super) fn behind(last: &SuperVersion) -> Self {
        let alone = SuperVersion { earlier: Self::default(), ..last.clone() };
        Self(std::iter::once(Arc::new(alone)).chain(last.earlier.0.iter().cloned()).collect())
    }

    /// What is left for reads from `oldest_reader` on, if that is less, where the present one has this stamp.
    pub(super) fn trimmed(&self, oldest_reader: SeqNo, stamp: SeqNo) -> Option<Self> {
        let needed = if stamp < oldest_reader { 0 } else { self.first_below(oldest_reader) + 1 };
        (needed < self.len()).then(|| Self(self.0[..needed].into()))
    }

    /// Where those begin that have a stamp below.
    fn first_below(&self, seqno: SeqNo) -> usize {
        self.0.partition_point(|earlier| earlier.stamp >= seqno)
    }
}
