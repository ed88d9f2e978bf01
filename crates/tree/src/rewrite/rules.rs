//! What a rewrite may drop: tombstones, shadowed versions, seqnos. Here and nowhere else.
//!
//! The rows of one user key come newest first. Readers in use divide their seqnos into stripes (`retention.rs`); in each
//! stripe nobody can tell one version from a newer one. For one key, with pins at 5 and 9, the floor at 20, and nothing of the
//! key in any source outside of the rewrite:
//!
//! ```text
//!   25 value       at or above the floor                     stays
//!   20 tombstone   at or above the floor                     stays
//!   17 tombstone   newest of stripe 9..20                    held: stays only if an older row of the key stays
//!   12 value       stripe 9..20 has a newer row              goes
//!    7 value       newest of stripe 5..9                     stays, and with it the tombstone at 17
//!    3 value       newest of stripe 0..5, the oldest row     stays, its seqno becomes 0
//! ```
//!
//! * *One version per stripe*: the newest row of a key in each stripe stays, the others go. Every row at or above the floor
//!   stays.
//! * *Tombstones*: one below the floor says nothing to anybody once no older row of its key is left, neither in the output nor
//!   in any source outside of the rewrite. It is held back until an older row stays (then it stays as well) or the key ends
//!   (then it goes). A second one that follows a held one takes its place: it hides all that the first one did.
//! * *Zeroing*: a value in the lowest stripe is seen by every reader in use, so its seqno tells nothing if no row of the key
//!   is older anywhere. Zero compresses away, and a read at 1 or above still sees it.
//! * Rows that are equal in key, seqno and kind are one row.
//!
//! "Older anywhere" is asked of `Elsewhere`, which errs towards yes. Operands cannot be folded by this version, and are refused.

use crate::{
    retention::{Retention, Stripes},
    version::History,
};
use sediment_base::{
    Error, InternalKey, Kind, Result, SeqNo,
    planted::{Bug, planted},
};

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes.
    Drop,
    /// It stays, under this seqno, and before it the tombstone of the same key that was held back, if there was one.
    Keep { seqno: SeqNo, held: Option<(SeqNo, Kind)> },
    /// A tombstone: whether it stays is not yet known.
    Hold,
}

/// The state between the rows of a rewrite.
#[derive(Debug)]
pub(crate) struct Rules {
    stripes: Stripes,
    user_key: Vec<u8>,
    /// Stripe, seqno and kind of the last row of this key that was not dropped.
    last: Option<(Option<usize>, SeqNo, Kind)>,
    held: Option<(SeqNo, Kind)>,
    /// From here on every read is exact, as far as the rows so far are concerned.
    exact_from: Option<SeqNo>,
}

impl Rules {
    /// Rules for these readers.
    pub(crate) fn new(retention: &Retention) -> Self {
        let stripes = retention.stripes();
        Self { stripes, user_key: Vec::new(), last: None, held: None, exact_from: None }
    }

    /// The rows are at their end. How far back reads are exact, if any row went, or lost its seqno: above all rows they always
    /// are, so that a tree whose log has lost its last writes in a crash can still be read at what is left.
    pub(crate) fn end(&mut self) -> Option<History> {
        self.forget_held();
        let floor = self.exact_from?;
        Some(History { oldest: floor.min(self.stripes.oldest()), floor })
    }

    /// Decides about the next row. `is_older_elsewhere` says whether a source outside of the rewrite may hold a row of this
    /// key with a seqno at or below the given one.
    pub(crate) fn decide(&mut self, key: InternalKey<'_>, is_older_elsewhere: impl FnOnce(SeqNo) -> bool) -> Result<Verdict> {
        if self.user_key != key.user_key {
            self.user_key.clear();
            self.user_key.extend_from_slice(key.user_key);
            self.last = None;
            self.forget_held();
        }
        if key.kind == Kind::Operand {
            return Err(Error::unsupported("an operand of a merge operator; this version cannot fold it"));
        }
        let stripe = self.stripes.of(key.seqno).map(|stripe| if planted(Bug::DropVersionUnderSnapshot) { 0 } else { stripe });
        if let Some((last_stripe, seqno, kind)) = self.last {
            if (seqno, kind) == (key.seqno, key.kind) {
                return Ok(Verdict::Drop);
            }
            if stripe.is_some() && stripe == last_stripe {
                self.forget_below(seqno);
                return Ok(Verdict::Drop);
            }
        }
        self.last = Some((stripe, key.seqno, key.kind));
        if stripe.is_none() {
            return Ok(Verdict::Keep { seqno: key.seqno, held: None });
        }
        if key.kind.is_tombstone() {
            return Ok(self.decide_tombstone(key, is_older_elsewhere));
        }
        let is_zeroed = stripe == Some(0) && key.seqno > 0 && !is_older_elsewhere(key.seqno);
        if is_zeroed {
            self.forget_below(key.seqno);
        }
        Ok(Verdict::Keep { seqno: if is_zeroed { 0 } else { key.seqno }, held: self.held.take() })
    }

    fn decide_tombstone(&mut self, key: InternalKey<'_>, is_older_elsewhere: impl FnOnce(SeqNo) -> bool) -> Verdict {
        if planted(Bug::DropTombstoneAboveBottom) || !is_older_elsewhere(key.seqno) {
            self.forget_held();
            self.held = Some((key.seqno, key.kind));
            return Verdict::Hold;
        }
        Verdict::Keep { seqno: key.seqno, held: self.held.take() }
    }

    /// The tombstone that is held goes.
    fn forget_held(&mut self) {
        if let Some((seqno, _)) = self.held.take() {
            self.forget_below(seqno);
        }
    }

    /// Reads that do not see the row of this seqno are no longer exact.
    fn forget_below(&mut self, seqno: SeqNo) {
        self.exact_from = self.exact_from.max(Some(seqno + 1));
    }
}

#[cfg(test)]
mod tests;
