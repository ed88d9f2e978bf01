//! How wide filters are: bits per key, run by run.
//!
//! A read of a key that is not there asks the filter of every run, and each that is wrong costs a block. By which run the block was
//! does not matter, but what a bit per key takes does: in a small run next to nothing. So small runs are to be wrong less often than large
//! ones. After Dayan, Athanassoulis and Idreos, "Monkey: Optimal Navigable Key-Value Store", SIGMOD 2017: least is
//!
//! ```text
//! sum of probes[i] * rate(bits[i])    where    sum of rows[i] * bits[i] = bits_per_key * sum of rows[i]
//! ```
//!
//! if a bit saves as many probes wherever it is added. For rates that fall by the same factor with each bit, rates are then as the rows
//! of their runs are, and a run whose rate would come to 1 has no filter. Ours do not quite, and bits are whole: so every run climbs the
//! *lower hull* of its rates from no bits on, and the steps of all of them are taken in the order of what they save per bit, until there are
//! no more bits. A step for which there are not enough is taken by a part of the run's tables. No other widths of the same size in all, equal
//! ones included, are wrong less often; and of two runs that are asked as often the larger is never wider.

use crate::{
    options::{FilterWidths, TreeOptions},
    super_version::SuperVersion,
    version::TableFile,
};
use sediment_base::{KeyRange, TableId};
use sediment_table::FilterKind;
use std::{collections::HashSet, sync::Arc};

const BITS_PER_KEY_MAX: u8 = 32;

/// Bits per key of the filters of a run, and whether its tables have locators in place of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FilterWidth {
    narrow: u8,
    wide: u8,
    /// Of the tables, the part that have the wide one.
    wide_share: f64,
    has_locators: bool,
}

impl FilterWidth {
    /// The same for all tables.
    pub(crate) fn exactly(bits_per_key: u8) -> Self {
        Self { narrow: bits_per_key, wide: bits_per_key, wide_share: 1.0, has_locators: false }
    }

    /// The same, and whether tables have locators where they can.
    pub(crate) fn with_locators(self, has_locators: bool) -> Self {
        Self { has_locators, ..self }
    }

    /// Whether tables have locators. The width is then of the filter of one that cannot.
    pub(crate) fn has_locators(&self) -> bool {
        self.has_locators
    }

    /// That of one table. The wide ones lie evenly between the others, however many there are: multiples of the golden ratio do.
    pub(crate) fn of(&self, table: TableId) -> u8 {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let place = table.0.wrapping_mul(GOLDEN) as f64 / u64::MAX as f64;
        if place < self.wide_share { self.wide } else { self.narrow }
    }
}

/// Tables that are about to be made.
#[derive(Debug)]
pub(crate) struct Arriving<'a> {
    /// Where they go.
    pub(crate) level: usize,
    /// All keys that they may have.
    pub(crate) range: KeyRange,
    /// How many rows they will have at most.
    pub(crate) rows: u64,
    /// How their filters are built.
    pub(crate) kind: FilterKind,
    /// The tables that go when they come.
    pub(crate) replaced: &'a HashSet<TableId>,
}

/// The width for tables that come into a version. Runs of other tables count with the width that they would get now, each with how often
/// it is asked in vain.
pub(crate) fn width(pinned: &SuperVersion, options: &TreeOptions, arriving: &Arriving<'_>) -> FilterWidth {
    if options.locators && is_last(pinned, options, arriving) {
        return FilterWidth::exactly(options.filter_bits_per_key).with_locators(true);
    }
    match options.filter_widths {
        FilterWidths::Uniform => FilterWidth::exactly(options.filter_bits_per_key),
        FilterWidths::ByLevel => {
            let (runs, own) = runs(pinned, options, arriving);
            widths(&runs, options.filter_bits_per_key)[own]
        }
    }
}

/// Whether no table that stays holds any of their keys, where they go or below: then reads end there, and they sink as far as there are levels.
fn is_last(pinned: &SuperVersion, options: &TreeOptions, arriving: &Arriving<'_>) -> bool {
    let runs = pinned.version.levels.iter().skip(arriving.level).flat_map(|level| &level.runs);
    let mut below = runs.flat_map(|run| run.overlapping(&arriving.range, &options.order));
    below.all(|file| arriving.replaced.contains(&file.meta.id))
}

