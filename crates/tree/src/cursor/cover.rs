//! `Cover`: what range tombstones hide from a reader, where a walk stands.
//!
//! Range tombstones cut the keys into stretches of the same cover. A walk asks once per stretch, and its rows are then compared
//! with one number, or with none at all where no range tombstone is in sight. A run of removed keys that a table notes is to a walk as a
//! range tombstone right above the highest seqno of a row in it: it hides only what is hidden in any case, but all of it at once.

use sediment_base::{KeyOrder, RangeTombstones, SeqNo, Stats, stats::Counter};
use std::sync::Arc;

/// The range tombstones that a reader sees, and the stretch that was entered last. One walk at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cover {
    order: KeyOrder,
    /// With the seqno at and above which the reader sees none of them.
    sets: Arc<[(Arc<RangeTombstones>, SeqNo)]>,
    /// Those from here on are runs of removed keys.
    removed_from: usize,
    /// Where it is counted that these were passed over, if there are any.
    stats: Option<Arc<Stats>>,
    /// Rows of the stretch below this are hidden.
    seqno: SeqNo,
    is_entered: bool,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
}

impl Cover {
    /// Of these range tombstones, each set with the seqno that it is read at.
    pub(crate) fn new(sets: Vec<(Arc<RangeTombstones>, SeqNo)>, order: KeyOrder) -> Self {
        Self { order, sets: sets.into(), ..Self::default() }
    }

    /// And of these runs of removed keys, in the same form.
    pub(crate) fn with_removed(self, removed: Vec<(Arc<RangeTombstones>, SeqNo)>, stats: &Arc<Stats>) -> Self {
        let (removed_from, stats) = (self.sets.len(), Some(Arc::clone(stats)));
        let sets = self.sets.iter().cloned().chain(removed).collect();
        Self { sets, removed_from, stats, ..self }
    }

    /// Enters the stretch around a key.
    #[inline]
    pub(crate) fn enter(&mut self, key: &[u8]) {
        if !self.sets.is_empty() && !self.is_inside(key) {
            self.enter_another(key);
        }
    }

    /// Rows of the stretch with a lower seqno are hidden; 0 hides none.
    #[inline]
    pub(crate) fn seqno(&self) -> SeqNo {
        self.seqno
    }

    /// The first key of the stretch, if it has a beginning.
    #[inline]
    pub(crate) fn from(&self) -> Option<&[u8]> {
        self.from.as_deref()
    }

    /// The first key behind the stretch, if it has an end.
    #[inline]
    pub(crate) fn to(&self) -> Option<&[u8]> {
        self.to.as_deref()
    }

    fn is_inside(&self, key: &[u8]) -> bool {
        self.is_entered
            && self.to().is_none_or(|to| self.order.compare(key, to).is_lt())
            && self.from().is_none_or(|from| self.order.compare(from, key).is_le())
    }

    #[cold]
    fn enter_another(&mut self, key: &[u8]) {
        let (mut from, mut to) = (None, None);
        (self.seqno, self.is_entered) = (0, true);
        let mut is_removed = false;
        for (index, (set, read_seqno)) in self.sets.iter().enumerate() {
            let stretch = set.stretch(key, *read_seqno, &self.order);
            if stretch.cover > self.seqno {
                (self.seqno, is_removed) = (stretch.cover, index >= self.removed_from);
            }
            from = nearer(from, stretch.from, |a, b| self.order.compare(a, b).is_ge());
            to = nearer(to, stretch.to, |a, b| self.order.compare(a, b).is_le());
        }
        keep(&mut self.from, from);
        keep(&mut self.to, to);
        if let Some(stats) = self.stats.as_ref().filter(|_| is_removed) {
            stats.add(Counter::RemovedRunsPassed, 1);
        }
    }
}

/// The one of two ends that is nearer, where there are two.
fn nearer<'a>(a: Option<&'a [u8]>, b: Option<&'a [u8]>, is_nearer: impl Fn(&[u8], &[u8]) -> bool) -> Option<&'a [u8]> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if is_nearer(a, b) { a } else { b }),
        _ => a.or(b),
    }
}

/// Copies an end, into memory that is there.
fn keep(kept: &mut Option<Vec<u8>>, end: Option<&[u8]>) {
    match end {
        None => *kept = None,
        Some(end) => {
            let kept = kept.get_or_insert_default();
            kept.clear();
            kept.extend_from_slice(end);
        }
    }
}
