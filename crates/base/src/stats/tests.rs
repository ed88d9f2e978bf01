//! Names, units and meanings; counting from many threads; snapshots and their differences.

use super::{Counter, Histogram, Stats, StatsSnapshot, Unit};
use std::collections::HashSet;

/// Every public name. A name that is here stays: what people have built on it must go on working.
const NAMES: &str = "get_count get_memtable_hits get_table_hits filter_checks filter_negatives filter_false_positives \
    locator_checks locator_hits locators_left_out filters_left_out filter_pages_loaded filter_page_bytes_read \
    fences_left_out fence_leaves_loaded fence_leaf_bytes_read prefix_filter_checks prefix_filter_negatives seek_count removed_runs_passed \
    block_cache_hits block_cache_misses block_bytes_read table_opens table_open_bytes_read commit_count commit_rows \
    commit_bytes wal_bytes_written wal_records wal_groups wal_syncs wal_files_begun \
    wal_records_replayed flush_count flush_rows_written flush_rows_dropped removed_runs_found flush_bytes_written ingest_count \
    ingest_rows ingest_bytes_written compaction_count compaction_portions compaction_bytes_evicted \
    compaction_moves compaction_rows_read compaction_rows_written compaction_rows_dropped compaction_blocks_carried \
    compaction_rows_filtered compaction_tables_dropped compaction_bytes_read compaction_bytes_written compaction_wait_us compactions_postponed \
    tables_created tables_deleted write_delays write_delay_us write_stops write_stop_us no_space_events \
    commit_latency_us get_latency_us scan_rows wal_sync_latency_us wal_group_records flush_duration_us compaction_duration_us";

#[test]
fn names_are_those_that_were_promised() {
    let counters = Counter::ALL.map(Counter::name);
    let histograms = Histogram::ALL.map(Histogram::name);
    let names: Vec<&str> = counters.into_iter().chain(histograms).collect();
    assert_eq!(names, NAMES.split_whitespace().collect::<Vec<_>>());
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "each name is given once");
}

#[test]
fn names_tell_the_unit_and_meanings_are_sentences() {
    let counters = Counter::ALL.map(|counter| (counter.name(), counter.unit(), counter.meaning()));
    let histograms = Histogram::ALL.map(|histogram| (histogram.name(), histogram.unit(), histogram.meaning()));
    for (name, unit, meaning) in counters.into_iter().chain(histograms) {
        assert_eq!(unit == Unit::Microseconds, name.ends_with("_us"), "{name}");
        assert_eq!(unit == Unit::Rows, name.contains("_rows"), "{name}");
        assert_eq!(unit == Unit::Bytes, name.contains("_bytes"), "{name}");
        assert!(meaning.ends_with('.') && !meaning.starts_with(' ') && meaning.len() > 7, "{name}: {meaning:?}");
    }
}

#[test]
fn what_is_counted_is_read() {
    let stats = Stats::new();
    let local = stats.local();
    for (index, counter) in Counter::ALL.into_iter().enumerate() {
        assert_eq!(counter as usize, index);
        stats.add(counter, 1 << 40);
        local.add(counter, index as u64);
    }
    for (index, histogram) in Histogram::ALL.into_iter().enumerate() {
        assert_eq!(histogram as usize, index);
        stats.record(histogram, 3 + index as u64);
        stats.record(histogram, 1000);
    }
    let snapshot = stats.snapshot();
    for (index, (counter, count)) in snapshot.counters().enumerate() {
        assert_eq!(count, (1 << 40) + index as u64);
        assert_eq!((snapshot.counter_named(counter.name()), stats.get(counter)), (Some(count), count));
    }
    for (index, (histogram, noted)) in snapshot.histograms().enumerate() {
        assert_eq!((noted.count(), noted.sum(), noted.max()), (2, 1003 + index as u64, 1000));
        assert_eq!(snapshot.histogram_named(histogram.name()), Some(&stats.distribution(histogram)));
    }
    assert_eq!((snapshot.counter_named("scan_rows"), snapshot.histogram_named("no_such_name")), (None, None));
}

#[test]
fn a_difference_holds_what_came_between() {
    let stats = Stats::new();
    stats.add(Counter::CommitRows, 10);
    stats.record(Histogram::ScanRows, 100_000);
    let before = stats.snapshot();
    assert_eq!(before.since(&before), StatsSnapshot::default());
    stats.add(Counter::CommitRows, 4);
    stats.add(Counter::FlushCount, 1);
    (0..100).for_each(|rows| stats.record(Histogram::ScanRows, rows));
    let after = stats.snapshot();
    let between = after.since(&before);
    assert_eq!((between.counter(Counter::CommitRows), between.counter(Counter::FlushCount)), (4, 1));
    assert_eq!(between.counters().map(|(_, count)| count).sum::<u64>(), 5);
    let rows = between.histogram(Histogram::ScanRows);
    assert_eq!((rows.count(), rows.sum()), (100, 4950));
    assert!((99..=103).contains(&rows.max()) && (49..=56).contains(&rows.quantile(0.5)), "{rows}");
    let mut whole = before;
    whole.merge(&between);
    assert_eq!(whole, after);
}

#[test]
fn threads_lose_nothing() {
    const THREADS: u64 = 6;
    const ROUNDS: u64 = 20_000;
    let stats = Stats::new();
    let expected = THREADS * ROUNDS;
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    stats.add(Counter::GetCount, 1);
                    stats.record(Histogram::CommitLatencyUs, round);
                }
            });
        }
        // A reader sees numbers that only grow.
        let mut last = 0;
        while last < expected {
            let now = stats.get(Counter::GetCount);
            assert!((last..=expected).contains(&now));
            last = now;
            std::thread::yield_now();
        }
    });
    let latency = stats.distribution(Histogram::CommitLatencyUs);
    assert_eq!((stats.get(Counter::GetCount), latency.count()), (expected, expected));
    assert_eq!((latency.sum(), latency.max()), (THREADS * (ROUNDS * (ROUNDS - 1) / 2), ROUNDS - 1));
}
