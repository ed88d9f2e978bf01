//! What a rewrite may drop: tombstones, shadowed versions, operands, seqnos. Here and in `ranges.rs`, and nowhere else.
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
//! * *Range tombstones*: a row goes that one of its stripe hides, and with it what is older in the stripe.
//! * *Tombstones*, weak ones alike: one below the floor says nothing to anybody once no older row of its key is left, neither in the
//!   output nor in any source outside of the rewrite. It is held back until an older row stays (then it stays as well) or the key
//!   ends (then it goes). A second one that follows a held one takes its place: it hides all that the first one did.
//! * *Operands* of one stripe are gathered until a row ends them: with a value or tombstone of the same stripe, or with the end of the
//!   key where nothing older lies outside, they are folded to a value; else to one operand, if the operator can. Where it
//!   fails, where there is none, or where a row that belongs between them may lie outside, they stay as they are.
//! * *Zeroing*: a value in the lowest stripe is seen by every reader in use, so its seqno tells nothing if no row of the key
//!   is older anywhere. Zero compresses away, and a read at 1 or above still sees it.
//! * Rows that are equal in key, seqno and kind are one row.
//! * *A compaction filter* is asked of each value and operand of the highest stripe that stays by these rules, before anything is made
//!   of it. Its answer comes in place of the row: a tombstone, another value, or nothing. Pins do not see that stripe; all who see it and
//!   began before go on with what was there, because the rewrite takes a stamp.
//!
//! Under a watermark there is one stripe, below it. [`Policy`] tells in which answers it differs; for one key, with the watermark at 9:
//!
//! ```text
//!   25 value       at or above the watermark                 stays
//!   20 tombstone   at or above the watermark                 stays; on the last level it is held, as above
//!    7 value       a row in front hides it                   goes
//! ```
//!
//! * *An operand in front* hides nothing: behind it, and behind one that there is no operator for, rows stay as they are, unless a range
//!   tombstone of the stripe hides them.
//! * *The weak pair*: a weak tombstone that is held elsewhere than on the last level goes with the value that follows it at once
//!   and that it hides. Before anything else it stays. It is held only where no older row lies outside, which would come to light.

use super::{filter::Judge, output::Marks, ranges::Ranges};
use crate::{cursor::Fold, version::History};
use sediment_base::{
    InternalKey, Kind, MergeOperator, Result, SeqNo,
    compaction_filter::Verdict,
    planted::{Bug, planted},
};
use sediment_table::WholeBlock;
use std::sync::Arc;

mod policy;

pub(crate) use policy::Policy;

/// What lies outside of a rewrite. It errs towards yes.
pub(crate) trait Outside {
    /// Whether a row of the key with a seqno at or below the given one, or a range tombstone, may lie there. Asked of most rows.
    fn may_hold_older(&self, user_key: &[u8], seqno: SeqNo) -> bool;

    /// The same of rows alone, and more closely; asked of few.
    fn may_hold_older_row(&self, user_key: &[u8], seqno: SeqNo) -> bool;

    /// Whether a row or range tombstone with a seqno between these two, both excluded, may lie there. Levels are searched by
    /// seqno and not by age: what was written late, or ingested, can be newer and lie deeper.
    fn may_hold_between(&self, user_key: &[u8], above: SeqNo, below: SeqNo) -> bool;
}

