//! Long random histories under watermarks and stamps, compared with the model at every open snapshot.

use crate::{
    compare::{self, Odd, any_strategy, check_all, check_some},
    model::Pair,
};
use sediment_base::{ErrorKind, KeyOrder, Result, SeqNo};
use sediment_env::{Env, fs::MemFs, random::SeededRandom};
use std::{collections::HashSet, sync::Arc};

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn random_histories_under_watermarks_agree_with_the_model() -> Result<()> {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (first, steps) = (number("SEDIMENT_FIRST_SEED", 0), number("SEDIMENT_TREE_STEPS", 1500));
    let seeds = number("SEDIMENT_TREE_SEEDS", 8);
    let mut met = Met::default();
    for seed in first..first + seeds {
        for order in [KeyOrder::bytewise(), KeyOrder::custom(Arc::new(Odd))] {
            History::new(seed, order)?.run(steps, &mut met).inspect_err(|error| panic!("seed {seed}: {error}"))?;
        }
    }
    assert!(met.compactions > seeds && met.clears > 0 && met.reopenings > 0, "{met:?}");
    assert!(met.exact > seeds && met.refused > seeds && met.earlier > 10, "{met:?}");
    Ok(())
}

/// What came about, of all histories.
#[derive(Debug, Default)]
struct Met {
    compactions: u64,
    clears: u64,
    reopenings: u64,
    /// Reads at a seqno that nobody held, answered.
    exact: u64,
    /// And refused.
    refused: u64,
    /// The longest list of earlier states.
    earlier: u64,
}

struct History {
    seed: u64,
    random: SeededRandom,
    pair: Pair,
    /// Seqnos of ingestions whose rows are seen only above the stamp that follows: no snapshot lies in between.
    unseen: HashSet<SeqNo>,
    /// Below, the model has forgotten what was there.
    known_from: SeqNo,
    /// Whether flushes and compactions are told of pins now and then: reads at seqnos that nobody holds are not exact then.
    is_mixed: bool,
}

impl History {
    fn new(seed: u64, order: KeyOrder) -> Result<Self> {
        let random = SeededRandom::new(seed);
        let options = compare::options(&random, order);
        let pair = Pair::stamped(Env::simulated(MemFs::new(), seed), options, random.below(3))?;
        Ok(Self { seed, pair, unseen: HashSet::new(), known_from: 0, is_mixed: random.below(4) == 0, random })
    }

    fn run(mut self, steps: u64, met: &mut Met) -> Result<()> {
        for step in 0..steps {
            let place = format!("seed {} step {step}", self.seed);
            if step % 500 == 499 && self.pair.visible() > 0 {
                self.known_from = self.oldest_reader();
                self.pair.forget_old();
            }
            self.choose_retention();
            self.write_or_change(&place, met)?;
            met.earlier = met.earlier.max(self.pair.tree.history_len() as u64);
        }
        self.end(met)
    }

    /// A watermark at or below every open snapshot, and what the latest reader sees.
    fn choose_retention(&mut self) {
        let oldest = self.oldest_reader();
        self.pair.watermark = match self.random.below(6) {
            0 => Some(0),
            1 | 2 => Some(self.random.below(oldest + 1)),
            3 if self.is_mixed => None,
            _ => Some(oldest),
        };
    }

    fn oldest_reader(&self) -> SeqNo {
        self.pair.pins.iter().copied().chain([self.pair.visible()]).min().unwrap_or(0)
    }

