//! `Policy`: what the rules ask of a [`Retention`], at one place of the tree.
//!
//! Both kinds of retention walk over the rows of a key in the same way, and say alike what becomes of those in one stripe. A watermark
//! differs in three answers. It is for readers above every row of the rewrite alone, to whom all of a key but its newest row is
//! hidden: so a row that stays *in front* of the stripe decides over the stripe as well. Only the *last level* ends what a removal
//! has to say: elsewhere tombstones, range tombstones and seqnos stay, whatever lies outside. And no pin makes a read exact that lies
//! below a row that was left out: the readers who are there have an earlier super-version.
//!
//! ```text
//!                              snapshots     watermark, last level    watermark elsewhere
//!   a row in front hides       no            yes                      yes
//!   removals end               yes           yes                      no, but for a weak one with its value
//!   reads below are exact      at pins       none                     none
//! ```

use crate::retention::{Retention, Stripes};
use sediment_base::{Kind, SeqNo};

/// What the rules ask of a retention.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) stripes: Stripes,
    /// Whether a row at or above the floor hides what lies below it.
    pub(super) hides_from_above: bool,
    /// Whether seqnos stay where they would go.
    pub(super) keeps_seqnos: bool,
    is_last_level: bool,
}

impl Policy {
    /// That of a rewrite into the last level, or elsewhere.
    pub(crate) fn new(retention: &Retention, is_last_level: bool) -> Self {
        let hides_from_above = retention.is_watermark();
        Self { stripes: retention.stripes(), hides_from_above, keeps_seqnos: false, is_last_level }
    }

    /// The same, but seqnos stay if `keeps_seqnos`.
    pub(crate) fn keeping_seqnos(self, keeps_seqnos: bool) -> Self {
        Self { keeps_seqnos, ..self }
    }

    /// Whether tombstones, range tombstones and seqnos go where nothing older is left.
    #[inline]
    pub(crate) fn ends_removals(&self) -> bool {
        self.is_last_level || !self.hides_from_above
    }

    /// Whether it pays to look at rows up to this seqno because of nothing but that: on the last level most lose theirs, and what they had
    /// would stay for good. Elsewhere few do.
    pub(super) fn wants_zeros(&self, max_seqno: SeqNo) -> bool {
        self.is_last_level && max_seqno > 0 && !self.keeps_seqnos
    }

    /// Whether a compaction filter is asked of a row: of values and operands that no pin sees.
    #[inline]
    pub(super) fn is_judged(&self, stripe: Option<usize>, kind: Kind) -> bool {
        let is_seen_by_pins = stripe.is_some_and(|stripe| self.stripes.end(stripe) < self.stripes.floor());
        matches!(kind, Kind::Value | Kind::Operand) && !is_seen_by_pins
    }

    /// Whether a tombstone of this kind may go, if no older row of its key is left.
    pub(super) fn may_end(&self, kind: Kind) -> bool {
        self.ends_removals() || kind == Kind::WeakTombstone
    }

    /// The lowest seqno at which somebody reads what was rewritten, if reads are exact from `floor` on.
    pub(super) fn oldest_reader(&self, floor: SeqNo) -> SeqNo {
        if self.hides_from_above { floor } else { floor.min(self.stripes.oldest()) }
    }
}
