//! What a tree counts, what it is charged for, and what it tells listeners.

use crate::model::{Pair, go_on, small_options};
use sediment_base::{
    Account, EventListener, KeyOrder, Listeners, Result,
    event::{TableCreated, TableDeleted},
    stats::{Counter, Histogram, StatsSnapshot},
};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::{FlushContext, TreeOptions};
use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:04}").into_bytes()
}

fn write(pair: &mut Pair, numbers: std::ops::Range<u32>) -> Result<()> {
    numbers.into_iter().try_for_each(|number| pair.write(&key(number), Some(&number.to_le_bytes())))
}

fn pair_with(change: impl FnOnce(&mut TreeOptions)) -> Result<Pair> {
    let mut options = small_options(KeyOrder::bytewise());
    change(&mut options);
    Pair::create_with(Env::simulated(MemFs::new(), 1), options)
}

fn pair() -> Result<Pair> {
    pair_with(|_| {})
}

fn counted<const N: usize>(snapshot: &StatsSnapshot, counters: [Counter; N]) -> [u64; N] {
    counters.map(|counter| snapshot.counter(counter))
}

const GETS: [Counter; 3] = [Counter::GetCount, Counter::GetMemtableHits, Counter::GetTableHits];

#[test]
fn gets_are_counted_by_the_place_that_answered() -> Result<()> {
    let mut pair = pair()?;
    write(&mut pair, 0..100)?;
    pair.flush()?;
    write(&mut pair, 100..110)?;
    pair.tree.seal(pair.next - 1);
    write(&mut pair, 110..120)?;
    pair.write(&key(5), None)?;
    let stats = Arc::clone(&pair.options.stats);
    let asked = |number: u32, read_seqno| -> Result<[u64; 3]> {
        let before = stats.snapshot();
        assert_eq!(pair.tree.get(&key(number), read_seqno)?.as_deref(), pair.expected(&key(number), read_seqno).as_deref());
        Ok(counted(&stats.snapshot().since(&before), GETS))
    };
    let now = pair.next;
    assert_eq!(asked(115, now)?, [1, 1, 0], "the active memtable");
    assert_eq!(asked(105, now)?, [1, 1, 0], "the sealed one");
    assert_eq!(asked(7, now)?, [1, 0, 1], "a table");
    assert_eq!(asked(5, now)?, [1, 1, 0], "a tombstone is an answer");
    assert_eq!(asked(5, now - 1)?, [1, 0, 1], "below the tombstone");
    assert_eq!(asked(777, now)?, [1, 0, 0], "nowhere");
    assert_eq!(asked(115, 105)?, [1, 0, 0], "not yet");
    let before = stats.snapshot();
    assert!(pair.tree.contains_key(&key(7), now)?);
    assert_eq!(counted(&stats.snapshot().since(&before), GETS), [1, 0, 1]);
    Ok(())
}

#[test]
fn a_get_over_several_tables_adds_up_what_it_met() -> Result<()> {
    let mut pair = pair_with(|options| options.table_bytes = 1 << 20)?;
    // Two tables over the same range of keys, each with every second key.
    for half in 0..2 {
        for number in 0..200 {
            pair.write(&key(number * 2 + half), Some(b"value"))?;
        }
        pair.flush()?;
    }
    let before = pair.options.stats.snapshot();
    for number in 0..400 {
        assert!(pair.tree.get(&key(number), pair.next)?.is_some());
    }
    let met = pair.options.stats.snapshot().since(&before);
    let (checks, no) = (met.counter(Counter::FilterChecks), met.counter(Counter::FilterNegatives));
    let maybe = met.counter(Counter::FilterFalsePositives);
    // Keys of the newer table are found at once; the others ask it first, but for the first of all, which lies before it.
    assert_eq!((checks, no + maybe), (599, 199));
    assert!(no > 180, "{no} of 199");
    let [hits, misses] = counted(&met, [Counter::BlockCacheHits, Counter::BlockCacheMisses]);
    assert_eq!(hits + misses, 400 + maybe);
    assert!(misses > 10 && met.counter(Counter::BlockBytesRead) > misses * 100, "{misses}");
    assert_eq!(met.counter(Counter::TableOpens), 2);
    Ok(())
}

