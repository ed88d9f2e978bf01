//! What was written since a number.

use crate::{
    error::{Result, of_tree},
    seqno::SeqNo,
    slice::Slice,
};
use sediment_base::{Kind, RangeTombstone};
use sediment_tree::RawRow;

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanSinceEvent {
    /// A key was given a value.
    Insert {
        /// The key.
        key: Slice,
        /// The value.
        value: Slice,
        /// When.
        seqno: SeqNo,
    },
    /// An operand was merged into a key.
    MergeOperand {
        /// The key.
        key: Slice,
        /// The operand.
        operand: Slice,
        /// When.
        seqno: SeqNo,
    },
    /// A key was removed, weakly or not.
    PointTombstone {
        /// The key.
        key: Slice,
        /// When.
        seqno: SeqNo,
    },
    /// A range was removed.
    RangeTombstone {
        /// From here.
        start_key: Slice,
        /// Up to, and without, here.
        end_key: Slice,
        /// When.
        seqno: SeqNo,
    },
}

impl ScanSinceEvent {
    /// When it was written.
    pub fn seqno(&self) -> SeqNo {
        match self {
            Self::Insert { seqno, .. }
            | Self::MergeOperand { seqno, .. }
            | Self::PointTombstone { seqno, .. }
            | Self::RangeTombstone { seqno, .. } => *seqno,
        }
    }

    fn of_row(row: RawRow) -> Self {
        let RawRow { key, seqno, kind, value } = row;
        let (key, value) = (Slice::wrap(key), Slice::wrap(value));
        match kind {
            Kind::Value => Self::Insert { key, value, seqno },
            Kind::Operand => Self::MergeOperand { key, operand: value, seqno },
            Kind::Tombstone | Kind::WeakTombstone => Self::PointTombstone { key, seqno },
        }
    }

    fn of_range(tombstone: RangeTombstone) -> Self {
        let (start_key, end_key) = (Slice::wrap(tombstone.start), Slice::wrap(tombstone.end));
        Self::RangeTombstone { start_key, end_key, seqno: tombstone.seqno }
    }
}

/// All that is there with a number of at least `target`, the oldest first.
pub(crate) fn scan_since(tree: &sediment_tree::Tree, target: SeqNo) -> Result<Vec<ScanSinceEvent>> {
    let mut events = Vec::new();
    for row in tree.raw_rows::<&[u8], _>(..) {
        let row = row.map_err(of_tree)?;
        if row.seqno >= target {
            events.push(ScanSinceEvent::of_row(row));
        }
    }
    let ranges = tree.raw_range_tombstones().map_err(of_tree)?;
    events.extend(ranges.into_iter().filter(|range| range.seqno >= target).map(ScanSinceEvent::of_range));
    events.sort_by_key(ScanSinceEvent::seqno);
    Ok(events)
}
