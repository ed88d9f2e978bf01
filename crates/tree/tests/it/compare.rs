//! Long random histories of writes, flushes, compactions, snapshots and reopenings, compared with the model at every turn.

use crate::{
    cursors,
    model::{Ends, Helping, Pair, Row, owned, small_options},
    multi_gets, parts,
};
use sediment_base::{
    Comparator, KeyOrder, Result, SeqNo, Slice, prefix_extractor::by_name, range::prefix_bounds, stats::Counter,
};
use sediment_codec::compress::{Dictionary, Method, ZstdLevel};
use sediment_env::{Env, fs::MemFs, random::SeededRandom};
use sediment_table::{FilterKind, Residency};
use sediment_testkit::back_references::BackReferences;
use sediment_tree::{FilterWidths, Lazy, Leveled, Strategy, Tiered, TreeOptions};
use std::{cmp::Ordering, collections::BTreeSet, ops::Bound, sync::Arc};

/// Short keys first, then by bytes backwards: unlike the order of bytes in every respect, and without heads.
#[derive(Debug)]
pub(crate) struct Odd;

impl Comparator for Odd {
    fn name(&self) -> &str {
        "odd"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.len().cmp(&b.len()).then_with(|| b.cmp(a))
    }
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn random_histories_agree_with_the_model() -> Result<()> {
    all()
}

/// `SEDIMENT_TREE_SEEDS` histories of `SEDIMENT_TREE_STEPS` steps, each under both orders, from `SEDIMENT_FIRST_SEED` on.
pub(crate) fn all() -> Result<()> {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (first, steps) = (number("SEDIMENT_FIRST_SEED", 0), number("SEDIMENT_TREE_STEPS", 1500));
    let (seeds, mut compactions, mut divided, mut seen) = (number("SEDIMENT_TREE_SEEDS", 8), 0, 0, [0; 3]);
    let mut met = BTreeSet::new();
    for seed in first..first + seeds {
        for order in [KeyOrder::bytewise(), KeyOrder::custom(Arc::new(Odd))] {
            let counts = run(seed, steps, order, &mut met).inspect_err(|error| panic!("seed {seed}: {error}"))?;
            (compactions, divided) = (compactions + counts.0, divided + counts.1);
            seen.iter_mut().zip(counts.2).for_each(|(sum, seen)| *sum += seen);
        }
    }
    assert!(compactions as u64 > seeds, "only {compactions} compactions");
    assert!(divided > seeds, "only {divided} in portions");
    assert!(seen.iter().all(|count| *count > 4 * seeds), "runs of removed keys found and passed, blocks carried: {seen:?}");
    // Four codecs, one of them with dictionaries and without, under two kinds of filters, locators and none.
    assert!(met.len() == 20 || seeds < 8 || steps < 1500, "each codec under each filter: {met:?}");
    Ok(())
}

/// One of those that there are.
pub(crate) fn any_strategy(random: &SeededRandom) -> Arc<dyn Strategy> {
    match random.below(4) {
        0 => Arc::new(Leveled),
        1 => Arc::new(Tiered),
        2 => Arc::new(Lazy::default()),
        _ => Arc::new(Lazy::new(100)),
    }
}

/// Small sizes, so that much happens; one set for each seed.
pub(crate) fn options(random: &SeededRandom, order: KeyOrder) -> TreeOptions {
    let pick = |choices: &[u64]| choices[random.below(choices.len() as u64) as usize];
    let mut options = small_options(order);
    options.block_bytes = pick(&[256, 512, 4096]) as usize;
    options.table_bytes = pick(&[1 << 10, 4 << 10, 16 << 10]);
    options.filter_bits_per_key = pick(&[0, 6, 10]) as u8;
    options.filter_widths = [FilterWidths::Uniform, FilterWidths::ByLevel][random.below(2) as usize];
    options.locators = random.below(2) == 0;
    let kind = || [FilterKind::SplitBlock, FilterKind::Burr][random.below(2) as usize];
    (options.filter, options.level0_filter) = (kind(), kind());
    options.level0_trigger = pick(&[1, 3, 5]) as usize;
    options.level_ratio = pick(&[2, 3, 10]);
    options.level_base_bytes = pick(&[4 << 10, 8 << 10, 64 << 10]);
    if options.order.is_lexicographic() {
        options.prefix_extractor = by_name(["", "fixed-2", "fixed-14", "delimited-2d-2"][random.below(4) as usize]);
    }
    options.tombstones_due = pick(&[1, 10, 10_000]);
    options.removed_run_rows = pick(&[2, 4, 20]);
    options.codecs = Arc::new([Arc::new(BackReferences)]);
    (options.codec, options.level0_codec) = (codec(random), codec(random));
    options.dictionary_bytes = pick(&[0, 256, 1024]) as usize;
    options.dictionary = (random.below(3) == 0)
        .then(|| Arc::new(Dictionary::new(&[b"longer-key-", &[7; 300][..]].concat()).expect("any bytes")));
    options.entry_checksums = random.below(2) == 0;
    options.cold_input_bytes = pick(&[1, 16 << 10, u64::MAX]);
    if random.below(4) == 0 {
        // Long fences, and filters of more than a page.
        (options.block_bytes, options.table_bytes) = (256, 64 << 10);
    }
    let residency = || [[Residency::Resident; 7], [Residency::Paged; 7]][random.below(2) as usize];
    (options.filter_residency, options.fence_residency) = (residency(), residency());
    options
}

fn codec(random: &SeededRandom) -> Method {
    match random.below(4) {
        0 => Method::None,
        1 => Method::Lz4,
        2 => Method::Other(Arc::new(BackReferences)),
        _ => Method::Zstd(ZstdLevel::new(1 + random.below(4) as u8).expect("in range")),
    }
}

/// None, threads, or such as are not there.
pub(crate) fn any_help(random: &SeededRandom) -> Option<Helping> {
    let count = 1 + random.below(4) as usize;
    match random.below(3) {
        0 => None,
        1 => Some(Helping::inline(count)),
        _ => Some(Helping::threads(count)),
    }
}

/// Other settings from now on, under the same components.
pub(crate) fn change_settings(pair: &mut Pair, random: &SeededRandom) -> Result<()> {
    pair.helping = any_help(random);
    let (cache, stats) = (Arc::clone(&pair.options.cache), Arc::clone(&pair.options.stats));
    pair.options = TreeOptions { cache, stats, ..options(random, pair.options.order.clone()) };
    pair.tree.set_options(&pair.options)
}

/// A codec, a kind of filter (0 for none, 3 for locators where a table can have one), and whether there are dictionaries.
pub(crate) type Combination = (u8, u8, bool);

/// What tables are written with.
pub(crate) fn combinations(options: &TreeOptions) -> [Combination; 2] {
    let kind = |kind| match (options.locators, options.filter_bits_per_key) {
        (true, _) => 3,
        (false, 0) => 0,
        (false, _) => 1 + kind as u8,
    };
    let has_dictionaries = |codec: &Method| matches!(codec, Method::Zstd(_)) && options.dictionary_bytes > 0;
    [(&options.codec, options.filter), (&options.level0_codec, options.level0_filter)]
        .map(|(codec, filter)| (codec.codec().tag(), kind(filter), has_dictionaries(codec)))
}

/// How often it compacted, how often in portions, how many runs of removed keys were found and passed, and blocks carried.
fn run(seed: u64, steps: u64, order: KeyOrder, met: &mut BTreeSet<Combination>) -> Result<(usize, u64, [u64; 3])> {
    let random = SeededRandom::new(seed);
    let options = options(&random, order);
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), seed), options)?;
    pair.tree.set_strategy(any_strategy(&random));
    let mut compactions = 0;
    for step in 0..steps {
        if step % 500 == 499 {
            pair.forget_old();
        }
        if step % 60 == 59 {
            met.extend(combinations(&pair.options));
            change_settings(&mut pair, &random)?;
        }
        match random.below(100) {
            0..48 => pair.write_row(&key(&random), row(&random))?,
            48..52 => pair.write_batch((0..random.below(6)).map(|_| (key(&random), row(&random))).collect())?,
            52..56 => {
                let (start, end) = range(&random, &pair.options.order);
                pair.remove_range(&start, &end)?;
            }
            56 => {
                let mut rows: Vec<_> = (0..random.below(40)).map(|_| (key(&random), value(&random))).collect();
                rows.sort_by(|a, b| pair.options.order.compare(&a.0, &b.0));
                rows.dedup_by(|a, b| a.0 == b.0);
                pair.ingest(&rows)?;
            }
            57..60 => check_some(&pair, &random, &format!("seed {seed} step {step}"))?,
            60..67 if pair.held.len() < 8 => pair.hold_row(&key(&random), row(&random)),
            67..69 if pair.held.len() < 8 => {
                let (start, end) = range(&random, &pair.options.order);
                pair.hold_range(&start, &end);
            }
            69..71 => pair.deliver_all()?,
            71..75 => pair.flush()?,
            75..80 => compactions += pair.compact_due()?,
            80 => pair.compact_all()?,
            81..84 if pair.pins.len() < 6 => pair.pins.push(pair.visible()),
            84..86 if !pair.pins.is_empty() => drop(pair.pins.swap_remove(random.below(pair.pins.len() as u64) as usize)),
            86 => {
                pair.deliver_all()?;
                pair.flush()?;
                pair.reopen()?;
            }
            87 if random.below(2) == 0 => drop(pair.seal()),
            // Rows may be sealed with it that are newer than some which are still on their way.
            87 => drop(pair.tree.seal(pair.visible() - 1)),
            88 => pair.flush_sealed()?,
            89 => pair.tree.set_strategy(any_strategy(&random)),
            92 | 93 => remove_neighbours(&mut pair, &random)?,
            90..92 if !pair.held.is_empty() => pair.deliver(random.below(pair.held.len() as u64) as usize)?,
            _ => check_some(&pair, &random, &format!("seed {seed} step {step}"))?,
        }
    }
    remove_half(&mut pair, &random)?;
    check_all(&pair, &format!("seed {seed} at the end"))?;
    pair.pins.clear();
    pair.compact_all()?;
    check_all(&pair, &format!("seed {seed} without pins"))?;
    let tombstones: u64 = pair.tree.stats().levels.iter().map(|level| level.tombstones).sum();
    assert_eq!(tombstones, 0, "nothing lies below the bottom for a tombstone to hide");
    let ranges: u64 = pair.tree.stats().levels.iter().map(|level| level.range_tombstones).sum();
    assert_eq!(ranges, 0, "nor for a range tombstone");
    let report = pair.tree.verify()?;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    let seen = [Counter::RemovedRunsFound, Counter::RemovedRunsPassed, Counter::CompactionBlocksCarried];
    Ok((compactions, pair.divided.into_inner(), seen.map(|counter| pair.options.stats.get(counter))))
}