#[test]
fn flushes_and_compactions_count_what_they_report() -> Result<()> {
    let mut pair = pair()?;
    let stats = Arc::clone(&pair.options.stats);
    write(&mut pair, 0..100)?;
    write(&mut pair, 0..100)?;
    pair.tree.seal(pair.next - 1);
    let (retention, through) = (pair.retention(), pair.next);
    let context = FlushContext { retention, now_us: 5, through, covered: None, before_publish: &|_| Ok(()), on_slice: &go_on };
    let report = pair.tree.flush(&context)?;
    assert_eq!((report.rows_in, report.rows), (200, 100), "nobody can see the older rows");
    let flush = [Counter::FlushCount, Counter::FlushRowsWritten, Counter::FlushRowsDropped, Counter::FlushBytesWritten];
    assert_eq!(counted(&stats.snapshot(), flush), [1, 100, 100, report.bytes]);
    assert_eq!(stats.get(Counter::TablesCreated), report.tables as u64);
    assert_eq!(pair.tree.flush(&context)?.memtables, 0);
    assert_eq!(stats.get(Counter::FlushCount), 1, "nothing was sealed");

    for _ in 0..2 {
        write(&mut pair, 50..150)?;
        pair.flush()?;
    }
    let before = stats.snapshot();
    let report = pair.tree.compact_all(&pair.compaction(&go_on))?;
    let found = stats.snapshot().since(&before);
    let rows = [Counter::CompactionRowsRead, Counter::CompactionRowsWritten, Counter::CompactionRowsDropped];
    assert_eq!(counted(&found, rows), [300, 150, 150]);
    assert_eq!((report.rows_in, report.rows_out), (300, 150));
    let bytes = [Counter::CompactionBytesRead, Counter::CompactionBytesWritten];
    assert_eq!(counted(&found, bytes), [report.bytes_in, report.bytes_out]);
    assert_eq!(counted(&found, [Counter::CompactionCount, Counter::CompactionMoves]), [1, 0]);
    assert_eq!(found.counter(Counter::TablesCreated), report.tables_out as u64);
    assert!(pair.eventually(|| stats.get(Counter::TablesDeleted) == report.tables_in as u64));
    assert_eq!(counted(&found, [Counter::BlockCacheHits, Counter::BlockCacheMisses]), [0, 0], "no reader was there");
    Ok(())
}

#[test]
fn moves_are_counted_as_such() -> Result<()> {
    let mut pair = pair()?;
    let stats = Arc::clone(&pair.options.stats);
    let (mut moves, mut rewrites) = (0, 0);
    for round in 0..12 {
        // Keys ascend, so that what is flushed overlaps nothing.
        write(&mut pair, round * 300..(round + 1) * 300)?;
        pair.flush()?;
        while let Some(plan) = pair.tree.pick_compaction(9) {
            let before = stats.get(Counter::TablesCreated);
            if pair.tree.compact(plan, &pair.compaction(&go_on))?.moved {
                moves += 1;
                assert_eq!(stats.get(Counter::TablesCreated), before, "a table that moves is none that is made");
            } else {
                rewrites += 1;
            }
        }
    }
    assert!(moves > 0);
    assert_eq!(counted(&stats.snapshot(), [Counter::CompactionMoves, Counter::CompactionCount]), [moves, rewrites]);
    Ok(())
}

