//! Points: the newest visible row of a key over memtables and runs.
//!
//! Sources are searched from the newest to the oldest, but age is not relied upon: seqnos may arrive in any order, so the row
//! found counts until a source that could hold a higher seqno has been searched as well, and no longer. The key is hashed once.
//! What a read meets is counted on the way and added to the statistics once, at its end.
//!
//! A search begins under an epoch pin, where it takes no lock and raises no shared count, and mostly ends there. It stops in
//! front of a table or a block that is not in memory: its caller takes the super-version by its count, lets the pin go, and has
//! the same search go on from there, with I/O.

use crate::{
    cursor::{Seen, seen},
    memtable::{Memtable, MemtableRow},
    options::TreeOptions,
    super_version::{FilterProbes, READS_PER_SAMPLE, SuperVersion},
    version::{Run, TableFile},
};
use sediment_base::{Kind, Result, RowFlags, SeqNo, Slice, stats::Counter};
use sediment_codec::hash::key_hash;
use sediment_table::{Approach, Looked, PointRead, RangeCounts, Reach, ReadCounts, RowHead, Table, TakeRow};

use super::fold::fold_key;

/// Takes the value that a point read found. Of several, the last one counts.
pub trait TakeValue {
    /// Takes a value that is lent for this call. May run under an epoch pin: it is short, and waits for nothing.
    fn take(&mut self, value: &[u8]);

    /// Takes a value that can be kept without copying it. As [`TakeValue::take`] in all else.
    fn take_shared(&mut self, value: Slice);
}

/// Keeps it.
impl TakeValue for Slice {
    #[inline]
    fn take(&mut self, value: &[u8]) {
        *self = Self::new(value);
    }

    #[inline]
    fn take_shared(&mut self, value: Slice) {
        *self = value;
    }
}

/// Does not look at it.
impl TakeValue for () {
    #[inline]
    fn take(&mut self, _value: &[u8]) {}

    #[inline]
    fn take_shared(&mut self, _value: Slice) {}
}

/// A search for one key in one super-version.
#[derive(Debug)]
pub(crate) struct Search<'a, V> {
    key: &'a [u8],
    hash_seed: u64,
    /// Under that seed, which is the tree's.
    hash: u64,
    read_seqno: SeqNo,
    newest: Newest<'a, V>,
    /// Runs that have been searched.
    runs: usize,
    met: ReadCounts,
}

/// The table of a run that a search will look into, and the key's hash there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'r> {
    file: &'r TableFile,
    table: &'r Table,
    hash: u64,
}

/// The way of a search to a block of that table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'r> {
    ahead: Ahead<'r>,
    pub(super) approach: Approach<'r>,
}

/// What a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The key has no value.
    Absent,
    /// Its value was taken.
    Found,
    /// An operand was taken; the value is what it and older rows fold to.
    Operand,
}

/// The newest row so far.
#[derive(Debug)]
struct Newest<'a, V> {
    row: Option<RowHead>,
    /// Counts the place where it lies.
    place: Counter,
    /// Has its value, unless it is a tombstone.
    value: &'a mut V,
}

impl<'a, V: TakeValue> Search<'a, V> {
    /// Has looked nowhere yet: [`Search::look_into_memtables`] is next. Whether the super-version can be read at this seqno is checked
    /// already.
    #[inline]
    pub(crate) fn new(pinned: &SuperVersion, key: &'a [u8], read_seqno: SeqNo, value: &'a mut V) -> Self {
        let hash_seed = pinned.version.identity.hash_seed;
        let hash = key_hash(hash_seed, key);
        let newest = Newest { row: None, place: Counter::GetMemtableHits, value };
        Self { key, hash_seed, hash, read_seqno, newest, runs: 0, met: ReadCounts::default() }
    }

    #[inline]
    pub(crate) fn look_into_memtables(&mut self, pinned: &SuperVersion) -> Result<()> {
        if self.can_see_rows() {
            self.look_into(&pinned.active, self.read_seqno)?;
            for sealed in &pinned.sealed {
                self.look_into(&sealed.memtable, self.read_seqno)?;
            }
        }
        Ok(())
    }

    /// Looks into a memtable that is no part of the tree, for rows below a bound of its own.
    pub(crate) fn look_into_overlay(&mut self, memtable: &Memtable, cutoff: SeqNo) -> Result<()> {
        if cutoff > 0 && !self.key.is_empty() { self.look_into(memtable, cutoff) } else { Ok(()) }
    }