/// Where the rows go that stay, in the order of rows.
pub(crate) trait Sink: FnMut(InternalKey<'_>, Marks, &[u8]) -> Result<()> {}

impl<F: FnMut(InternalKey<'_>, Marks, &[u8]) -> Result<()>> Sink for F {}

/// The state between the rows of a rewrite.
pub(crate) struct Rules<'a, O> {
    policy: Policy,
    ranges: &'a Ranges,
    outside: O,
    judge: Option<&'a mut Judge>,
    user_key: Vec<u8>,
    /// Seqno and kind of the row before, of this key.
    last: Option<(SeqNo, Kind)>,
    older: Older,
    held: Option<Held>,
    /// Operands that wait for what ends them.
    fold: Fold,
    chain: Option<Chain>,
    /// From here on every read is exact, as far as the rows so far are concerned.
    exact_from: Option<SeqNo>,
}

/// A tombstone that waits for an older row to stay.
#[derive(Clone, Copy, Debug)]
struct Held {
    seqno: SeqNo,
    kind: Kind,
    digest: Option<u32>,
}

/// What becomes of the next rows of the key, of those below the floor.
#[derive(Clone, Copy, Debug)]
enum Older {
    /// Each is looked at.
    Open,
    /// Those of this stripe go: the row or range tombstone of this seqno hides them.
    Hidden { stripe: usize, by: SeqNo },
    /// They stay as they are.
    Kept,
}

/// The seqnos of gathered operands.
#[derive(Debug)]
struct Chain {
    stripe: usize,
    /// Of each operand, newest first, with its digest. One that was made of several has the newest of theirs, and no digest.
    seqnos: Vec<(SeqNo, Option<u32>)>,
    /// Of the oldest operand of all.
    oldest: SeqNo,
}

/// So many operands are folded to one, where the operator can.
const OPERANDS_MAX: usize = 256;
/// So many bytes of operands are let go unfolded, where it cannot.
const OPERAND_BYTES_MAX: usize = 4 << 20;

impl<'a, O: Outside> Rules<'a, O> {
    /// Rules after this policy, and after this filter.
    pub(crate) fn new(
        policy: Policy,
        ranges: &'a Ranges,
        operator: Option<Arc<dyn MergeOperator>>,
        outside: O,
        judge: Option<&'a mut Judge>,
    ) -> Self {
        Self {
            policy,
            ranges,
            outside,
            judge,
            user_key: Vec::new(),
            last: None,
            older: Older::Open,
            held: None,
            fold: Fold::new(operator),
            chain: None,
            exact_from: ranges.exact_from(),
        }
    }

    /// Takes the next row, and gives those that stay to `out`, in the order of rows.
    #[inline]
    pub(crate) fn add(&mut self, key: InternalKey<'_>, marks: Marks, value: &[u8], out: &mut impl Sink) -> Result<()> {
        if self.user_key != key.user_key {
            self.end_key(out)?;
            self.user_key.extend_from_slice(key.user_key);
        } else if self.last == Some((key.seqno, key.kind)) {
            return Ok(());
        }
        self.last = Some((key.seqno, key.kind));
        let Some(stripe) = self.policy.stripes.of(key.seqno) else {
            let hides = self.policy.hides_from_above;
            return if hides { self.add_staying(None, key, marks, value, out) } else { out(key, marks, value) };
        };
        let stripe = if planted(Bug::DropVersionUnderSnapshot) { 0 } else { stripe };
        if let Some(cover) = self.ranges.hiding(key.user_key, key.seqno, self.policy.stripes.end(stripe)) {
            self.forget_below(cover);
            if self.chain.as_ref().is_some_and(|chain| chain.stripe == stripe) {
                // One of the same seqno is not hidden.
                self.end_chain(Some(cover - 1), out)?;
            }
            self.older = Older::Hidden { stripe, by: cover };
            return Ok(());
        }
        match self.older {
            Older::Hidden { stripe: hidden, by } if hidden == stripe => {
                self.forget_below(by);
                return if self.policy.ends_removals() { Ok(()) } else { self.end_pair(key.kind, out) };
            }
            Older::Kept => return out(key, marks, value),
            _ => {}
        }
        self.add_staying(Some(stripe), key, marks, value, out)
    }

    /// Whether all rows of a block stay as they are, if each is a value and the only row of its key in what comes.
    pub(crate) fn leave(&self, block: &WholeBlock<'_>) -> bool {
        self.user_key != block.first_key()
            && self.judge.is_none()
            && !self.policy.wants_zeros(block.max_seqno())
            && !self.ranges.touch(block)
    }

    /// Rows of other keys come next, and go past the rules: gives those that still wait to `out`.
    pub(crate) fn let_pass(&mut self, out: &mut impl Sink) -> Result<()> {
        self.end_key(out)
    }

    /// The rows are at their end. How far back reads are exact, if any row went, or lost its seqno: above all rows they always
    /// are, so that a tree whose log has lost its last writes in a crash can still be read at what is left.
    pub(crate) fn end(&mut self, out: &mut impl Sink) -> Result<Option<History>> {
        self.end_key(out)?;
        let Some(floor) = self.exact_from else { return Ok(None) };
        Ok(Some(History { oldest: self.policy.oldest_reader(floor), floor }))
    }

    /// A row that stays, as far as readers are concerned, in a stripe or in front of them: what the filter leaves of it.
    #[inline]
    fn add_staying(
        &mut self,
        stripe: Option<usize>,
        key: InternalKey<'_>,
        marks: Marks,
        value: &[u8],
        out: &mut impl Sink,
    ) -> Result<()> {
        let verdict = self.verdict(stripe, key, value)?;
        let removed = |kind| (InternalKey { kind, ..key }, Marks::default(), &[][..]);
        let (key, marks, value) = match &verdict {
            Verdict::Keep => (key, marks, value),
            Verdict::Remove => removed(Kind::Tombstone),
            Verdict::RemoveWeak => removed(Kind::WeakTombstone),
            Verdict::Replace(value) => (key, Marks { digest: None, ..marks }, &value[..]),
            Verdict::Destroy => return Ok(()),
        };
        match stripe {
            None => self.add_in_front(key, marks, value, out),
            Some(stripe) => self.add_in_stripe(stripe, key, marks, value, out),
        }
    }

    /// What the filter says of a row.
    #[inline]
    fn verdict(&mut self, stripe: Option<usize>, key: InternalKey<'_>, value: &[u8]) -> Result<Verdict> {
        let Some(judge) = self.judge.as_mut().filter(|_| self.policy.is_judged(stripe, key.kind)) else {
            return Ok(Verdict::Keep);
        };
        let verdict = judge.judge(key, value)?;
        if !matches!(verdict, Verdict::Keep) {
            self.forget_below(key.seqno);
        }
        Ok(verdict)
    }

    /// A row of a stripe that nothing newer in it hides.
    #[inline]
    fn add_in_stripe(
        &mut self,
        stripe: usize,
        key: InternalKey<'_>,
        marks: Marks,
        value: &[u8],
        out: &mut impl Sink,
    ) -> Result<()> {
        if self.chain.is_some() && self.join(stripe, key, (value, marks.digest), out)? {
            return Ok(());
        }
        match key.kind {
            Kind::Value => {
                self.let_held_go(out)?;
                self.older = Older::Hidden { stripe, by: key.seqno };
                let seqno = self.zeroed(stripe, key.seqno);
                out(InternalKey { seqno, ..key }, marks, value)
            }
            Kind::Operand => {
                self.let_held_go(out)?;
                if !self.fold.has_operator() {
                    if self.policy.hides_from_above {
                        self.older = Older::Kept;
                    }
                    return out(key, marks, value);
                }
                self.fold.begin();
                self.fold.push(value);
                self.chain = Some(Chain { stripe, seqnos: vec![(key.seqno, marks.digest)], oldest: key.seqno });
                Ok(())
            }
            Kind::Tombstone | Kind::WeakTombstone => self.add_tombstone(stripe, key, marks.digest, out),
        }
    }

    fn end_key(&mut self, out: &mut impl Sink) -> Result<()> {
        if let Some(Chain { oldest, .. }) = self.chain {
            let is_complete = self.policy.ends_removals() && !self.outside.may_hold_older_row(&self.user_key, oldest);
            self.end_chain(is_complete.then_some(oldest), out)?;
        }
        if self.policy.ends_removals() {
            self.forget_held();
        } else {
            self.let_held_go(out)?;
        }
        self.user_key.clear();
        (self.last, self.older) = (None, Older::Open);
        Ok(())
    }

    /// A row at or above the watermark stays, a tombstone as long as there is something to hide, and decides over what is below.
    fn add_in_front(&mut self, key: InternalKey<'_>, marks: Marks, value: &[u8], out: &mut impl Sink) -> Result<()> {
        self.let_held_go(out)?;
        self.older = match key.kind {
            Kind::Value => Older::Hidden { stripe: 0, by: key.seqno },
            Kind::Operand => Older::Kept,
            Kind::Tombstone | Kind::WeakTombstone => return self.add_tombstone(0, key, marks.digest, out),
        };
        out(key, marks, value)
    }

    /// A hidden row goes, the next after what is held: if that is a weak tombstone and this its value, both do.
    #[cold]
    fn end_pair(&mut self, kind: Kind, out: &mut impl Sink) -> Result<()> {
        if kind != Kind::Value {
            return self.let_held_go(out);
        }
        self.forget_held();
        Ok(())
    }

    fn add_tombstone(&mut self, stripe: usize, key: InternalKey<'_>, digest: Option<u32>, out: &mut impl Sink) -> Result<()> {
        self.older = Older::Hidden { stripe, by: key.seqno };
        let may_end = || self.policy.may_end(key.kind) && !self.outside.may_hold_older_row(key.user_key, key.seqno);
        if planted(Bug::DropTombstoneAboveBottom) || may_end() {
            self.forget_held();
            self.held = Some(Held { seqno: key.seqno, kind: key.kind, digest });
            return Ok(());
        }
        self.let_held_go(out)?;
        out(key, Marks { digest, ..Marks::default() }, &[])
    }

    /// Takes a row that follows gathered operands; false if it is to be looked at by itself.
    #[cold]
    fn join(
        &mut self,
        stripe: usize,
        key: InternalKey<'_>,
        (value, digest): (&[u8], Option<u32>),
        out: &mut impl Sink,
    ) -> Result<bool> {
        let Some(chain) = self.chain.as_mut().filter(|chain| chain.stripe == stripe) else {
            self.end_chain(None, out)?;
            return Ok(false);
        };
        if let Some(cover) = self.ranges.between(key.user_key, key.seqno, chain.oldest) {
            return self.end_chain_before(stripe, cover - 1, out);
        }
        if key.kind == Kind::Operand {
            self.fold.push(value);
            chain.seqnos.push((key.seqno, digest));
            chain.oldest = key.seqno;
            self.shorten_chain(out)?;
            return Ok(true);
        }
        if key.kind == Kind::Value {
            self.fold.set_base(value);
        }
        self.end_chain_before(stripe, key.seqno, out)
    }

    /// Ends the gathered operands with what has this seqno; whether they became a value, behind which the row at hand goes.
    fn end_chain_before(&mut self, stripe: usize, ended_at: SeqNo, out: &mut impl Sink) -> Result<bool> {
        let newest = self.chain.as_ref().map_or(ended_at, |chain| chain.seqnos[0].0);
        let is_folded = self.end_chain(Some(ended_at), out)?;
        if is_folded {
            self.forget_below(newest);
            self.older = Older::Hidden { stripe, by: newest };
        }
        Ok(is_folded)
    }

    /// Lets the gathered operands go: as a value, if a row of this seqno ends them and nothing comes between; whether they did.
    fn end_chain(&mut self, ended_at: Option<SeqNo>, out: &mut impl Sink) -> Result<bool> {
        let Some(Chain { stripe, seqnos, oldest }) = self.chain.take() else { return Ok(false) };
        let newest = seqnos[0].0;
        let is_whole = |from| !self.outside.may_hold_between(&self.user_key, from, newest);
        if ended_at.is_some_and(is_whole)
            && let Ok(value) = self.fold.fold(&self.user_key)
        {
            if seqnos.len() > 1 {
                self.forget_below(newest);
            }
            let seqno = self.zeroed(stripe, newest);
            out(InternalKey::new(&self.user_key, seqno, Kind::Value), Marks::default(), &value)?;
            return Ok(true);
        }
        let can_shorten = seqnos.len() > 1 && is_whole(oldest);
        if can_shorten && let Some(operand) = self.fold.fold_operands(&self.user_key) {
            self.forget_below(newest);
            out(InternalKey::new(&self.user_key, newest, Kind::Operand), Marks::default(), &operand)?;
            return Ok(false);
        }
        for ((seqno, digest), operand) in seqnos.into_iter().zip(self.fold.newest_first()) {
            let marks = Marks { digest, ..Marks::default() };
            out(InternalKey::new(&self.user_key, seqno, Kind::Operand), marks, operand)?;
        }
        Ok(false)
    }

    /// Keeps the gathered operands few.
    fn shorten_chain(&mut self, out: &mut impl Sink) -> Result<()> {
        let Some(chain) = &mut self.chain else { return Ok(()) };
        if self.fold.len() >= OPERANDS_MAX
            && !self.outside.may_hold_between(&self.user_key, chain.oldest, chain.seqnos[0].0)
            && let Some(operand) = self.fold.fold_operands(&self.user_key)
        {
            self.fold.begin();
            self.fold.push(&operand);
            let newest = chain.seqnos[0].0;
            chain.seqnos = vec![(newest, None)];
            self.forget_below(newest);
        } else if self.fold.bytes() >= OPERAND_BYTES_MAX {
            self.end_chain(None, out)?;
        }
        Ok(())
    }

    /// The seqno that a value keeps.
    fn zeroed(&mut self, stripe: usize, seqno: SeqNo) -> SeqNo {
        let is_zeroed = stripe == 0
            && seqno > 0
            && self.policy.ends_removals()
            && !self.policy.keeps_seqnos
            && !self.outside.may_hold_older(&self.user_key, seqno)
            && !self.ranges.would_hide_at_zero(&self.user_key, seqno);
        if !is_zeroed {
            return seqno;
        }
        self.forget_below(seqno);
        0
    }

    /// An older row stays, and so does the tombstone that is held.
    #[inline]
    fn let_held_go(&mut self, out: &mut impl Sink) -> Result<()> {
        match self.held.take() {
            Some(Held { seqno, kind, digest }) => {
                out(InternalKey::new(&self.user_key, seqno, kind), Marks { digest, ..Marks::default() }, &[])
            }
            None => Ok(()),
        }
    }

    /// The tombstone that is held goes.
    fn forget_held(&mut self) {
        if let Some(Held { seqno, .. }) = self.held.take() {
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
