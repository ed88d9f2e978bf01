//! Which versions of a key some reader may still need: a value that the caller samples and hands to flush and compaction.
//!
//! A read at `S` sees rows with a seqno below `S`, the newest of them per key. Readers are the open snapshots (`pins`) and
//! everybody who comes later, who reads at `horizon` or above. So the read seqnos in use are the pins and everything from the
//! *floor* on, the floor being the lower one of `horizon` and `keep_all_from`:
//!
//! ```text
//!   seqno  0 ········ pin ········ pin ········ floor ················>
//!          | stripe 0  | stripe 1   | stripe 2   | every version stays
//! ```
//!
//! Between two neighbouring boundaries, a *stripe*, nobody can tell one version from a newer one: each key keeps its newest row
//! of each stripe. What the rows then mean is `rewrite/rules.rs`; here is only where the stripes lie.
//!
//! A *watermark* is one number instead, below which nobody reads, and asks less of a rewrite: whoever reads at or below its stamp
//! goes on with what was there before (`super_version/earlier.rs`). There is one stripe, below the watermark.

use sediment_base::SeqNo;

/// Which versions must survive a flush or a compaction. See the module's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retention {
    /// One version per stripe between pins, and every version from the floor on.
    Snapshots {
        /// Read seqnos of open snapshots, ascending.
        pins: Vec<SeqNo>,
        /// The visible seqno when this was sampled: no later reader that is not in `pins` reads below it, and every row below
        /// it has been inserted. (Rows at or above it may be on their way.)
        horizon: SeqNo,
        /// Every version at or above this one stays, for those who read history itself; `SeqNo::MAX` when nobody does.
        keep_all_from: SeqNo,
    },
    /// No open snapshot is older than this. Of each key the newest row stays, every row at or above the watermark does, and one that
    /// lies below goes behind one that stays; 0 keeps every version. Reads at or below the stamp of what a flush or compaction
    /// makes are answered by an earlier super-version; those go that no read from the watermark on needs. It takes a
    /// [`SeqnoSource`](crate::SeqnoSource); without one it is `InvalidInput`.
    ///
    /// Every row that is older than one which is flushed or ingested was inserted before: where several threads write, none is between
    /// taking its seqno and its insert while a memtable is sealed, or it is inserted before that is flushed; and none of what an
    /// ingestion overwrites or removes is, when it finishes. On the last level a tombstone ends with what it finds there, whatever the
    /// watermark: a row that came later would come to light.
    Watermark(SeqNo),
}

impl Retention {
    /// Nothing older than the newest visible version of each key: no snapshot is open, nobody reads history.
    pub fn newest(horizon: SeqNo) -> Self {
        Self::Snapshots { pins: Vec::new(), horizon, keep_all_from: SeqNo::MAX }
    }

    /// Where the stripes end, ascending; the last one is the floor. A reader at 0 sees nothing, and needs nothing.
    pub(crate) fn stripes(&self) -> Stripes {
        let (pins, floor) = match self {
            Self::Snapshots { pins, horizon, keep_all_from } => (&pins[..], *horizon.min(keep_all_from)),
            Self::Watermark(watermark) => (&[][..], *watermark),
        };
        let mut ends: Vec<SeqNo> = pins.iter().copied().filter(|pin| (1..floor).contains(pin)).collect();
        ends.push(floor);
        ends.sort_unstable();
        ends.dedup();
        Stripes { ends }
    }

    /// Whether it is right only where reads at or below the stamp of a rewrite do not see what that made.
    pub(crate) fn is_watermark(&self) -> bool {
        matches!(self, Self::Watermark(_))
    }

    /// Nobody reads below this, apart from those at 0, who see nothing.
    pub(crate) fn oldest_reader(&self) -> SeqNo {
        self.stripes().oldest()
    }

    /// Whether somebody is known to read what lies below the horizon.
    pub(crate) fn has_old_readers(&self) -> bool {
        match self {
            Self::Snapshots { pins, horizon, keep_all_from } => pins.iter().any(|pin| *pin > 0) || keep_all_from < horizon,
            Self::Watermark(_) => true,
        }
    }
}

/// The boundaries of a [`Retention`].
#[derive(Clone, Debug)]
pub(crate) struct Stripes {
    ends: Vec<SeqNo>,
}

impl Stripes {
    /// The stripe in which a row lies; `None` at or above the floor, where every version stays.
    #[inline]
    pub(crate) fn of(&self, seqno: SeqNo) -> Option<usize> {
        if seqno >= self.floor() {
            return None;
        }
        Some(self.ends.partition_point(|end| *end <= seqno))
    }

    /// Rows of a stripe have seqnos below this.
    #[inline]
    pub(crate) fn end(&self, stripe: usize) -> SeqNo {
        self.ends[stripe]
    }

    /// And from this on.
    #[inline]
    pub(crate) fn start(&self, stripe: usize) -> SeqNo {
        stripe.checked_sub(1).map_or(0, |below| self.ends[below])
    }

    /// From here on every read is exact, pinned or not.
    #[inline]
    pub(crate) fn floor(&self) -> SeqNo {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Below this, no read is exact.
    #[inline]
    pub(crate) fn oldest(&self) -> SeqNo {
        self.ends.first().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_ends_the_stripe_below_it() {
        let retention = Retention::Snapshots { pins: vec![5, 5, 9, 30], horizon: 20, keep_all_from: SeqNo::MAX };
        let stripes = retention.stripes();
        let of: Vec<_> = [0, 4, 5, 8, 9, 19, 20, 30].into_iter().map(|seqno| stripes.of(seqno)).collect();
        assert_eq!(of, [Some(0), Some(0), Some(1), Some(1), Some(2), Some(2), None, None]);
        assert_eq!((stripes.oldest(), stripes.floor()), (5, 20));
    }

    #[test]
    fn readers_of_history_lower_the_floor() {
        let retention = Retention::Snapshots { pins: vec![3, 12], horizon: 20, keep_all_from: 10 };
        assert_eq!((retention.stripes().oldest(), retention.stripes().floor()), (3, 10));
        assert_eq!(Retention::newest(7).stripes().of(6), Some(0));
        assert_eq!(Retention::newest(0).stripes().of(0), None);
    }

    #[test]
    fn nobody_reads_below_the_lowest_pin_the_horizon_or_the_watermark() {
        let oldest = |pins: &[SeqNo], horizon, keep_all_from| {
            Retention::Snapshots { pins: pins.to_vec(), horizon, keep_all_from }.oldest_reader()
        };
        assert_eq!((oldest(&[0, 7, 9], 20, 30), oldest(&[25], 20, 30), oldest(&[7], 20, 3)), (7, 20, 3));
        assert_eq!((Retention::Watermark(5).oldest_reader(), Retention::Watermark(0).oldest_reader()), (5, 0));
    }
}
