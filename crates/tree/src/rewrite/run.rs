//! The loop of every rewrite: rows from a cursor, through the rules, into tables.

use super::{
    borders::Portion,
    cuts::Cuts,
    elsewhere::Elsewhere,
    filter::Judge,
    output::{Files, Marks, OutputSpec, Outputs},
    ranges::Ranges,
    removed::Removed,
    rules::{Outside, Policy, Rules},
    slices::{OnSlice, Slices},
};
use crate::{
    cursor::{Merging, Source},
    retention::Retention,
    version::History,
};
use sediment_base::{Cursor, InternalKey, RangeTombstone, Result};
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
    /// Who is asked about runs of removed keys, if they are to be noted.
    pub(crate) removed: Option<&'a Removed<'a>>,
    pub(crate) on_slice: OnSlice<'a>,
}

/// A rewrite that can begin: what becomes of range tombstones is known. Shared by its portions.
pub(crate) struct Rewriting<'a> {
    spec: OutputSpec<'a>,
    cuts: &'a Cuts,
    policy: Policy,
    ranges: Ranges,
    elsewhere: Elsewhere,
    removed: Option<&'a Removed<'a>>,
    on_slice: OnSlice<'a>,
}

/// What a portion of it made: tables that are durable with their names, and that no version names yet.
#[derive(Debug)]
pub(crate) struct Rewritten<'a> {
    pub(crate) outputs: Files<'a>,
    /// Rows that went in.
    pub(crate) rows_in: u64,
    /// Blocks that were taken over as they were.
    pub(crate) blocks_carried: u64,
    /// Rows that the filter did not leave as they were.
    pub(crate) rows_filtered: u64,
    /// Those among them that went without a trace.
    pub(crate) rows_destroyed: u64,
    /// How far back reads are still exact, if versions went.
    pub(crate) history: Option<History>,
}

impl<'a> Rewrite<'a> {
    /// Works out which range tombstones stay.
    pub(crate) fn begin(self) -> Rewriting<'a> {
        let Self { spec, cuts, retention, range_tombstones, elsewhere, is_last_level, keeps_seqnos, removed, on_slice } = self;
        let policy = Policy::new(retention, is_last_level).keeping_seqnos(keeps_seqnos);
        let ranges = Ranges::new(range_tombstones, &policy, &spec.options.order, |keys, seqno| {
            elsewhere.may_hold_older_within(keys, seqno)
        });
        Rewriting { spec, cuts, policy, ranges, elsewhere, removed, on_slice }
    }
}

impl<'a> Rewriting<'a> {
    /// Whether range tombstones hide all of an input, which then goes without being read.
    pub(crate) fn drops(&mut self, input: &TableMeta) -> bool {
        self.ranges.hide_all_of(input, &self.policy.stripes)
    }

    /// Rewrites what `cursor` walks over, all inputs but those that are dropped, as far as it lies in this portion. `judge` has a say in
    /// which rows stay.
    pub(crate) fn run(
        &self,
        portion: &Portion,
        mut cursor: Merging<Source>,
        mut judge: Option<Judge>,
    ) -> Result<Rewritten<'a>> {
        let (ranges, operator, order) = (&self.ranges, self.spec.options.merge_operator.clone(), &self.spec.options.order);
        let mut rules = Rules::new(self.policy.clone(), ranges, operator, self.elsewhere.follow(), judge.as_mut());
        let digest_seed = self.spec.options.entry_checksums.then_some(self.spec.home.hash_seed);
        let (from, until) = (portion.from.as_deref(), portion.until.as_deref());
        let kept = ranges.kept().iter().filter_map(|tombstone| tombstone.clipped(from, until, order));
        let mut outputs = Outputs::new(self.spec, self.cuts, kept.collect()).noticing(self.removed);
        let mut slices = Slices::new(self.on_slice);
        let (mut rows_in, mut blocks_carried) = (0, 0);
        match from {
            Some(from) => cursor.seek(InternalKey::before(from))?,
            None => cursor.seek_to_first()?,
        }
        while cursor.is_valid() {
            if !portion.ends_behind(cursor.key().user_key, order) {
                break;
            }
            if let Some((rows, read)) = carry(portion, &mut cursor, &mut rules, &mut outputs)? {
                rows_in += rows as u64;
                blocks_carried += 1;
                slices.advance(read, outputs.bytes())?;
                continue;
            }
            let key = cursor.key();
            rows_in += 1;
            let marks = Marks { flags: cursor.flags(), digest: digest_seed.and_then(|seed| cursor.digest(seed)) };
            rules.add(key, marks, cursor.value(), &mut |key, marks, value| outputs.add(key, marks, value))?;
            let read = key.user_key.len() + cursor.value().len();
            cursor.next()?;
            slices.advance(read, outputs.bytes())?;
        }
        let history = rules.end(&mut |key, marks, value| outputs.add(key, marks, value))?;
        let mut outputs = outputs.finish()?;
        outputs.weigh_tombstones(|tombstone| self.elsewhere.hidden_bytes(tombstone));
        slices.end_slice(outputs.bytes())?;
        let (rows_filtered, rows_destroyed) = judge.map_or((0, 0), Judge::end);
        Ok(Rewritten { outputs, rows_in, blocks_carried, rows_filtered, rows_destroyed, history })
    }
}

/// Takes over the block on whose first row `cursor` stands, if all its rows stay as they are and none comes between, and moves behind it.
/// How many rows it has, and bytes. Else it has done nothing that the rows by themselves would not.
#[inline]
fn carry<O: Outside>(
    portion: &Portion,
    cursor: &mut Merging<Source>,
    rules: &mut Rules<'_, O>,
    outputs: &mut Outputs<'_>,
) -> Result<Option<(usize, usize)>> {
    let Some(block) = cursor.whole_block() else { return Ok(None) };
    if portion.until.as_ref().is_some_and(|until| !block.ends_before(until)) || !rules.leave(&block) {
        return Ok(None);
    }
    let read = (block.rows(), block.bytes());
    rules.let_pass(&mut |key, marks, value| outputs.add(key, marks, value))?;
    let is_carried = cursor.table_cursor().map_or(Ok(false), |cursor| outputs.add_block(cursor))?;
    if is_carried {
        cursor.pass_block()?;
    }
    Ok(is_carried.then_some(read))
}
