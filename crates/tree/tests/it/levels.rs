//! Level 0 as sublevels, seen from outside: how many runs a reader meets, and that any arrangement reads right.

use crate::model::{Ends, Pair};
use sediment_base::{KeyOrder, Result};
use std::ops::Bound;

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

fn level0_runs(pair: &Pair) -> (usize, usize) {
    let level = &pair.tree.stats().levels[0];
    (level.runs, level.tables)
}

/// Writes a row for each of these, and flushes.
fn flush_keys(pair: &mut Pair, keys: impl Iterator<Item = u32>) -> Result<()> {
    for key in keys {
        pair.write(format!("key-{key:03}").as_bytes(), Some(format!("value {}", pair.next).as_bytes()))?;
    }
    pair.flush()
}

fn check(pair: &Pair) -> Result<()> {
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    for key in pair.keys() {
        assert_eq!(pair.tree.get(key, pair.next)?.map(|value| value.to_vec()), pair.expected(key, pair.next));
    }
    Ok(())
}

#[test]
fn flushes_make_as_few_runs_as_they_overlap() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for round in 0..6 {
        flush_keys(&mut pair, round * 10..round * 10 + 10)?;
    }
    assert_eq!(level0_runs(&pair), (1, 6), "keys in ascending order");
    flush_keys(&mut pair, 15..25)?;
    assert_eq!(level0_runs(&pair), (2, 7));
    flush_keys(&mut pair, 40..45)?;
    assert_eq!(level0_runs(&pair), (2, 8), "beside the one before");
    flush_keys(&mut pair, 0..60)?;
    assert_eq!(level0_runs(&pair), (3, 9));
    check(&pair)?;
    pair.reopen()?;
    assert_eq!(level0_runs(&pair), (3, 9), "it is not stored, but found again");
    check(&pair)
}

/// Two flushes of the same keys, the later one with the older rows: as late rows may come.
#[test]
fn the_newest_row_wins_in_whatever_sublevel_it_lies() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.pins.push(1);
    for key in 0..20 {
        let key = format!("key-{key:03}");
        pair.hold(key.as_bytes(), Some(b"old"));
        pair.hold(key.as_bytes(), Some(b"new"));
    }
    let is_old = |index: usize, pair: &Pair| pair.held[index].2.as_deref() == Some(b"old");
    for wanted_old in [false, true] {
        for index in (0..pair.held.len()).rev() {
            if is_old(index, &pair) == wanted_old {
                pair.deliver(index)?;
            }
        }
        pair.tree.seal(0);
        let context = sediment_tree::FlushContext {
            retention: pair.retention(),
            now_us: 1,
            through: 0,
            before_publish: &|_| Ok(()),
            on_slice: &crate::model::go_on,
        };
        assert_eq!(pair.tree.flush(&context)?.memtables, 1);
    }
    assert_eq!(level0_runs(&pair), (2, 2));
    check(&pair)?;
    pair.reopen()?;
    check(&pair)?;
    pair.compact_all()?;
    check(&pair)
}
