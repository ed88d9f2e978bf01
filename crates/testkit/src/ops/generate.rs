//! Random operations by a mix of odds, the same from the same seed.

use super::{Op, Walk};
use crate::{
    keys::KeyPool,
    seed::Rng,
    store::{Action, Level, Move, Parts, Span, Value, Write},
};
use std::ops::Bound;

/// How often what happens: odds relative to each other; 0 is never.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Keyspaces that exist from the beginning.
    pub keyspaces: Vec<String>,
    /// How many different keys.
    pub keys: usize,
    /// Longest value.
    pub value_bytes_max: u32,
    /// Single writes and batches.
    pub write: u64,
    /// Lookups.
    pub get: u64,
    /// Scans by range and prefix.
    pub scan: u64,
    /// Snapshots taken and dropped.
    pub snapshot: u64,
    /// Scans held open.
    pub cursor: u64,
    /// Flush, compaction, persist, verification.
    pub maintain: u64,
    /// Keyspaces made, dropped, emptied.
    pub catalog: u64,
    /// Clean close and open.
    pub reopen: u64,
    /// Kill and power loss.
    pub crash: u64,
}

impl Mix {
    /// A little of everything: for the language's own tests and for the model test.
    pub fn everything() -> Self {
        Self {
            keyspaces: vec!["a".into(), "b".into()],
            keys: 400,
            value_bytes_max: 300,
            write: 500,
            get: 200,
            scan: 60,
            snapshot: 20,
            cursor: 40,
            maintain: 12,
            catalog: 3,
            reopen: 2,
            crash: 2,
        }
    }
}

/// Makes operations without end.
#[derive(Clone, Debug)]
pub struct Generator {
    rng: Rng,
    mix: Mix,
    pool: KeyPool,
    tag: u64,
    /// A keyspace that was dropped, and how many operations later it comes back.
    missing: Option<(String, u64)>,
}

const NUMBERS: u64 = 4;

impl Generator {
    /// A generator of this mix.
    pub fn new(mut rng: Rng, mix: Mix) -> Self {
        let pool = KeyPool::new(&mut rng, mix.keys);
        Self { rng, mix, pool, tag: 0, missing: None }
    }

    /// The next operation.
    pub fn next_op(&mut self) -> Op {
        if let Some((name, wait)) = self.missing.take() {
            if wait == 0 {
                return Op::Create(name);
            }
            self.missing = Some((name, wait - 1));
        }
        let mix = &self.mix;
        let odds = [mix.write, mix.get, mix.scan, mix.snapshot, mix.cursor, mix.maintain, mix.catalog, mix.reopen, mix.crash];
        let mut at = self.rng.below(odds.iter().sum());
        let kind = odds.iter().position(|&odds| {
            let hit = at < odds;
            at = at.wrapping_sub(if hit { 0 } else { odds });
            hit
        });
        match kind.expect("below the sum of the odds") {
            0 => self.write(),
            1 if self.rng.one_in(8) => self.multi_get(),
            1 => Op::Get { keyspace: self.keyspace(), key: self.pool.near(&mut self.rng), at: self.at() },
            2 => match self.rng.below(6) {
                0 => self.moves(),
                1 => self.parts(),
                _ => self.scan(),
            },
            3 if self.rng.one_in(2) => Op::Release(self.number()),
            3 => Op::Snapshot(self.number()),
            4 => self.cursor(),
            5 => self.maintain(),
            6 => self.catalog(),
            7 => Op::Reopen,
            _ if self.rng.one_in(2) => Op::Kill,
            _ => Op::PowerLoss(self.rng.below(64) as u32),
        }
    }

    fn write(&mut self) -> Op {
        if self.rng.one_in(60) {
            return self.ingest();
        }
        let level = *self.rng.pick(&[Level::Memory, Level::Os, Level::Os, Level::Os, Level::Sync]);
        if !self.rng.one_in(5) {
            return Op::Single(self.one_write(), level);
        }
        let count = self.rng.between(0, 8);
        Op::Batch((0..count).map(|_| self.one_write()).collect(), level)
    }

    fn ingest(&mut self) -> Op {
        let keyspace = self.keyspace();
        let count = self.rng.between(1, 30);
        let mut keys: Vec<Vec<u8>> = (0..count).map(|_| self.pool.draw(&mut self.rng)).collect();
        keys.sort();
        keys.dedup();
        let writes = keys.into_iter().map(|key| {
            self.tag += 1;
            let value = Value { tag: self.tag, len: self.rng.between(8, 40) as u32 };
            if self.rng.one_in(5) { Write::remove(&*keyspace, key) } else { Write::insert(&*keyspace, key, value) }
        });
        Op::Ingest(writes.collect())
    }

    fn one_write(&mut self) -> Write {
        self.tag += 1;
        let len = match self.rng.below(8) {
            0 => self.rng.below(9) as u32,
            1 => self.rng.below(u64::from(self.mix.value_bytes_max) + 1) as u32,
            _ => self.rng.between(8, 60.min(u64::from(self.mix.value_bytes_max).max(8))) as u32,
        };
        let (keyspace, key) = (self.keyspace(), self.pool.draw(&mut self.rng));
        let action = match self.rng.below(24) {
            0..5 => Action::Remove(key),
            5..7 => Action::RemoveWeak(key),
            7 => Action::Erase(self.narrow_span(key)),
            8..12 => Action::Merge(key, Value { tag: self.tag, len: len.min(12) }),
            _ => Action::Insert(key, Value { tag: self.tag, len }),
        };
        Write { keyspace, action }
    }

