//! The loop of every rewrite: rows from a cursor, through the rules, into tables.

use super::{
    elsewhere::Elsewhere,
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

/// What a rewrite needs.
pub(crate) struct Rewrite<'a> {
    pub(crate) spec: OutputSpec<'a>,
    pub(crate) retention: &'a Retention,
    /// Those of all sources.
    pub(crate) range_tombstones: Vec<RangeTombstone>,
    pub(crate) elsewhere: Elsewhere,
    /// Whether no table lies in a deeper level than those that are made.
    pub(crate) is_last_level: bool,
    pub(crate) on_slice: OnSlice<'a>,
}

/// What it made: tables that are durable with their names, and that no version names yet.
#[derive(Debug)]
pub(crate) struct Rewritten<'a> {
    pub(crate) outputs: Outputs<'a>,
    /// Rows that went in.
    pub(crate) rows_in: u64,
    /// How far back reads are still exact, if versions went.
    pub(crate) history: Option<History>,
}

impl<'a> Rewrite<'a> {
    /// Rewrites everything that `cursor` walks over.
    pub(crate) fn run(self, mut cursor: Merging<Source>) -> Result<Rewritten<'a>> {
        let (elsewhere, options) = (&self.elsewhere, self.spec.options);
        let policy = Policy::new(self.retention, self.is_last_level);
        let ranges = Ranges::new(self.range_tombstones, &policy, &options.order, |keys, seqno| {
            elsewhere.may_hold_older_within(keys, seqno)
        });
        let mut rules = Rules::new(policy, &ranges, options.merge_operator.clone(), elsewhere);
        let mut outputs = Outputs::new(self.spec, ranges.kept().iter().cloned().collect());
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
        slices.end_slice(outputs.bytes())?;
        Ok(Rewritten { outputs, rows_in, history })
    }
}
