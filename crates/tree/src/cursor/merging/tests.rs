//! The merging cursor against a sorted vector, in every direction and through every turn.

use super::Merging;
use sediment_base::{Cursor, Error, InternalKey, KeyOrder, Kind, Result};
use sediment_env::random::SeededRandom;

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

fn key(row: &Row) -> InternalKey<'_> {
    InternalKey::new(&row.0, row.1, row.2)
}

fn cursors(random: &SeededRandom, count: u8) -> (Vec<Rows>, Vec<Row>) {
    let order = KeyOrder::bytewise();
    let mut all = Vec::new();
    let mut cursors = Vec::new();
    for source in 0..count {
        let mut rows: Vec<Row> = (0..random.below(30)).map(|_| row(random, source)).collect();
        rows.sort_by(|a, b| key(a).compare(key(b), &order));
        rows.dedup_by(|a, b| key(a) == key(b));
        all.extend(rows.iter().cloned());
        cursors.push(Rows { rows, at: None, fails_at: None, order: order.clone() });
    }
    all.sort_by(|a, b| key(a).compare(key(b), &order).then(a.3.cmp(&b.3)));
    (cursors, all)
}

fn row(random: &SeededRandom, source: u8) -> Row {
    let key = format!("same-long-prefix-{}", random.below(9));
    let kind = if random.below(4) == 0 { Kind::Tombstone } else { Kind::Value };
    (key.into_bytes(), random.below(5), kind, source)
}

#[test]
fn random_walks_agree_with_a_sorted_vector() {
    for seed in 0..400 {
        let random = SeededRandom::new(seed);
        let (cursors, all) = cursors(&random, (seed % 6) as u8);
        let mut merging = Merging::new(cursors, KeyOrder::bytewise());
        let mut at: Option<usize> = None;
        for _ in 0..80 {
            let target = row(&random, 0);
            let first_from = all.partition_point(|row| key(row).compare(key(&target), &KeyOrder::bytewise()).is_lt());
            let choice = if at.is_none() { random.below(4) } else { random.below(20) };
            let moved = match choice {
                0 => (merging.seek_to_first(), Some(0)),
                1 => (merging.seek_to_last(), all.len().checked_sub(1)),
                2 => (merging.seek(key(&target)), Some(first_from)),
                3 => (merging.seek_before(key(&target)), first_from.checked_sub(1)),
                4..12 => (merging.next(), at.map(|at| at + 1)),
                _ => (merging.prev(), at.and_then(|at| at.checked_sub(1))),
            };
            moved.0.expect("nothing fails");
            at = moved.1.filter(|at| *at < all.len());
            let found = merging.is_valid().then(|| (merging.key(), merging.value()[0]));
            assert_eq!(found, at.map(|at| (key(&all[at]), all[at].3)), "seed {seed}");
        }
    }
}

#[test]
fn an_error_stays_and_never_looks_like_the_end() {
    let random = SeededRandom::new(2);
    let (mut cursors, all) = cursors(&random, 3);
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