    /// Mostly a few keys from this one on; now and then any span.
    fn narrow_span(&mut self, low: Vec<u8>) -> Span {
        if self.rng.one_in(12) {
            return self.span();
        }
        let nearest = (0..8).map(|_| self.pool.near(&mut self.rng)).filter(|key| *key > low).min();
        let high = nearest.unwrap_or_else(|| [&low[..], &[0]].concat());
        let is_included = self.rng.one_in(3);
        let high = if is_included { Bound::Included(high) } else { Bound::Excluded(high) };
        let low = if self.rng.one_in(3) { Bound::Excluded(low) } else { Bound::Included(low) };
        Span::Range(low, high)
    }

    fn multi_get(&mut self) -> Op {
        let count = *self.rng.pick(&[0, 1, 3, 8, 40]);
        let keys = (0..count).map(|_| self.pool.near(&mut self.rng)).collect();
        Op::MultiGet { keyspace: self.keyspace(), keys, at: self.at() }
    }

    fn moves(&mut self) -> Op {
        let count = self.rng.between(1, 24);
        let moves = (0..count).map(|_| self.one_move()).collect();
        Op::Moves { keyspace: self.keyspace(), moves, at: self.at() }
    }

    fn one_move(&mut self) -> Move {
        match self.rng.below(10) {
            0 => Move::First,
            1 => Move::Last,
            2 | 3 => Move::AtOrAfter(self.pool.near(&mut self.rng)),
            4 | 5 => Move::AtOrBefore(self.pool.near(&mut self.rng)),
            6 | 7 => Move::Next,
            _ => Move::Prev,
        }
    }

    fn parts(&mut self) -> Op {
        let (rows, steps) = (*self.rng.pick(&[1, 7, 50]), *self.rng.pick(&[1, 20, 1000]));
        let parts = Parts { is_forward: self.rng.one_in(2), rows, steps };
        Op::Parts { keyspace: self.keyspace(), span: self.span(), parts, at: self.at() }
    }

    fn scan(&mut self) -> Op {
        Op::Scan { keyspace: self.keyspace(), span: self.span(), walk: self.walk(), at: self.at() }
    }

    fn span(&mut self) -> Span {
        if self.rng.one_in(3) {
            return Span::Prefix(self.pool.prefix(&mut self.rng));
        }
        let (mut low, mut high) = (self.bound(), self.bound());
        if bytes(&low) > bytes(&high) && !self.rng.one_in(8) {
            std::mem::swap(&mut low, &mut high);
        }
        Span::Range(low, high)
    }

    fn bound(&mut self) -> Bound<Vec<u8>> {
        match self.rng.below(5) {
            0 => Bound::Unbounded,
            1 | 2 => Bound::Excluded(self.pool.near(&mut self.rng)),
            _ => Bound::Included(self.pool.near(&mut self.rng)),
        }
    }

    fn cursor(&mut self) -> Op {
        let id = self.number();
        match self.rng.below(8) {
            0 | 1 => Op::Cursor { id, keyspace: self.keyspace(), span: self.span(), at: self.at() },
            2 => Op::End(id),
            _ => Op::Step { id, walk: self.walk(), count: self.rng.between(1, 12) as u32 },
        }
    }

    fn maintain(&mut self) -> Op {
        match self.rng.below(10) {
            0..4 => Op::Flush,
            4..6 => Op::Compact,
            6..8 => Op::Persist(*self.rng.pick(&[Level::Memory, Level::Os, Level::Sync])),
            8 => Op::Verify,
            _ => Op::Check,
        }
    }

    fn catalog(&mut self) -> Op {
        let name = if self.rng.one_in(2) { self.keyspace() } else { "extra".into() };
        match self.rng.below(5) {
            0 => Op::Clear(name),
            1 if self.missing.is_none() => {
                self.missing = Some((name.clone(), self.rng.below(8)));
                Op::Drop(name)
            }
            2 => Op::Configure(name, self.rng.below(64) as u32),
            _ => Op::Create(name),
        }
    }

    fn keyspace(&mut self) -> String {
        if self.rng.one_in(16) { "extra".into() } else { self.rng.pick(&self.mix.keyspaces).clone() }
    }

    fn at(&mut self) -> Option<u32> {
        self.rng.one_in(3).then(|| self.number())
    }

    fn number(&mut self) -> u32 {
        self.rng.below(NUMBERS) as u32
    }

    fn walk(&mut self) -> Walk {
        *self.rng.pick(&[Walk::Forward, Walk::Backward, Walk::Zigzag])
    }
}

fn bytes(bound: &Bound<Vec<u8>>) -> &[u8] {
    match bound {
        Bound::Included(key) | Bound::Excluded(key) => key,
        Bound::Unbounded => &[],
    }
}
