//! The merging cursor against a sorted vector, in every direction and through every turn.

use super::Merging;
use crate::cursor::Segmented;
use sediment_base::{Comparator, Cursor, Error, InternalKey, KeyOrder, Kind, Result, SeqNo};
use sediment_env::random::SeededRandom;
use sediment_table::Segment;
use std::{cmp::Ordering, ops::Bound, sync::Arc};

type Row = (Vec<u8>, u64, Kind, u8);

/// A cursor over rows in memory, the last of which may fail to be read.
struct Rows {
    rows: Vec<Row>,
    at: Option<usize>,
    fails_at: Option<usize>,
    order: KeyOrder,
}

impl Rows {
    fn stand(&mut self, at: Option<usize>) -> Result<()> {
        self.at = at.filter(|at| *at < self.rows.len());
        match self.fails_at {
            Some(bad) if self.at == Some(bad) => Err(Error::corruption("a bad row")),
            _ => Ok(()),
        }
    }

    fn first_from(&self, target: InternalKey<'_>) -> usize {
        self.rows.partition_point(|row| key(row).compare(target, &self.order).is_lt())
    }
}

impl Cursor for Rows {
    fn is_valid(&self) -> bool {
        self.at.is_some()
    }
    fn key(&self) -> InternalKey<'_> {
        key(&self.rows[self.at.expect("on a row")])
    }
    fn value(&self) -> &[u8] {
        std::slice::from_ref(&self.rows[self.at.expect("on a row")].3)
    }
    fn seek_to_first(&mut self) -> Result<()> {
        self.stand(Some(0))
    }
    fn seek_to_last(&mut self) -> Result<()> {
        self.stand(self.rows.len().checked_sub(1))
    }
    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.stand(Some(self.first_from(target)))
    }
    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.stand(self.first_from(target).checked_sub(1))
    }
    fn next(&mut self) -> Result<()> {
        self.stand(Some(self.at.expect("on a row") + 1))
    }
    fn prev(&mut self) -> Result<()> {
        self.stand(self.at.expect("on a row").checked_sub(1))
    }
}

impl Segmented for Rows {
    fn segment_after(&mut self, _upper: Bound<&[u8]>, _segment: &mut Segment) -> bool {
        false
    }
    fn segment_before(&mut self, _lower: Bound<&[u8]>, _segment: &mut Segment) -> bool {
        false
    }
    fn skip_below(&mut self, _cover: SeqNo, _to: Option<&[u8]>) -> Result<bool> {
        Ok(false)
    }
    fn skip_back_below(&mut self, _cover: SeqNo, _from: Option<&[u8]>) -> Result<bool> {
        Ok(false)
    }
    fn is_last_of_key(&self) -> bool {
        is_last(&self.rows, self.at.expect("on a row"))
    }
    fn is_first_of_key(&self) -> bool {
        is_first(&self.rows, self.at.expect("on a row"))
    }
}

fn is_last(rows: &[Row], at: usize) -> bool {
    rows.get(at + 1).is_none_or(|next| next.0 != rows[at].0)
}

fn is_first(rows: &[Row], at: usize) -> bool {
    at == 0 || rows[at - 1].0 != rows[at].0
}

/// Longer keys first, and among those of one length the order of bytes: one that has no heads.
#[derive(Debug)]
struct LongestFirst;

impl Comparator for LongestFirst {
    fn name(&self) -> &str {
        "longest-first"
    }
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.len().cmp(&a.len()).then_with(|| a.cmp(b))
    }
}

fn key(row: &Row) -> InternalKey<'_> {
    InternalKey::new(&row.0, row.1, row.2)
}

fn cursors(random: &SeededRandom, count: u8, order: &KeyOrder) -> (Vec<Rows>, Vec<Row>) {
    let mut all = Vec::new();
    let mut cursors = Vec::new();
    for source in 0..count {
        let mut rows: Vec<Row> = (0..random.below(30)).map(|_| row(random, source)).collect();
        rows.sort_by(|a, b| key(a).compare(key(b), order));
        rows.dedup_by(|a, b| key(a) == key(b));
        all.extend(rows.iter().cloned());
        cursors.push(Rows { rows, at: None, fails_at: None, order: order.clone() });
    }
    all.sort_by(|a, b| key(a).compare(key(b), order).then(a.3.cmp(&b.3)));
    (cursors, all)
}