/// The runs once the tables are there, and which is theirs: the deepest one that they can sink into without meeting a table on the way.
/// For they sink as they are, with the filters that they have: where keys ascend, all do.
fn runs(pinned: &SuperVersion, options: &TreeOptions, arriving: &Arriving<'_>) -> (Vec<FilteredRun>, usize) {
    let is_staying = |file: &&Arc<TableFile>| !arriving.replaced.contains(&file.meta.id);
    let (mut runs, mut joined, mut sinks) = (Vec::new(), None, true);
    for (index, level) in pinned.version.levels.iter().enumerate() {
        let probes = pinned.probes.absent_share(index);
        let kind = if index == 0 { options.level0_filter } else { options.filter };
        for run in &level.runs {
            if index >= arriving.level && sinks {
                sinks = !run.overlapping(&arriving.range, &options.order).iter().any(|file| is_staying(&file));
                joined = if sinks { Some(runs.len()) } else { joined };
            }
            let rows = run.tables().iter().filter(is_staying).map(|file| file.meta.rows).sum();
            runs.push(FilteredRun { rows, kind, probes });
        }
    }
    if options.locators
        && let Some(last) = runs.last_mut()
    {
        // What comes above it leaves the last run its locators: it takes no bits.
        last.rows = 0;
    }
    let own = joined.unwrap_or(runs.len());
    if own == runs.len() {
        runs.push(FilteredRun { rows: 0, kind: arriving.kind, probes: pinned.probes.absent_share(arriving.level) });
    }
    runs[own].rows += arriving.rows;
    runs[own].kind = arriving.kind;
    (runs, own)
}

/// A run, as far as it matters here.
#[derive(Clone, Copy, Debug)]
struct FilteredRun {
    rows: u64,
    kind: FilterKind,
    /// How often its filters are asked for keys that are not there, to the others.
    probes: f64,
}

/// Filters of one kind become wider: from one corner of the lower hull of their rates to the next.
#[derive(Clone, Copy, Debug)]
struct Step {
    from: u8,
    to: u8,
    /// By how much the rate falls for each of the bits. Less from step to step.
    falls: f64,
}

/// The widths at which filters are wrong least often, where all keys together have so many bits as if each had `bits_per_key`.
fn widths(runs: &[FilteredRun], bits_per_key: u8) -> Vec<FilterWidth> {
    let (split_block, burr) = (hull(FilterKind::SplitBlock), hull(FilterKind::Burr));
    let hull = |kind| match kind {
        FilterKind::SplitBlock => &split_block,
        FilterKind::Burr => &burr,
    };
    let steps = runs.iter().enumerate().flat_map(|(run, of)| {
        // Without rows bits cost nothing, and save infinitely much for that.
        hull(of.kind).iter().map(move |step| (run, *step, of.probes * step.falls / of.rows as f64))
    });
    let mut steps: Vec<_> = steps.filter(|(_, _, saves)| *saves > 0.0).collect();
    // Stable: the steps of a run stay in order.
    steps.sort_by(|(_, _, a), (_, _, b)| b.total_cmp(a));
    let mut widths = vec![FilterWidth::exactly(0); runs.len()];
    let rows: f64 = runs.iter().map(|run| run.rows as f64).sum();
    let mut bits_left = rows * f64::from(bits_per_key.min(BITS_PER_KEY_MAX));
    for (run, Step { from, to, .. }, _) in steps {
        let bits = runs[run].rows as f64 * f64::from(to - from);
        if bits > bits_left {
            if bits_left > 0.0 {
                let wide_share = bits_left / bits;
                widths[run] = FilterWidth { narrow: from, wide: to, wide_share, has_locators: false };
            }
            break;
        }
        widths[run] = FilterWidth::exactly(to);
        bits_left -= bits;
    }
    widths
}

/// From no bits to as many as there may be.
fn hull(kind: FilterKind) -> Vec<Step> {
    let rates: Vec<f64> = (0..=BITS_PER_KEY_MAX).map(|bits| kind.false_positive_rate(bits)).collect();
    let falls = |from: u8, to: u8| (rates[usize::from(from)] - rates[usize::from(to)]) / f64::from(to - from);
    let mut steps: Vec<Step> = Vec::new();
    for to in 1..=BITS_PER_KEY_MAX {
        let mut from = to - 1;
        while let Some(before) = steps.pop_if(|before| before.falls <= falls(from, to)) {
            from = before.from;
        }
        steps.push(Step { from, to, falls: falls(from, to) });
    }
    steps
}

#[cfg(test)]
mod tests;
