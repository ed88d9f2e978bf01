//! Runs of removed keys: noticed while a flush writes a table, and asked about when the table is complete.
//!
//! A run is made of keys one behind the other in the table whose newest row is a plain tombstone. Whether anything is left between its
//! first key and its last is asked by a scan over the memtables of the flush and all that is on disk: if it meets no row, nobody finds any
//! there who reads above all of these. The answer is noted in the table (`table/removed_block.rs`), and why it goes on holding is told in
//! `docs/decisions/0024-removed-runs.md`.
//!
//! What a scan costs is bounded by the rows of the run; where keys were removed here and there it meets a row at once, and after some such
//! disappointments the table goes without.

use super::slices::{OnSlice, Progress, go_on};
use crate::{
    memtable::Memtable,
    read::{Direction, Reader, ScanLimits, ScanPart},
    super_version::{SuperVersion, SuperVersions},
};
use sediment_base::{Cursor, ErrorKind, InternalKey, KeyOrder, Kind, Result, SeqNo, Slice, seqno::SEQNO_MAX, stats::Counter};
use sediment_table::RemovedRuns;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// Rows looked at for each row of a run, at most.
const STEPS_PER_ROW: u64 = 16;
/// Rows looked at between two questions whether to go on.
const PART_STEPS: u64 = 1 << 16;
/// Rows met too soon, of one table, before it goes without.
const DISAPPOINTMENTS_MAX: usize = 32;

/// A run of removed keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    first: Vec<u8>,
    last: Vec<u8>,
    rows: u64,
}

/// Looks at rows as they are written, in their order.
#[derive(Debug)]
pub(super) struct Noticing {
    rows_min: u64,
    run: Run,
    noticed: Vec<Run>,
}

impl Noticing {
    /// Of runs with so many keys.
    pub(super) fn new(rows_min: u64) -> Self {
        Self { rows_min, run: Run::default(), noticed: Vec::new() }
    }

    /// The next row, and the user key of the one before.
    #[inline]
    pub(super) fn add(&mut self, key: InternalKey<'_>, before: &[u8]) {
        if self.run.rows > 0 || key.kind == Kind::Tombstone {
            self.extend(key, before);
        }
    }

    fn extend(&mut self, key: InternalKey<'_>, before: &[u8]) {
        // Its newest row has decided over the key.
        if key.user_key == before {
            return;
        }
        if key.kind != Kind::Tombstone {
            return self.end_run();
        }
        if self.run.rows == 0 {
            self.run.first.extend_from_slice(key.user_key);
        }
        self.run.last.clear();
        self.run.last.extend_from_slice(key.user_key);
        self.run.rows += 1;
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run.rows >= self.rows_min.max(2) {
            self.noticed.push(run);
        }
    }

    /// The table ends: its runs.
    pub(super) fn take(&mut self) -> Vec<Run> {
        self.end_run();
        std::mem::take(&mut self.noticed)
    }
}

/// Asks about runs.
pub(crate) struct Removed<'a> {
    versions: &'a SuperVersions,
    memtables: &'a [Arc<Memtable>],
    on_slice: OnSlice<'a>,
    rows_min: u64,
    /// How many changes had unsettled runs of removed keys when the first answer was given.
    settled_at: OnceLock<u64>,
}

impl fmt::Debug for Removed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removed").field("rows_min", &self.rows_min).finish_non_exhaustive()
    }
}

/// What a scan met on its way over a run.
enum Met {
    /// A row, behind so many that nobody sees.
    Row(Slice, u64),
    /// Nothing up to this key, on so many steps.
    Nothing(Slice, u64),
}

impl<'a> Removed<'a> {
    /// About those of a flush of these memtables, which take no more rows.
    pub(crate) fn new(
        versions: &'a SuperVersions,
        memtables: &'a [Arc<Memtable>],
        rows_min: u64,
        on_slice: OnSlice<'a>,
    ) -> Self {
        Self { versions, memtables, on_slice, rows_min, settled_at: OnceLock::new() }
    }

    /// What notices them.
    pub(super) fn notice(&self) -> Noticing {
        Noticing::new(self.rows_min)
    }

    /// How many changes had unsettled runs of removed keys when the first answer was given, if one was.
    pub(crate) fn settled_at(&self) -> Option<u64> {
        self.settled_at.get().copied()
    }

    /// Where in these runs of a table nobody finds a row. An error other than `Cancelled` is for who needs what cannot be read: here
    /// it only means that nothing is noted.
    pub(super) fn ask(&self, runs: &[Run]) -> Result<RemovedRuns> {
        let mut removed = RemovedRuns::default();
        if runs.is_empty() {
            return Ok(removed);
        }
        let pinned = self.versions.pin();
        self.settled_at.get_or_init(|| pinned.unsettled);
        let Some((view, seqno)) = self.flushed_alone(&pinned) else { return Ok(removed) };
        removed.seqno = seqno;
        let mut disappointments = 0;
        for run in runs {
            match self.ask_about(&view, run, &mut removed.runs, &mut disappointments) {
                Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                Err(_) => break,
                Ok(()) if disappointments > DISAPPOINTMENTS_MAX => break,
                Ok(()) => {}
            }
        }
        drop(view);
        pinned.let_go();
        self.versions.options.stats.add(Counter::RemovedRunsFound, removed.runs.len() as u64);
        Ok(removed)
    }

