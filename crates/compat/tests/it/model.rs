//! Everything at once beside a model: writes of all kinds, snapshots that are held, flushes, strategies, ingestions, reopening, under two
//! orders of keys. A failure names its seed and step.

use crate::common::{Reverse, World, appending, keys};
use lsm_tree::{
    AbstractTree, Config, Result, SeqNo, WriteBatch,
    compaction::{CompactionStrategy, Leveled, PullDown, SizeTiered},
};
use std::{collections::BTreeMap, sync::Arc};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)) % end
    }

    fn key(&mut self) -> String {
        format!("k{:02}", self.below(40))
    }
}

type Rows = BTreeMap<String, String>;

/// A tree, what it holds by now, and what it held at snapshots.
struct Run {
    world: World,
    random: Random,
    is_reverse: bool,
    now: Rows,
    held: Vec<(SeqNo, Rows)>,
}

impl Run {
    fn config(is_reverse: bool) -> impl Fn(Config) -> Config {
        move |config| {
            let config = appending(config);
            if is_reverse { config.comparator(Arc::new(Reverse)) } else { config }
        }
    }

    /// A range that begins before its end, in the order.
    fn range(&mut self) -> (String, String) {
        let (a, b) = (self.random.key(), self.random.key());
        if (a < b) == self.is_reverse { (b, a) } else { (a, b) }
    }

    fn write(&mut self) {
        let (key, value) = (self.random.key(), format!("v{}", self.random.below(1000)));
        match self.random.below(10) {
            0 | 1 => {
                self.world.remove(&key);
                self.now.remove(&key);
            }
            2 => {
                self.world.write(|tree, now| {
                    tree.merge(&key[..], &value[..], now);
                });
                self.now.entry(key).or_default().push_str(&value);
            }
            3 => {
                let (start, end) = self.range();
                self.world.write(|tree, now| {
                    tree.remove_range(&start[..], &end[..], now);
                });
                let is_reverse = self.is_reverse;
                self.now.retain(|key, _| if is_reverse { *key > start || *key <= end } else { *key < start || *key >= end });
            }
            4 => {
                let mut batch = WriteBatch::new();
                let gone = self.random.key();
                batch.insert(&key[..], &value[..]);
                if gone != key {
                    batch.remove(&gone[..]);
                    self.now.remove(&gone);
                }
                self.world.write(|tree, now| _ = tree.apply_batch(batch, now).expect("one kind a key"));
                self.now.insert(key, value);
            }
            _ => {
                self.world.put(&key, &value);
                self.now.insert(key, value);
            }
        }
    }

    /// Nobody reads below.
    fn watermark(&mut self) -> SeqNo {
        let oldest = self.held.iter().map(|(seqno, _)| *seqno).min().unwrap_or(self.world.visible.get());
        if self.random.below(3) == 0 { 0 } else { oldest }
    }

    fn compact(&mut self) {
        let watermark = self.watermark();
        let strategy: Arc<dyn CompactionStrategy> = match self.random.below(4) {
            0 => Arc::new(SizeTiered::default().with_min_merge_width(2)),
            1 => Arc::new(PullDown(self.random.below(2) as u8, 2)),
            2 => return self.world.major(watermark),
            _ => Arc::new(Leveled::default().with_l0_threshold(2).with_table_target_size(512)),
        };
        self.world.tree.compact(strategy, watermark).expect("compacted");
    }

    fn ingest(&mut self) {
        let mut rows: Vec<(String, String)> = (0..5).map(|n| (self.random.key(), format!("i{n}"))).collect();
        rows.sort_by(|a, b| if self.is_reverse { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) });
        rows.dedup_by(|a, b| a.0 == b.0);
        let mut ingestion = self.world.tree.ingestion().expect("begun");
        for (key, value) in &rows {
            ingestion.write(&key[..], &value[..]).expect("in order");
        }
        ingestion.finish().expect("finished");
        self.now.extend(rows);
    }

    fn check(&self, seqno: SeqNo, rows: &Rows, what: &str) {
        let mut expected: Vec<String> = rows.keys().cloned().collect();
        if self.is_reverse {
            expected.reverse();
        }
        assert_eq!(self.world.keys_at(seqno), expected, "{what}");
        let mut backwards = keys(self.world.tree.iter(seqno, None).rev());
        backwards.reverse();
        assert_eq!(backwards, expected, "{what}, backwards");
        for key in (0..40).map(|n| format!("k{n:02}")) {
            assert_eq!(self.world.get_at(&key, seqno), rows.get(&key).cloned(), "{what}, {key}");
        }
    }

    fn step(mut self, what: &str) -> Result<Self> {
        match self.random.below(40) {
            0..=3 => {
                let watermark = self.watermark();
                self.world.flush_with(watermark);
            }
            4..=6 => self.compact(),
            7 => self.ingest(),
            8 => self.held.push((self.world.visible.get(), self.now.clone())),
            9 if !self.held.is_empty() => drop(self.held.remove(0)),
            10 => {
                self.world.flush();
                self.held.clear();
                self.world = self.world.reopened(Self::config(self.is_reverse))?;
            }
            _ => self.write(),
        }
        self.check(self.world.visible.get(), &self.now, what);
        for (seqno, rows) in &self.held {
            self.check(*seqno, rows, &format!("{what}, at {seqno}"));
        }
        Ok(self)
    }
}

#[test]
fn a_tree_agrees_with_its_model() -> Result<()> {
    for seed in 0..4 {
        let is_reverse = seed % 2 == 1;
        let world = World::with(Run::config(is_reverse))?;
        let mut run = Run { world, random: Random(seed), is_reverse, now: Rows::new(), held: Vec::new() };
        for step in 0..250 {
            run = run.step(&format!("seed {seed}, step {step}"))?;
        }
    }
    Ok(())
}
