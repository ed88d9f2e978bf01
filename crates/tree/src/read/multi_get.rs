//! Many points at once, at one seqno.
//!
//! Each key is a [`Search`] like any other, which alone knows what its rows mean. Here they only take their steps together: what a step looks
//! at is asked for, for a group of keys, before the step is taken for the first of them, so that the group waits for memory once and not
//! each key for itself. Searches that stop in front of what is not in memory go on when the others are done, in the order of the places
//! that they read, so that a block is read for all keys in it, and neighbours one after another.

use super::get::{Ended, Search, TakeValue, Way};
use crate::{options::TreeOptions, super_version::SuperVersion, version::Run};
use sediment_base::{KeyOrder, Result, SeqNo};
use sediment_raw::epoch::Pin;
use sediment_table::Reach;
use smallvec::SmallVec;
use std::cmp::Ordering;

/// So many keys take their steps together: what they wait for stays in the nearest cache until it is looked at.
const GROUP_KEYS: usize = 32;

/// Searches for several keys in one super-version.
#[derive(Debug)]
pub(crate) struct Searches<'a, V> {
    each: Vec<Search<'a, V>>,
}

impl<'a, V: TakeValue> Searches<'a, V> {
    /// Begins, with the memtables. A value for each key. Whether the super-version can be read at this seqno is checked already.
    pub(crate) fn begin<K: AsRef<[u8]>>(
        pinned: &SuperVersion,
        keys: &'a [K],
        read_seqno: SeqNo,
        values: &'a mut [V],
        pin: &Pin,
    ) -> Result<Self> {
        assert_eq!(keys.len(), values.len(), "a value for each key");
        let pairs = keys.iter().zip(values);
        let mut each: Vec<_> = pairs.map(|(key, value)| Search::new(pinned, key.as_ref(), read_seqno, value)).collect();
        each.chunks_mut(GROUP_KEYS).try_for_each(|group| look_into_memtables(group, pinned, pin))?;
        Ok(Self { each })
    }

    /// Goes on with the tables of the same super-version, as far as they are in memory; whether all have come to what they are.
    pub(crate) fn go_on_resident(&mut self, pinned: &SuperVersion, options: &TreeOptions, pin: &Pin) -> Result<bool> {
        let mut all_ended = true;
        for group in self.each.chunks_mut(GROUP_KEYS) {
            for (number, run) in pinned.version.runs.iter().enumerate() {
                pass_together(group, number, run, options, pin)?;
            }
            for search in group {
                let has_passed = !search.can_see_rows() || search.passed() == pinned.version.runs.len();
                all_ended &= has_passed && search.result()? != Ended::Operand;
            }
        }
        Ok(all_ended)
    }

    /// Whether each key has a value, which then was taken, once all have come to what they are. Counts what was met.
    pub(crate) fn end(self, pinned: &SuperVersion, options: &TreeOptions) -> Result<Vec<bool>> {
        let found = self.each.iter().map(|search| Ok(search.result()? == Ended::Found)).collect();
        self.count(pinned, options);
        found
    }

    /// Goes on to the end of all; whether each key has a value, which then was taken. Does I/O: the caller holds no epoch pin.
    #[cold]
    pub(crate) fn finish(mut self, pinned: &SuperVersion, options: &TreeOptions) -> Result<Vec<bool>> {
        let mut found = vec![false; self.each.len()];
        let mut by_place: Vec<_> = self.each.iter_mut().zip(&mut found).collect();
        by_place.sort_by(|(a, _), (b, _)| place(a, b, &options.order));
        let finished = by_place.into_iter().try_for_each(|(search, found)| {
            *found = search.finish(pinned, options)?;
            Ok(())
        });
        self.count(pinned, options);
        finished.map(|()| found)
    }

    fn count(self, pinned: &SuperVersion, options: &TreeOptions) {
        self.each.into_iter().for_each(|search| search.count(pinned, options));
    }
}

fn look_into_memtables<V: TakeValue>(group: &mut [Search<'_, V>], pinned: &SuperVersion, pin: &Pin) -> Result<()> {
    for memtable in pinned.memtables().filter(|memtable| !memtable.is_untouched()) {
        group.iter().for_each(|search| memtable.prefetch(search.key().1, pin));
        group.iter().for_each(|search| memtable.prefetch_row(search.key().1, pin));
    }
    group.iter_mut().try_for_each(|search| search.look_into_memtables(pinned))
}

/// Takes the searches that have come as far as this run through it, each step for all of them.
fn pass_together<V: TakeValue>(
    group: &mut [Search<'_, V>],
    number: usize,
    run: &Run,
    options: &TreeOptions,
    pin: &Pin,
) -> Result<()> {
    let ways = ways(group, number, run, options);
    let approaches = || ways.iter().flatten().map(|way| &way.approach);
    approaches().for_each(|approach| approach.prefetch_head(pin));
    approaches().for_each(|approach| approach.prefetch_tags(pin));
    approaches().for_each(|approach| approach.prefetch_slots(pin));
    approaches().for_each(|approach| approach.prefetch_records(pin));
    for (search, way) in group.iter_mut().zip(&ways).filter(|(search, _)| search.passed() == number) {
        match way {
            Some(way) => search.pass_by(way, options, Reach::Resident(pin))?,
            None => search.pass(run, options, Reach::Resident(pin))?,
        };
    }
    Ok(())
}

/// The way of each into this run, where it has one: asks the filters of its tables, then finds the blocks.
fn ways<'r, V: TakeValue>(
    group: &[Search<'_, V>],
    number: usize,
    run: &'r Run,
    options: &TreeOptions,
) -> SmallVec<[Option<Way<'r>>; GROUP_KEYS]> {
    let ahead = |search: &Search<'_, V>| if search.passed() == number { search.look_ahead(run, options) } else { None };
    let ahead: SmallVec<[_; GROUP_KEYS]> = group.iter().map(ahead).collect();
    let mut last = None;
    let ways = group.iter().zip(ahead).map(|(search, ahead)| {
        let way = search.approach(ahead?, last.as_ref());
        last = way.or(last);
        way
    });
    ways.collect()
}

/// By run, and there by key: as rows lie.
fn place<V: TakeValue>(a: &Search<'_, V>, b: &Search<'_, V>, order: &KeyOrder) -> Ordering {
    a.passed().cmp(&b.passed()).then_with(|| order.compare(a.key().0, b.key().0))
}
