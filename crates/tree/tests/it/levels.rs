//! Level 0 as sublevels, seen from outside: how many runs a reader meets, and that any arrangement reads right.

use crate::model::{Ends, Held, Pair, Row, small_options};
use sediment_base::{KeyOrder, Result};
use sediment_codec::compress::Method;
use sediment_env::{Env, MemFs};
use sediment_tree::TreeOptions;
use std::ops::Bound;

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

fn level0_runs(pair: &Pair) -> (usize, usize) {
    let level = &pair.tree.stats().levels[0];
    (level.runs, level.tables)
}

/// Tables of the last level, where nothing lies between it and level 0.
fn last_level(pair: &Pair) -> usize {
    let levels = pair.tree.stats().levels;
    let (last, above) = levels.split_last().expect("levels");
    assert!(above[1..].iter().all(|level| level.tables == 0), "{levels:?}");
    last.tables
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

/// What sinks out of level 0 is rewritten where the level below is compressed in another way: around what lies there.
#[test]
fn tables_sink_around_others_whether_rewritten_or_moved() -> Result<()> {
    for level0_codec in [Method::None, Method::Lz4] {
        let options = TreeOptions { level0_codec, level0_trigger: 1, ..small_options(KeyOrder::bytewise()) };
        let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
        flush_keys(&mut pair, 20..30)?;
        assert_eq!(pair.compact_due()?, 1);
        flush_keys(&mut pair, 0..10)?;
        flush_keys(&mut pair, 40..50)?;
        assert_eq!(level0_runs(&pair), (1, 2));
        assert!(pair.compact_due()? > 0);
        assert_eq!((level0_runs(&pair), last_level(&pair)), ((0, 0), 3));
        check(&pair)?;
    }
    Ok(())
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
    let is_old = |index: usize, pair: &Pair| matches!(&pair.held[index], Held::Row(_, _, Row::Value(value)) if value == b"old");
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
            covered: None,
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

/// A tree whose last level has many tables, and whose level 0 is due above all of them.
fn with_columns() -> Result<Pair> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.options.level_base_bytes = 64 << 10;
    pair.reopen()?;
    flush_keys(&mut pair, 0..900)?;
    pair.compact_all()?;
    for _ in 0..3 {
        flush_keys(&mut pair, 0..900)?;
    }
    Ok(pair)
}

#[test]
fn flushes_are_cut_where_tables_below_begin() -> Result<()> {
    let pair = with_columns()?;
    let stats = pair.tree.stats();
    let below = last_level(&pair);
    assert_eq!(stats.levels[0].runs, 3);
    assert!(below >= 6, "{below} tables below");
    assert!((3 * below..=6 * below).contains(&stats.levels[0].tables), "{stats:?}");
    Ok(())
}

#[test]
fn columns_of_level_0_go_down_side_by_side() -> Result<()> {
    let pair = with_columns()?;
    let urgency = pair.tree.compaction_urgency(9);
    assert!(urgency.score >= 1.0);
    let mut plans = Vec::new();
    while let Some(plan) = pair.tree.pick_compaction(9) {
        plans.push(plan);
    }
    assert!(plans.len() >= 4, "{plans:?}");
    assert_eq!(pair.tree.compaction_urgency(9), urgency, "they are still to be done");
    assert_eq!(urgency.price_bytes, plans[0].written_bytes());
    assert!(urgency.price_bytes > 0);
    std::thread::scope(|scope| {
        for plan in plans {
            scope.spawn(|| pair.tree.compact(plan, &pair.compaction(&crate::model::go_on)).expect("compacted"));
        }
    });
    let urgency = pair.tree.compaction_urgency(9);
    assert!(urgency.score < 1.0 && urgency.price_bytes == 0 && pair.tree.pick_compaction(9).is_none());
    assert_eq!(pair.tree.stats().levels[0].tables, 0);
    check(&pair)?;
    assert!(pair.tree.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn pressure_tells_what_waits_and_what_is_owed() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for round in 0..2 {
        pair.write(format!("key-{round}").as_bytes(), Some(&[7; 500]))?;
        assert!(pair.seal());
    }
    let pressure = pair.tree.pressure();
    assert_eq!((pressure.sealed_count, pressure.backlog.runs, pressure.backlog.debt_bytes), (2, 0, 0));
    assert!(pressure.sealed_bytes >= 1000);
    pair.flush()?;
    assert_eq!((pair.tree.pressure().sealed_count, pair.tree.pressure().sealed_bytes), (0, 0));

    for round in 2..=3 {
        flush_keys(&mut pair, 0..20)?;
        let (backlog, stats) = (pair.tree.pressure().backlog, pair.tree.stats());
        let is_due = backlog.runs >= backlog.runs_due;
        assert_eq!(is_due, round == 3, "{backlog:?}");
        assert_eq!(backlog.debt_bytes, if is_due { stats.levels[0].bytes } else { 0 });
        assert_eq!(pair.tree.compaction_score(9) >= 1.0, is_due);
    }
    Ok(())
}

#[test]
fn level_0_without_overlaps_is_due_by_its_bytes_and_moves() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    let mut key = 0;
    while pair.tree.compaction_score(9) < 1.0 {
        flush_keys(&mut pair, key..key + 50)?;
        key += 50;
        assert_eq!(pair.tree.stats().levels[0].runs, 1);
        assert!(key < 10_000, "it never becomes due");
    }
    let (pressure, level0_bytes) = (pair.tree.pressure(), pair.tree.stats().levels[0].bytes);
    assert!(level0_bytes >= 2 * pressure.level_base_bytes && pressure.backlog.debt_bytes == level0_bytes);
    let report = pair.tree.compact(pair.tree.pick_compaction(9).expect("due"), &pair.compaction(&crate::model::go_on))?;
    assert!(report.moved && report.bytes_in_level0 == level0_bytes, "{report:?}");
    check(&pair)
}

/// A tree with three times as much below as level 0 brings, to which more is expected to come.
fn steadily_written() -> Result<Pair> {
    let options = TreeOptions { level_base_bytes: 4 << 10, level_ratio: 100, ..small_options(KeyOrder::bytewise()) };
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
    // What meets nothing below sinks for nothing.
    flush_keys(&mut pair, 0..900)?;
    assert!(pair.tree.stats().levels[0].bytes > 12 << 10);
    let all = pair.tree.pick_full_compaction().expect("a table");
    pair.tree.compact(all, &pair.compaction(&crate::model::go_on))?;
    pair.tree.set_expects_more(true);
    Ok(pair)
}

#[test]
fn level_0_waits_for_more_while_writers_go_on() -> Result<()> {
    let mut pair = steadily_written()?;
    let trigger = pair.options.level0_trigger;
    for _ in 1..3 * trigger {
        flush_keys(&mut pair, 0..20)?;
        assert!(pair.tree.compaction_score(9) < 1.0 && pair.tree.pick_compaction(9).is_none());
        assert!(pair.tree.stats().levels[0].score < 1.0, "and shows as what it is");
    }
    pair.tree.set_expects_more(false);
    assert!(pair.tree.compaction_score(9) >= 1.0 && pair.tree.stats().levels[0].score >= 1.0, "they pause");
    pair.tree.set_expects_more(true);
    assert!(pair.tree.compaction_score(9) < 1.0);
    flush_keys(&mut pair, 0..20)?;
    let plan = pair.tree.pick_compaction(9).expect("enough is there");
    let report = pair.tree.compact(plan, &pair.compaction(&crate::model::go_on))?;
    assert!(report.tables_in >= 3 * trigger, "{report:?}");
    check(&pair)
}

#[test]
fn level_0_waits_less_while_somebody_reads() -> Result<()> {
    let mut pair = steadily_written()?;
    let trigger = pair.options.level0_trigger;
    for _ in 0..trigger {
        flush_keys(&mut pair, 0..20)?;
    }
    assert!(pair.tree.compaction_score(9) < 1.0);
    let mut cursor = pair.tree.cursor(pair.next);
    for key in 0..4000 {
        assert!(cursor.seek(format!("key-{:03}", key % 900).as_bytes())?);
    }
    drop(cursor);
    assert!(pair.tree.pick_compaction(9).is_some(), "seeks pay for each run");
    for _ in 0..2 {
        flush_keys(&mut pair, 0..20)?;
    }
    assert!(pair.tree.compaction_score(9) < 1.0, "nobody read between the last two flushes");
    for key in 0..400_000 {
        pair.tree.get(format!("key-{:03}", 20 + key % 800).as_bytes(), pair.next)?.expect("it is there");
    }
    assert!(pair.tree.pick_compaction(9).is_some(), "so do gets");
    check(&pair)
}