/// Removes keys one by one that follow each other, most often all that there are, and sometimes to a table at once.
pub(crate) fn remove_neighbours(pair: &mut Pair, random: &SeededRandom) -> Result<()> {
    let mut keys: Vec<_> = pair.keys().cloned().collect();
    keys.sort_by(|a, b| pair.options.order.compare(a, b));
    let first = random.below(keys.len() as u64 + 1) as usize;
    let count = random.below(40) as usize;
    for key in keys.into_iter().skip(first).take(count) {
        if random.below(16) > 0 {
            pair.write(&key, None)?;
        }
    }
    if random.below(2) == 0 { pair.flush() } else { Ok(()) }
}

/// Removes half of the keys and a range, and brings all to one run.
pub(crate) fn remove_half(pair: &mut Pair, random: &SeededRandom) -> Result<()> {
    pair.deliver_all()?;
    let keys: Vec<_> = pair.keys().cloned().collect();
    for key in keys {
        if random.below(2) == 0 {
            pair.write(&key, None)?;
        }
    }
    pair.remove_range(b"k5", b"longer-key-0030")?;
    pair.flush()?;
    pair.compact_all()
}

pub(crate) fn key(random: &SeededRandom) -> Vec<u8> {
    let number = random.below(120);
    if number.is_multiple_of(3) { format!("k{number}").into_bytes() } else { format!("longer-key-{number:04}").into_bytes() }
}