#[test]
fn scans_note_how_many_rows_they_gave() -> Result<()> {
    let mut pair = pair()?;
    write(&mut pair, 0..60)?;
    pair.flush()?;
    write(&mut pair, 60..100)?;
    let stats = Arc::clone(&pair.options.stats);
    let scan = || pair.tree.range::<Vec<u8>, _>(key(0).., pair.next);
    assert_eq!(scan().count(), 100);
    assert_eq!(scan().take(7).count(), 7);
    assert_eq!(scan().rev().take(20).count(), 20);
    drop(scan());
    let mut both = scan();
    assert!(both.next().is_some() && both.next_back().is_some());
    assert_eq!(stats.distribution(Histogram::ScanRows).count(), 4, "it is not over yet");
    drop(both);
    let rows = stats.distribution(Histogram::ScanRows);
    assert_eq!((rows.count(), rows.sum(), rows.max()), (5, 129, 100));
    Ok(())
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EventListener for Heard {
    fn table_created(&self, event: &TableCreated) {
        let TableCreated { path, table, level, rows, bytes } = event;
        assert!(path.ends_with(format!("tables/{table}")) && *bytes > 0);
        self.0.lock().expect("no panic").push(format!("table {table} on level {level} with {rows} rows"));
    }

    fn table_deleted(&self, event: &TableDeleted) {
        self.0.lock().expect("no panic").push(format!("table {} is gone", event.table));
    }
}

#[test]
fn listeners_hear_of_tables() -> Result<()> {
    let heard = Arc::new(Heard::default());
    let listening: Arc<dyn EventListener> = Arc::clone(&heard) as Arc<dyn EventListener>;
    let mut pair = pair_with(|options| options.listeners = Arc::new(Listeners::new(vec![listening])))?;
    let taken = || std::mem::take(&mut *heard.0.lock().expect("no panic"));
    write(&mut pair, 0..10)?;
    pair.flush()?;
    write(&mut pair, 5..20)?;
    pair.flush()?;
    assert_eq!(taken(), ["table 1 on level 0 with 10 rows", "table 2 on level 0 with 15 rows"]);
    let scan = pair.tree.range::<Vec<u8>, _>(.., pair.next);
    let failed = pair.tree.compact_all(&pair.compaction(&|_| ControlFlow::Break(())));
    assert!(failed.is_err());
    assert_eq!(taken(), ["table 3 is gone"], "it was given up before anybody saw it");
    pair.compact_all()?;
    let level = pair.tree.stats().levels.iter().position(|level| level.tables > 0).expect("there is a table");
    let made = taken();
    assert_eq!((made.len(), made[0].ends_with(&format!("on level {level} with 20 rows"))), (1, true), "{made:?}");
    drop(scan);
    assert!(pair.eventually(|| heard.0.lock().expect("no panic").len() == 2));
    let mut gone = taken();
    gone.sort();
    assert_eq!(gone, ["table 1 is gone", "table 2 is gone"]);
    pair.reopen()?;
    assert_eq!(pair.scanned(&(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded), pair.next)?.len(), 20);
    assert!(taken().is_empty(), "what was there before is no news");
    Ok(())
}

#[test]
fn memory_is_charged_while_it_is_held() -> Result<()> {
    let mut pair = pair()?;
    let budget = Arc::clone(&pair.options.budget);
    let used = |account| budget.used(account);
    write(&mut pair, 0..2000)?;
    let rows = used(Account::Memtables);
    assert!(rows > 2000 * 12 && rows <= pair.tree.memtable_bytes() as u64, "{rows}");
    let scan = pair.tree.range::<Vec<u8>, _>(.., pair.next);
    pair.flush()?;
    assert_eq!(used(Account::Compaction), 0, "the flush is over");
    assert!(used(Account::Pinned) >= rows, "the scan still holds them");
    assert_eq!(used(Account::Memtables), pair.tree.memtable_bytes() as u64, "but writers need not wait for it");
    drop(scan);
    assert!(pair.eventually(|| used(Account::Pinned) == 0));
    assert_eq!(used(Account::Metadata), 0, "no table was opened");
    assert_eq!(pair.tree.range::<Vec<u8>, _>(.., pair.next).count(), 2000);
    let metadata = used(Account::Metadata);
    assert!(metadata > 2000 * 10 / 8, "{metadata}");
    assert_eq!(used(Account::Cache), pair.options.cache.used_bytes());
    assert!(used(Account::Cache) > 0);
    pair.compact_all()?;
    assert!(pair.eventually(|| used(Account::Metadata) == 0), "the tables that were open are gone");
    drop(pair);
    assert_eq!(budget.total_used(), 0, "{}", budget.snapshot());
    Ok(())
}