    fn write_or_change(&mut self, place: &str, met: &mut Met) -> Result<()> {
        let Self { random, pair, .. } = self;
        match random.below(100) {
            0..44 => pair.write_row(&compare::key(random), compare::row(random))?,
            44..48 => pair.write_batch((0..random.below(6)).map(|_| (compare::key(random), compare::row(random))).collect())?,
            48..52 => {
                let (start, end) = compare::range(random, &pair.options.order);
                pair.remove_range(&start, &end)?;
            }
            52 => self.ingest()?,
            53..58 if pair.held.len() < 8 => pair.hold_row(&compare::key(random), compare::row(random)),
            58 if pair.held.len() < 8 => {
                let (start, end) = compare::range(random, &pair.options.order);
                pair.hold_range(&start, &end);
            }
            59..61 => pair.deliver_all()?,
            61..67 => pair.flush()?,
            67..72 => met.compactions += pair.compact_due()? as u64,
            72..74 => pair.compact_all()?,
            74..79 if pair.pins.len() < 6 && pair.visible() > 0 => pair.pins.push(pair.visible()),
            79..82 if !pair.pins.is_empty() => drop(pair.pins.swap_remove(random.below(pair.pins.len() as u64) as usize)),
            82 => drop(pair.seal()),
            83 => pair.flush_sealed()?,
            84..87 if !pair.held.is_empty() => pair.deliver(random.below(pair.held.len() as u64) as usize)?,
            87 if random.below(3) == 0 => {
                self.reopen(place, met)?;
                met.reopenings += 1;
            }
            88 if random.below(4) == 0 => {
                pair.deliver_all()?;
                pair.clear()?;
                met.clears += 1;
            }
            89 => pair.tree.set_strategy(any_strategy(random)),
            90..93 => self.read_anywhere(place, met)?,
            _ => check_some(pair, random, place)?,
        }
        Ok(())
    }

    fn ingest(&mut self) -> Result<()> {
        let Self { random, pair, .. } = self;
        // As `Retention::Watermark` wants it: the last level lets a tombstone go that comes before an older row of its key.
        pair.deliver_all()?;
        let mut rows: Vec<_> = (0..random.below(40)).map(|_| (compare::key(random), compare::value(random))).collect();
        rows.sort_by(|a, b| pair.options.order.compare(&a.0, &b.0));
        rows.dedup_by(|a, b| a.0 == b.0);
        self.unseen.insert(pair.upcoming() + 1);
        pair.ingest(&rows)?;
        Ok(())
    }

    /// Snapshots do not outlive the process, nor do earlier states.
    fn reopen(&mut self, place: &str, met: &mut Met) -> Result<()> {
        self.pair.deliver_all()?;
        self.pair.flush()?;
        self.pair.pins.clear();
        self.pair.reopen()?;
        assert_eq!(self.pair.tree.history_len(), 0);
        check_all(&self.pair, place)?;
        (0..4).try_for_each(|_| self.read_anywhere(place, met))
    }

    /// A read at a seqno that nobody holds is right, or refused.
    fn read_anywhere(&mut self, place: &str, met: &mut Met) -> Result<()> {
        let Self { random, pair, .. } = self;
        let read_seqno = random.below(pair.visible() + 1);
        if self.is_mixed || read_seqno < self.known_from || self.unseen.contains(&read_seqno) {
            return Ok(());
        }
        for _ in 0..8 {
            let key = compare::key(random);
            match pair.tree.get(&key, read_seqno) {
                Err(error) if error.kind() == ErrorKind::HistoryGone => met.refused += 1,
                found => {
                    let found = found?.map(|value| value.to_vec());
                    assert_eq!(found, pair.expected(&key, read_seqno), "{place}: {} at {read_seqno}", key.escape_ascii());
                    met.exact += 1;
                }
            }
        }
        Ok(())
    }

    fn end(mut self, met: &mut Met) -> Result<()> {
        let place = format!("seed {} at the end", self.seed);
        let Self { random, pair, .. } = &mut self;
        compare::remove_half(pair, random)?;
        check_all(pair, &place)?;
        pair.pins.clear();
        pair.watermark = Some(SeqNo::MAX);
        pair.compact_all()?;
        check_all(pair, &place)?;
        assert_eq!(pair.tree.history_len(), 0, "{place}");
        let stats = pair.tree.stats();
        let tombstones: u64 = stats.levels.iter().map(|level| level.tombstones + level.range_tombstones).sum();
        assert_eq!(tombstones, 0, "{place}: nothing lies below the bottom for them to hide");
        let report = pair.tree.verify()?;
        assert!(report.faults.is_empty(), "{place}: {:?}", report.faults);
        self.reopen(&place, met)
    }
}