    /// Goes on with the tables of the same super-version; false if it stopped in front of what is out of reach. With
    /// [`Reach::All`] it does I/O and goes to the end.
    #[inline]
    pub(crate) fn go_on(&mut self, pinned: &SuperVersion, options: &TreeOptions, reach: Reach<'_>) -> Result<bool> {
        if !self.can_see_rows() {
            return Ok(true);
        }
        while let Some(run) = pinned.version.runs.get(self.runs) {
            if !self.pass(run, options, reach)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes through the next run, which is this one; false if it stopped in front of what is out of reach.
    #[inline]
    pub(super) fn pass(&mut self, run: &Run, options: &TreeOptions, reach: Reach<'_>) -> Result<bool> {
        if !self.newest.beats(run.max_seqno()) && !self.search(run, options, reach)? {
            return Ok(false);
        }
        self.runs += 1;
        Ok(true)
    }

    /// How many runs it has gone through.
    #[inline]
    pub(super) fn passed(&self) -> usize {
        self.runs
    }

    /// The key, and its hash under the tree's seed.
    #[inline]
    pub(super) fn key(&self) -> (&'a [u8], u64) {
        (self.key, self.hash)
    }

    /// Where it will look in the next run, which is this one, if in a table that is open: asks for the filter's memory.
    #[inline]
    pub(super) fn look_ahead<'r>(&self, run: &'r Run, options: &TreeOptions) -> Option<Ahead<'r>> {
        if !self.can_see_rows() || self.newest.beats(run.max_seqno()) {
            return None;
        }
        let file = run.find(self.key, &options.order)?;
        let table = file.opened()?;
        let hash = self.hash_for(table);
        table.prefetch_filter(hash);
        Some(Ahead { file, table, hash })
    }

    /// Goes on with that: asks the filter, finds the block, and asks for its slot. `near` is the way of another search.
    #[inline]
    pub(super) fn approach<'r>(&self, ahead: Ahead<'r>, near: Option<&Way<'r>>) -> Option<Way<'r>> {
        let near = near.map(|near| &near.approach);
        let approach = ahead.table.approach(self.key, ahead.hash, self.read_seqno, near)?;
        Some(Way { ahead, approach })
    }

    /// Goes through the next run by its way there; false if it stopped in front of what is out of reach.
    #[inline]
    pub(super) fn pass_by(&mut self, way: &Way<'_>, options: &TreeOptions, reach: Reach<'_>) -> Result<bool> {
        let Ahead { file, table, .. } = way.ahead;
        if !self.is_needless(file) && !self.search_table(file, table, Some(&way.approach), options, reach)? {
            return Ok(false);
        }
        self.runs += 1;
        Ok(true)
    }

    /// Its hash under the seed of a table.
    #[inline]
    fn hash_for(&self, table: &Table) -> u64 {
        let table_seed = table.properties().hash_seed;
        // A table that came from elsewhere is asked with the seed that it was built with.
        if table_seed == self.hash_seed { self.hash } else { key_hash(table_seed, self.key) }
    }

    /// What it has come to, once it has gone to the end.
    #[inline]
    pub(crate) fn result(&self) -> Result<Ended> {
        let Some(row) = self.newest.row else { return Ok(Ended::Absent) };
        Ok(match seen(row.kind, row.flags)? {
            Seen::Value => Ended::Found,
            Seen::Gone => Ended::Absent,
            Seen::Operand => Ended::Operand,
        })
    }

    /// Goes to the end; whether the key has a value, which then was taken. Does I/O.
    pub(crate) fn finish(&mut self, pinned: &SuperVersion, options: &TreeOptions) -> Result<bool> {
        self.go_on(pinned, options, Reach::All)?;
        let ended = self.result()?;
        if ended == Ended::Operand {
            let value = fold_key(pinned, options, self.key, self.read_seqno)?;
            self.newest.value.take_shared(value.into());
        }
        Ok(ended != Ended::Absent)
    }

    /// Counts what was met.
    #[inline]
    pub(crate) fn count(self, pinned: &SuperVersion, options: &TreeOptions) {
        let stats = options.stats.local();
        stats.add(Counter::GetCount, 1);
        if FilterProbes::is_sample(stats.own_count(Counter::GetCount)) {
            self.note_sample(pinned, options);
        }
        self.met.add_to(stats);
        if self.newest.row.is_some() {
            stats.add(self.newest.place, 1);
        }
    }

    /// Notes of each level whether its filters were asked in vain, and what asking them cost.
    #[cold]
    fn note_sample(&self, pinned: &SuperVersion, options: &TreeOptions) {
        for (number, level) in pinned.version.levels.iter().enumerate() {
            let answers = level.runs.iter().filter_map(|run| self.is_asked_in_vain(run, options));
            answers.for_each(|is_absent| pinned.probes.note(number, is_absent));
        }
        if self.newest.row.is_none() || self.newest.place == Counter::GetTableHits {
            pinned.toll.got(READS_PER_SAMPLE);
        }
    }