pub(crate) fn row(random: &SeededRandom) -> Row {
    match random.below(8) {
        0 => Row::Removed,
        1 => Row::WeaklyRemoved,
        2 | 3 => Row::Operand(vec![random.below(256) as u8; random.below(5) as usize]),
        _ => Row::Value(vec![random.below(256) as u8; random.below(90) as usize]),
    }
}

pub(crate) fn value(random: &SeededRandom) -> Option<Vec<u8>> {
    (random.below(4) > 0).then(|| vec![random.below(256) as u8; random.below(90) as usize])
}

/// Mostly narrow, sometimes without an end, sometimes the wrong way round.
pub(crate) fn range(random: &SeededRandom, order: &KeyOrder) -> (Vec<u8>, Vec<u8>) {
    let (start, mut end) = (key(random), key(random));
    match random.below(16) {
        0 => (Vec::new(), end),
        1 => (start, Vec::new()),
        2 => (start, end),
        _ => {
            for _ in 0..6 {
                let nearer = key(random);
                let is_between = order.compare(&start, &nearer).is_lt() && order.compare(&nearer, &end).is_lt();
                if order.compare(&end, &start).is_le() || is_between {
                    end = nearer;
                }
            }
            (start, end)
        }
    }
}

fn read_seqno(pair: &Pair, random: &SeededRandom) -> SeqNo {
    let choices = pair.pins.len() as u64 + 1;
    pair.pins.get(random.below(choices) as usize).copied().unwrap_or(pair.visible())
}