    /// What `pinned` holds on disk, with the memtables of the flush and no others; and the highest seqno of all of it.
    fn flushed_alone(&self, pinned: &SuperVersion) -> Option<(Arc<SuperVersion>, SeqNo)> {
        let view = pinned.with_these_alone(self.memtables)?;
        let in_memory = self.memtables.iter().filter_map(|memtable| memtable.max_seqno()).max();
        let on_disk = pinned.version.runs.iter().map(|run| run.max_seqno()).max();
        let seqno = in_memory.max(on_disk).filter(|seqno| *seqno < SEQNO_MAX - 1)?;
        Some((view, seqno))
    }

    fn ask_about(
        &self,
        view: &Arc<SuperVersion>,
        run: &Run,
        found: &mut Vec<(Slice, Slice)>,
        disappointments: &mut usize,
    ) -> Result<()> {
        let (mut from, last) = (Slice::new(&run.first), Slice::new(&run.last));
        let mut steps_left = run.rows.saturating_mul(STEPS_PER_ROW);
        while steps_left > 0 && *disappointments <= DISAPPOINTMENTS_MAX {
            let met = self.walk(view, &from, &last, steps_left)?;
            let (Met::Row(to, steps) | Met::Nothing(to, steps)) = &met;
            if *steps >= self.rows_min && self.order().compare(&from, to).is_lt() {
                found.push((from, to.clone()));
            } else {
                *disappointments += 1;
            }
            let Met::Row(met, steps) = met else { return Ok(()) };
            steps_left = steps_left.saturating_sub(steps);
            match self.first_behind(&met)? {
                Some(next) if self.order().compare(&next, &last).is_lt() => from = next,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Goes from one key up to another, or to the first row that shows, or so many steps.
    fn walk(&self, view: &Arc<SuperVersion>, from: &Slice, last: &Slice, steps_max: u64) -> Result<Met> {
        use std::ops::Bound::{Excluded, Included};
        let (mut from, mut steps) = (Included(from.clone()), 0);
        loop {
            let part_steps = PART_STEPS.min(steps_max - steps);
            let limits = ScanLimits { rows: 1, steps: part_steps, ..ScanLimits::default() };
            // All that there is lies below: what is asked for is the newest.
            let reader = Reader::new(&self.versions.options, SEQNO_MAX).passing_once();
            let bounds = (from, Excluded(last.clone()));
            let mut part = ScanPart::new(Arc::clone(view), reader, bounds, (Direction::Forward, limits));
            let met = part.next_ref()?.map(|(key, _)| Slice::new(key));
            steps += part_steps - part.steps_left();
            go_on(self.on_slice, Progress::default())?;
            match (met, part.rest()) {
                (Some(met), _) => return Ok(Met::Row(met, steps)),
                (None, None) => return Ok(Met::Nothing(last.clone(), steps)),
                (None, Some((Included(rest) | Excluded(rest), _))) if steps >= steps_max => {
                    return Ok(Met::Nothing(rest.clone(), steps));
                }
                (None, Some((rest, _))) => from = rest.clone(),
            }
        }
    }

    /// The first key of the memtables behind this one.
    fn first_behind(&self, key: &[u8]) -> Result<Option<Slice>> {
        let mut first: Option<Slice> = None;
        for memtable in self.memtables {
            let mut cursor = memtable.cursor();
            cursor.seek(InternalKey::new(key, 0, Kind::Value))?;
            if cursor.is_valid() && cursor.key().user_key == key {
                cursor.next()?;
            }
            if cursor.is_valid()
                && first.as_ref().is_none_or(|first| self.order().compare(cursor.key().user_key, first).is_lt())
            {
                first = Some(cursor.key().user_key.into());
            }
        }
        Ok(first)
    }

    fn order(&self) -> &KeyOrder {
        &self.versions.options.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noticed(rows: &[(&str, SeqNo, Kind)]) -> Vec<(String, String, u64)> {
        let mut noticing = Noticing::new(3);
        let mut before = Vec::new();
        for (key, seqno, kind) in rows {
            noticing.add(InternalKey::new(key.as_bytes(), *seqno, *kind), &before);
            before = key.as_bytes().to_vec();
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("made of text");
        noticing.take().into_iter().map(|run| (text(run.first), text(run.last), run.rows)).collect()
    }

    #[test]
    fn a_run_is_of_keys_whose_newest_row_is_a_tombstone() {
        use Kind::{Tombstone, Value, WeakTombstone};
        let rows = [
            ("a", 9, Tombstone),
            ("b", 9, Tombstone),
            ("b", 5, Value),
            ("c", 7, Tombstone),
            ("d", 9, Value),
            ("d", 5, Tombstone),
            ("e", 9, Tombstone),
            ("f", 9, Tombstone),
            ("g", 9, WeakTombstone),
            ("h", 9, Tombstone),
            ("i", 9, Tombstone),
            ("i", 8, Tombstone),
            ("j", 9, Tombstone),
            ("k", 9, Tombstone),
        ];
        assert_eq!(noticed(&rows), [("a".into(), "c".into(), 3), ("h".into(), "k".into(), 4)]);
        assert_eq!(noticed(&rows[..2]), []);
        assert_eq!(noticed(&rows[..4]), [("a".into(), "c".into(), 3)]);
    }
}