    /// Whether the table that may hold the key was asked, and does not. `None` without such a table.
    fn is_asked_in_vain(&self, run: &Run, options: &TreeOptions) -> Option<bool> {
        let table = run.find(self.key, &options.order).filter(|_| self.can_see_rows())?.opened()?;
        let is_absent = match table.filter_answer(self.hash_for(table)) {
            // Whether it held an older row than the newest is not known.
            None => self.newest.row.is_none(),
            Some(may_contain) => !may_contain,
        };
        Some(is_absent && !self.newest.beats(run.max_seqno()))
    }

    #[inline]
    pub(super) fn can_see_rows(&self) -> bool {
        self.read_seqno > 0 && !self.key.is_empty()
    }

    #[inline]
    fn look_into(&mut self, memtable: &Memtable, read_seqno: SeqNo) -> Result<()> {
        self.newest.hide_below(memtable.cover(self.key, read_seqno), Counter::GetMemtableHits);
        let is_needless = match self.newest.row {
            None => memtable.is_untouched(),
            Some(row) => memtable.max_seqno().is_none_or(|max| row.seqno >= max),
        };
        if is_needless {
            return Ok(());
        }
        if let Some(MemtableRow { seqno, kind, value }) = memtable.get(self.key, self.hash, read_seqno)? {
            let found = RowHead { seqno, kind, flags: RowFlags::NONE };
            self.newest.take(found, Counter::GetMemtableHits, |taker| taker.take(value));
        }
        Ok(())
    }

    /// Searches the table of a run that may hold the key; false if it is out of reach.
    #[inline]
    fn search(&mut self, run: &Run, options: &TreeOptions, reach: Reach<'_>) -> Result<bool> {
        let Some(file) = run.find(self.key, &options.order) else { return Ok(true) };
        if self.is_needless(file) {
            return Ok(true);
        }
        let table = match reach {
            Reach::All => file.open()?,
            Reach::Resident(_) => match file.opened() {
                Some(table) => table,
                None => return Ok(false),
            },
        };
        self.search_table(file, table, None, options, reach)
    }

    /// Whether neither a row nor a range tombstone of a table could count.
    #[inline]
    fn is_needless(&self, file: &TableFile) -> bool {
        let is_needless = |min_seqno, max_seqno| self.newest.beats(max_seqno) || min_seqno >= self.read_seqno;
        let RangeCounts { count: ranges, min_seqno, max_seqno } = file.meta.ranges;
        let are_ranges_needless = ranges == 0 || is_needless(min_seqno, max_seqno);
        are_ranges_needless && is_needless(file.meta.min_seqno, file.meta.max_seqno)
    }

    /// Searches a table, from the block on to which its way there leads; false if that is out of reach.
    #[inline]
    fn search_table(
        &mut self,
        file: &TableFile,
        table: &Table,
        approach: Option<&Approach<'_>>,
        options: &TreeOptions,
        reach: Reach<'_>,
    ) -> Result<bool> {
        if let Some(ranges) = table.range_tombstones() {
            self.newest.hide_below(ranges.cover(self.key, self.read_seqno, &options.order), Counter::GetTableHits);
            if self.newest.beats(file.meta.max_seqno) {
                return Ok(true);
            }
        }
        let read = PointRead { key: self.key, hash: self.hash_for(table), read_seqno: self.read_seqno, reach };
        let looked = match approach {
            Some(approach) => table.look_at(approach, &read, &mut self.met, &mut self.newest)?,
            None => table.look(&read, &mut self.met, &mut self.newest)?,
        };
        Ok(looked != Looked::OutOfReach)
    }
}

impl<V: TakeValue> Newest<'_, V> {
    /// Whether a row of this seqno would not be newer.
    #[inline]
    fn beats(&self, seqno: SeqNo) -> bool {
        self.row.is_some_and(|row| row.seqno >= seqno)
    }

    /// Rows below `cover` are hidden: as if a tombstone lay right below it. 0 hides none.
    fn hide_below(&mut self, cover: SeqNo, place: Counter) {
        if cover > 0 && self.row.is_none_or(|row| row.seqno < cover) {
            self.row = Some(RowHead { seqno: cover - 1, kind: Kind::Tombstone, flags: RowFlags::NONE });
            self.place = place;
        }
    }

    #[inline]
    fn take(&mut self, row: RowHead, place: Counter, take_value: impl FnOnce(&mut V)) {
        if self.beats(row.seqno) {
            return;
        }
        if row.kind != Kind::Tombstone {
            take_value(self.value);
        }
        self.row = Some(row);
        self.place = place;
    }
}

impl<V: TakeValue> TakeRow for Newest<'_, V> {
    #[inline]
    fn take(&mut self, row: RowHead, value: &[u8]) {
        self.take(row, Counter::GetTableHits, |taker| taker.take(value));
    }

    #[inline]
    fn take_shared(&mut self, row: RowHead, value: Slice) {
        self.take(row, Counter::GetTableHits, |taker| taker.take_shared(value));
    }
}