fn bound(random: &SeededRandom) -> Bound<Vec<u8>> {
    match random.below(4) {
        0 => Bound::Unbounded,
        1 => Bound::Excluded(key(random)),
        _ => Bound::Included(key(random)),
    }
}

/// Any two, or all keys with some prefix.
fn ends(random: &SeededRandom, order: &KeyOrder) -> Ends {
    if !order.is_lexicographic() || random.below(2) == 0 {
        return (bound(random), bound(random));
    }
    let mut prefix = key(random);
    prefix.truncate(random.below(prefix.len() as u64 + 1) as usize);
    let (lower, upper) = prefix_bounds(&prefix);
    let owned = |key: Slice| key.to_vec();
    (lower.map(owned), upper.map(owned))
}

pub(crate) fn check_some(pair: &Pair, random: &SeededRandom, place: &str) -> Result<()> {
    let read_seqno = read_seqno(pair, random);
    for _ in 0..4 {
        let key = key(random);
        let found = pair.tree.get(&key, read_seqno)?.map(|value| value.to_vec());
        assert_eq!(found, pair.expected(&key, read_seqno), "{place}: {:?} at {read_seqno}", String::from_utf8_lossy(&key));
    }
    let ends = ends(random, &pair.options.order);
    let expected = pair.expected_range(&ends, read_seqno);
    let found = pair.scanned(&ends, read_seqno)?;
    let difference = expected.iter().zip(&found).find(|(expected, found)| expected != found);
    assert_eq!(found.len(), expected.len(), "{place}: {ends:?} at {read_seqno}, first {difference:?}");
    assert_eq!(difference, None, "{place}: {ends:?} at {read_seqno}");
    let mut backward = pair.tree.range(ends.clone(), read_seqno).rev().map(owned).collect::<Result<Vec<_>>>()?;
    backward.reverse();
    assert_eq!(backward, expected, "{place}: backward {ends:?} at {read_seqno}");
    assert_eq!(from_both_ends(pair, random, &ends, read_seqno)?, expected, "{place}: both ends {ends:?} at {read_seqno}");
    parts::check(pair, random, read_seqno, &ends, place)?;
    multi_gets::check(pair, random, read_seqno, &|| key(random), place)?;
    cursors::check(pair, random, read_seqno, &|| key(random), place)
}

fn from_both_ends(pair: &Pair, random: &SeededRandom, ends: &Ends, read_seqno: SeqNo) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut scan = pair.tree.range(ends.clone(), read_seqno);
    let (mut front, mut back) = (Vec::new(), Vec::new());
    loop {
        let is_front = random.below(2) == 0;
        let next = if is_front { scan.next() } else { scan.next_back() };
        let Some(next) = next else { break };
        if is_front { front.push(owned(next)?) } else { back.push(owned(next)?) }
    }
    assert!(scan.next().is_none() && scan.next_back().is_none(), "an ended scan stays ended");
    front.extend(back.into_iter().rev());
    Ok(front)
}

pub(crate) fn check_all(pair: &Pair, place: &str) -> Result<()> {
    let ends = (Bound::Unbounded, Bound::Unbounded);
    for read_seqno in pair.pins.iter().copied().chain([pair.visible()]) {
        assert_eq!(pair.scanned(&ends, read_seqno)?, pair.expected_range(&ends, read_seqno), "{place} at {read_seqno}");
        for key in pair.keys() {
            let found = pair.tree.get(key, read_seqno)?.map(|value| value.to_vec());
            assert_eq!(found, pair.expected(key, read_seqno), "{place}: {key:?} at {read_seqno}");
        }
    }
    Ok(())
}