fn row(random: &SeededRandom, source: u8) -> Row {
    // Keys that share much, little, or nothing, in one neighbourhood or another.
    let beginning = match random.below(12) {
        0 => "",
        1 => "same",
        2 => "same-long-prefix-of-others",
        3..6 => "same-lon",
        _ => "same-long-prefix-",
    };
    let key = match random.below(8) {
        0 => format!("{beginning}{:08}-and-a-rest", random.below(3)),
        1 => format!("{beginning}\u{ff}"),
        2 if !beginning.is_empty() => beginning.to_owned(),
        _ => format!("{beginning}{}", random.below(9)),
    };
    let kind = if random.below(4) == 0 { Kind::Tombstone } else { Kind::Value };
    (key.into_bytes(), random.below(5), kind, source)
}

#[test]
fn random_walks_agree_with_a_sorted_vector() {
    for order in [KeyOrder::bytewise(), KeyOrder::custom(Arc::new(LongestFirst))] {
        for seed in 0..600 {
            walk(seed, &order);
        }
    }
}

fn walk(seed: u64, order: &KeyOrder) {
    let random = SeededRandom::new(seed);
    let (cursors, all) = cursors(&random, (seed % 11) as u8, order);
    let mut merging = Merging::new(cursors, order.clone());
    let mut at: Option<usize> = None;
    let mut alone = [0; 2];
    for _ in 0..120 {
        let target = row(&random, 0);
        let first_from = all.partition_point(|row| key(row).compare(key(&target), order).is_lt());
        let choice = if at.is_none() { random.below(4) } else { random.below(40) };
        let moved = match choice {
            0 => (merging.seek_to_first(), Some(0)),
            1 => (merging.seek_to_last(), all.len().checked_sub(1)),
            2 => (merging.seek(key(&target)), Some(first_from)),
            3 => (merging.seek_before(key(&target)), first_from.checked_sub(1)),
            // Runs in one direction, so that heads are made anew on the way.
            choice if (choice < 36) == seed.is_multiple_of(2) => (merging.next(), at.map(|at| at + 1)),
            _ => (merging.prev(), at.and_then(|at| at.checked_sub(1))),
        };
        moved.0.expect("nothing fails");
        at = moved.1.filter(|at| *at < all.len());
        let found = merging.is_valid().then(|| (merging.key(), merging.value()[0]));
        assert_eq!(found, at.map(|at| (key(&all[at]), all[at].3)), "seed {seed}");
        let Some(at) = at else { continue };
        if merging.is_last_of_key() {
            assert!(is_last(&all, at), "seed {seed}");
            alone[0] += 1;
        }
        if merging.is_first_of_key() {
            assert!(is_first(&all, at), "seed {seed}");
            alone[1] += 1;
        }
    }
    assert!(!order.is_lexicographic() || all.len() < 20 || alone[0] + alone[1] > 0, "seed {seed}: nothing was ever sure");
}

#[test]
fn an_error_stays_and_never_looks_like_the_end() {
    let random = SeededRandom::new(4);
    let (mut cursors, all) = cursors(&random, 3, &KeyOrder::bytewise());
    cursors[1].fails_at = Some(cursors[1].rows.len() - 1);
    let mut merging = Merging::new(cursors, KeyOrder::bytewise());
    merging.seek_to_first().expect("the first rows are good");
    let mut rows = 0;
    let error = loop {
        assert!(merging.is_valid());
        rows += 1;
        if let Err(error) = merging.next() {
            break error;
        }
    };
    assert!(rows < all.len() && !merging.is_valid());
    assert_eq!(merging.seek_to_first().expect_err("it stays").to_string(), error.to_string());
}
