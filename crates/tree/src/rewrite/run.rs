//! The loop of every rewrite: rows from a cursor, through the rules, into tables.

use super::{
    cuts::Cuts,
    elsewhere::Elsewhere,
    filter::Judge,
    output::{OutputSpec, Outputs},
    ranges::Ranges,
    rules::{Policy, Rules},
    slices::{OnSlice, Slices},
};
use crate::{
    cursor::{Merging, Source},
    retention::Retention,
    version::History,
};
use sediment_base::{Cursor, RangeTombstone, Result};
use sediment_table::TableMeta;

/// What a rewrite needs.
pub(crate) struct Rewrite<'a> {
    pub(crate) spec: OutputSpec<'a>,
    pub(crate) cuts: &'a Cuts,
    pub(crate) retention: &'a Retention,
    /// Those of all sources.
    pub(crate) range_tombstones: Vec<RangeTombstone>,
    pub(crate) elsewhere: Elsewhere,
    /// Whether no table lies in a deeper level than those that are made.
    pub(crate) is_last_level: bool,
    /// Whether rows keep their seqnos.
    pub(crate) keeps_seqnos: bool,
    /// Has a say in which rows stay.
    pub(crate) judge: Option<Judge>,
    pub(crate) on_slice: OnSlice<'a>,
}

/// A rewrite that can begin: what becomes of range tombstones is known.
pub(crate) struct Rewriting<'a> {
    spec: OutputSpec<'a>,
    cuts: &'a Cuts,
    policy: Policy,
    ranges: Ranges,
    elsewhere: Elsewhere,
    judge: Option<Judge>,
    on_slice: OnSlice<'a>,
}

/// What it made: tables that are durable with their names, and that no version names yet.
#[derive(Debug)]
pub(crate) struct Rewritten<'a> {
    pub(crate) outputs: Outputs<'a>,
    /// Rows that went in.
    pub(crate) rows_in: u64,
    /// Rows that the filter did not leave as they were.
    pub(crate) rows_filtered: u64,
    /// How far back reads are still exact, if versions went.
    pub(crate) history: Option<History>,
}

impl<'a> Rewrite<'a> {
    /// Works out which range tombstones stay.
    pub(crate) fn begin(self) -> Rewriting<'a> {
        let Self { spec, cuts, retention, range_tombstones, elsewhere, is_last_level, keeps_seqnos, judge, on_slice } = self;
        let policy = Policy::new(retention, is_last_level).keeping_seqnos(keeps_seqnos);
        let ranges = Ranges::new(range_tombstones, &policy, &spec.options.order, |keys, seqno| {
            elsewhere.may_hold_older_within(keys, seqno)
        });
        Rewriting { spec, cuts, policy, ranges, elsewhere, judge, on_slice }
    }
}

impl<'a> Rewriting<'a> {
    /// Whether range tombstones hide all of an input, which then goes without being read.
    pub(crate) fn drops(&mut self, input: &TableMeta) -> bool {
        self.ranges.hide_all_of(input, &self.policy.stripes)
    }

    /// Rewrites everything that `cursor` walks over: all inputs but those that are dropped.
    pub(crate) fn run(mut self, mut cursor: Merging<Source>) -> Result<Rewritten<'a>> {
        let (elsewhere, ranges, operator) = (&self.elsewhere, &self.ranges, self.spec.options.merge_operator.clone());
        let mut rules = Rules::new(self.policy, ranges, operator, elsewhere, self.judge.as_mut());
        let mut outputs = Outputs::new(self.spec, self.cuts, ranges.kept().iter().cloned().collect());
        let mut slices = Slices::new(self.on_slice);
        let mut rows_in = 0;
        cursor.seek_to_first()?;
        while cursor.is_valid() {
            rows_in += 1;
            let key = cursor.key();
            rules.add(key, cursor.flags(), cursor.value(), &mut |key, flags, value| outputs.add(key, flags, value))?;
            let read = key.user_key.len() + cursor.value().len();
            cursor.next()?;
            slices.advance(read, outputs.bytes())?;
        }
        let history = rules.end(&mut |key, flags, value| outputs.add(key, flags, value))?;
        outputs.finish()?;
        outputs.weigh_tombstones(|tombstone| elsewhere.hidden_bytes(tombstone));
        slices.end_slice(outputs.bytes())?;
        let rows_filtered = self.judge.map_or(0, Judge::end);
        Ok(Rewritten { outputs, rows_in, rows_filtered, history })
    }
}
