//! What a database counts and says of itself: every counter is raised where its name says, memory has its accounts, and a live
//! database keeps a file for others.

use crate::disks::{DIR, bytes, killed, list, recorded, small};
use sediment_env::{Env, MemFs, Stepper};
use sedimentdb::{
    Account, Db, Durability, Keyspace, Options,
    stats::{Counter, Histogram, Unit},
};
use std::path::Path;

fn open_with(options: Options, env: Env) -> (Db, Keyspace) {
    let db = Db::builder(DIR).options(options).env(env).open().unwrap();
    let a = db.keyspace("a").unwrap();
    (db, a)
}

fn counter(db: &Db, counter: Counter) -> u64 {
    db.stats().counted.counter(counter)
}

#[test]
fn commits_and_the_log_are_counted() {
    let (db, a) = open_with(small(), Env::simulated(MemFs::new(), 1));
    let before = db.stats();
    a.insert("key", "value").unwrap();
    a.remove("key").unwrap();
    let mut batch = db.batch();
    batch.insert(&a, "k1", "v1").insert(&a, "k2", "v2").remove(&a, "k3");
    batch.durability(Durability::Sync).commit().unwrap();
    let counted = db.stats().counted.since(&before.counted);
    let of = |counter| counted.counter(counter);
    assert_eq!((of(Counter::CommitCount), of(Counter::CommitRows)), (3, 5));
    assert_eq!(of(Counter::CommitBytes), 8 + 3 + (4 + 4 + 2));
    assert_eq!((of(Counter::WalRecords), of(Counter::WalGroups), of(Counter::WalSyncs)), (3, 3, 1));
    assert_eq!(of(Counter::WalBytesWritten), db.stats().wal_bytes - before.wal_bytes);
    assert_eq!(counted.histogram(Histogram::CommitLatencyUs).count(), 2, "the first row of a thread, and the batch");
    assert_eq!(counted.histogram(Histogram::WalSyncLatencyUs).count(), 1);
    let groups = counted.histogram(Histogram::WalGroupRecords);
    assert_eq!((groups.count(), groups.sum()), (3, 3));
    // Those of `Memory` wait, and go with the next one.
    let before = db.stats().counted;
    for key in ["1", "2", "3"] {
        let mut batch = db.batch();
        batch.insert(&a, key, "v");
        batch.durability(Durability::Memory).commit().unwrap();
    }
    a.insert("4", "v").unwrap();
    let counted = db.stats().counted.since(&before);
    assert_eq!((counted.counter(Counter::WalGroups), counted.counter(Counter::WalRecords)), (1, 4));
    assert_eq!(counted.histogram(Histogram::WalGroupRecords).max(), 4);
}

#[test]
fn one_row_is_timed_now_and_then_and_a_batch_always() {
    let (db, a) = open_with(small(), Env::simulated(MemFs::new(), 1));
    let timed = || db.stats().counted.histogram(Histogram::CommitLatencyUs).count();
    let before = timed();
    (0..160).for_each(|_| a.insert("sampled", "").unwrap());
    assert_eq!(timed(), before + 10, "one in 16 of those that write a row and wait for nothing");
    let of_batches = [Durability::Sync, Durability::Memory].map(|durability| {
        let before = timed();
        (0..3).for_each(|_| {
            let mut batch = db.batch();
            batch.insert(&a, "one", "").insert(&a, "two", "");
            batch.durability(durability).commit().unwrap();
        });
        timed() - before
    });
    assert_eq!(of_batches, [3, 3], "and every batch");
    let (db, a) = open_with(Options { durability: Durability::Sync, ..small() }, Env::simulated(MemFs::new(), 1));
    (0..20).for_each(|_| a.insert("synced", "").unwrap());
    let counted = db.stats().counted;
    assert_eq!(
        counted.histogram(Histogram::CommitLatencyUs).count(),
        counted.counter(Counter::CommitCount),
        "and what waits for a sync"
    );
}

#[test]
fn what_was_refused_is_not_counted() {
    let (db, a) = open_with(small(), Env::simulated(MemFs::new(), 1));
    let before = db.stats().counted;
    assert!(a.insert("", "no key").is_err());
    db.batch().commit().unwrap();
    let counted = db.stats().counted.since(&before);
    assert_eq!((counted.counter(Counter::CommitCount), counted.counter(Counter::WalRecords)), (0, 0));
}

#[test]
fn what_is_replayed_is_counted() {
    let disk = MemFs::new();
    let open = || open_with(small(), Env::simulated(disk.clone(), 1));
    let (db, a) = open();
    assert_eq!(counter(&db, Counter::WalRecordsReplayed), 0);
    a.insert("1", "in a table").unwrap();
    db.flush().unwrap();
    (0..3).for_each(|n| a.insert(format!("{n}"), "in the log").unwrap());
    drop((db, a));
    let (db, _) = open();
    assert_eq!(counter(&db, Counter::WalRecordsReplayed), 3);
}

#[test]
fn reads_are_counted_and_a_sample_is_timed() {
    let (db, a) = open_with(small(), Env::simulated(MemFs::new(), 1));
    (0..100).for_each(|n| a.insert(format!("{n:03}"), [7; 100]).unwrap());
    a.get("000").unwrap();
    db.flush().unwrap();
    let before = db.stats().counted;
    for n in 0..256 {
        assert_eq!(a.get(format!("{n:03}")).unwrap().is_some(), n < 100);
    }
    assert_eq!(a.iter().count(), 100);
    let counted = db.stats().counted.since(&before);
    let of = |counter| counted.counter(counter);
    assert_eq!((of(Counter::GetCount), of(Counter::GetTableHits), of(Counter::GetMemtableHits)), (256, 100, 0));
    assert!(of(Counter::FilterChecks) >= 100 && of(Counter::TableOpens) == 1 && of(Counter::TableOpenBytesRead) > 0);
    assert!(of(Counter::BlockCacheHits) > 0 && of(Counter::BlockCacheMisses) > 0 && of(Counter::BlockBytesRead) > 0);
    assert_eq!(counted.histogram(Histogram::GetLatencyUs).count(), 4, "one in 64");
    let scanned = counted.histogram(Histogram::ScanRows);
    assert_eq!((scanned.count(), scanned.sum(), of(Counter::SeekCount)), (1, 100, 1));
}

#[test]
fn maintenance_is_counted_once_for_all_keyspaces() {
    let (db, a) = open_with(small(), Env::simulated(MemFs::new(), 1));
    let b = db.keyspace("b").unwrap();
    for keyspace in [&a, &b] {
        (0..100).for_each(|n| keyspace.insert(format!("{n:03}"), [7; 20]).unwrap());
    }
    db.flush().unwrap();
    for keyspace in [&a, &b] {
        (0..50).for_each(|n| keyspace.remove(format!("{n:03}")).unwrap());
    }
    db.compact().unwrap();
    let counted = db.stats().counted;
    let of = |counter| counted.counter(counter);
    assert_eq!((of(Counter::FlushCount), of(Counter::FlushRowsWritten)), (4, 300));
    assert_eq!(
        (of(Counter::CompactionCount), of(Counter::CompactionRowsRead), of(Counter::CompactionRowsWritten)),
        (2, 300, 100)
    );
    assert_eq!(of(Counter::CompactionRowsDropped), 200);
    assert!(of(Counter::FlushBytesWritten) > 0 && of(Counter::CompactionBytesRead) > of(Counter::CompactionBytesWritten));
    // When a table goes depends on who still reads, in other tests too.
    assert!(of(Counter::TablesCreated) == 6 && of(Counter::TablesDeleted) <= 4);
    assert_eq!(counted.histogram(Histogram::FlushDurationUs).count(), 4);
    assert_eq!(counted.histogram(Histogram::CompactionDurationUs).count(), 2);
}

#[test]
fn every_counter_is_raised_somewhere() {
    // What is raised in the tree and in tables is tested there as well; here, that nothing is left that nobody raises.
    let sources = [
        include_str!("../../src/commit.rs"),
        include_str!("../../src/instruments.rs"),
        include_str!("../../src/api/core.rs"),
        include_str!("../../src/recover/replay.rs"),
        include_str!("../../src/wal/writer.rs"),
        include_str!("../../src/wal/sync.rs"),
        include_str!("../../src/worker.rs"),
        include_str!("../../src/worker/full.rs"),
        include_str!("../../src/worker/measured.rs"),
        include_str!("../../src/worker/pace.rs"),
        include_str!("../../src/worker/rate.rs"),
        include_str!("../../src/worker/stops.rs"),
        include_str!("../../../tree/src/flush.rs"),
        include_str!("../../../tree/src/ingest.rs"),
        include_str!("../../../tree/src/compaction/job.rs"),
        include_str!("../../../tree/src/cursor/cover.rs"),
        include_str!("../../../tree/src/read/get.rs"),
        include_str!("../../../tree/src/read/scan.rs"),
        include_str!("../../../tree/src/rewrite/removed.rs"),
        include_str!("../../../tree/src/super_version/install.rs"),
        include_str!("../../../tree/src/super_version/obsolete.rs"),
        include_str!("../../../tree/src/super_version/toll.rs"),
        include_str!("../../../table/src/reader.rs"),
        include_str!("../../../table/src/reader/counts.rs"),
        include_str!("../../../table/src/reader/filter_pages.rs"),
        include_str!("../../../table/src/reader/filters.rs"),
        include_str!("../../../table/src/reader/index.rs"),
        include_str!("../../../table/src/reader/leaves.rs"),
        include_str!("../../../table/src/reader/located.rs"),
        include_str!("../../../table/src/writer/file.rs"),
    ]
    .concat();
    let is_raised = |name: String| {
        sources.match_indices(&name).any(|(at, _)| !sources[at + name.len()..].starts_with(|next: char| next.is_alphanumeric()))
    };
    for counter in Counter::ALL {
        assert!(is_raised(format!("Counter::{counter:?}")), "{counter:?}");
    }
    for histogram in Histogram::ALL {
        assert!(is_raised(format!("Histogram::{histogram:?}")), "{histogram:?}");
    }
}

#[test]
fn memory_has_its_accounts_and_the_cache_yields() {
    let mut options = small();
    options.memory_bytes = 1 << 20;
    options.expert.memtable_bytes = Some(128 << 10);
    let (db, a) = open_with(options, Env::simulated(MemFs::new(), 1));
    let used = |account| db.stats().memory.budget.used(account);
    assert_eq!(db.stats().memory.budget.total_bytes(), 1 << 20);
    let idle = used(Account::Memtables);
    (0..1500).for_each(|n| a.insert(format!("{n:05}"), [7; 500]).unwrap());
    assert!(used(Account::Memtables) > idle && used(Account::Log) > 0);
    db.flush().unwrap();
    assert_eq!(a.iter().count(), 1500);
    (0..1500).for_each(|n| assert!(a.get(format!("{n:05}")).unwrap().is_some()));
    assert!(used(Account::Metadata) > 0 && used(Account::Cache) > 0);
    let memory = db.stats().memory;
    assert!(memory.budget.total_used() <= 1 << 20, "{}", memory.budget);
    assert!(memory.cache_bytes_max < 1 << 20, "others take some: {memory:?}");
    assert!(used(Account::Cache) <= memory.cache_bytes_max);
    assert_eq!(used(Account::Compaction), 0, "nothing is under way");
}

#[test]
fn the_shape_of_trees_is_told() {
    let (db, a) = open_with(small(), Env::simulated(MemFs::new(), 1));
    (0..2000).for_each(|n| a.insert(format!("{:05}", n * 7919 % 2000), [7; 100]).unwrap());
    (0..10).for_each(|n| a.remove(format!("{n:05}")).unwrap());
    db.flush().unwrap();
    let stats = db.stats();
    let keyspace = &stats.keyspaces[0];
    let rows: u64 = keyspace.levels.iter().map(|level| level.rows).sum();
    let tombstones: u64 = keyspace.levels.iter().map(|level| level.tombstones).sum();
    assert!(rows >= 2000 && tombstones >= 10, "{keyspace:?}");
    assert!(keyspace.levels.iter().any(|level| level.score > 0.0), "{keyspace:?}");
    assert!(keyspace.levels.iter().all(|level| (level.tables > 0) == (level.runs > 0)), "{keyspace:?}");
    assert_eq!((keyspace.sealed_memtables, keyspace.sealed_bytes), (0, 0));
    assert_eq!(stats.pace.bytes_per_second, None);
}

/// A database with background work in steps, that refreshes its file every half second.
fn kept(disk: &MemFs) -> (Db, Keyspace, Env, Stepper) {
    let (env, stepper) = Env::stepped(disk.clone(), 3);
    let mut options = small();
    options.expert.background_threads = Some(1);
    options.expert.stats_file_interval_us = 500_000;
    let (db, a) = open_with(options, env.clone());
    stepper.run(1000);
    (db, a, env, stepper)
}

fn pass(env: &Env, stepper: &Stepper, us: u64) {
    env.clock.sleep_us(us);
    env.park.wake_all();
    stepper.run(1000);
}

fn has_stats(disk: &MemFs) -> bool {
    list(disk, "").contains(&"STATS".to_owned())
}

#[test]
fn a_live_database_keeps_a_file_for_others() {
    let disk = recorded();
    let (db, a, env, stepper) = kept(&disk);
    a.insert("1", "one").unwrap();
    stepper.run(1000);
    assert!(!has_stats(&disk), "not yet");
    pass(&env, &stepper, 500_000);
    let text = String::from_utf8(bytes(&disk, Path::new("db/STATS"))).unwrap();
    assert!(text.starts_with("{\"format\":\"sediment-stats-1\"") && text.ends_with("}\n"), "{text}");
    assert!(text.contains("\"commit_count\":1,") && text.contains("\"name\":\"a\""), "{text}");
    a.insert("2", "two").unwrap();
    pass(&env, &stepper, 500_000);
    let text = String::from_utf8(bytes(&disk, Path::new("db/STATS"))).unwrap();
    assert!(text.contains("\"commit_count\":2,"), "it is fresh: {text}");
    assert_eq!(list(&disk, "").iter().filter(|name| name.starts_with("STATS")).count(), 1);
    // A killed process leaves it; the next one does not mind, and takes it for its own.
    let left = killed(&disk);
    assert!(has_stats(&left));
    drop(a);
    db.close().unwrap();
    assert!(!has_stats(&disk), "it goes with the database");
    let (db, a, env, stepper) = kept(&left);
    pass(&env, &stepper, 500_000);
    let text = String::from_utf8(bytes(&left, Path::new("db/STATS"))).unwrap();
    assert!(text.contains("\"commit_count\":0,"), "{text}");
    assert_eq!(a.iter().count(), 2);
    assert!(db.verify().unwrap().faults.is_empty());
}

#[test]
fn a_file_of_statistics_that_was_left_is_no_hindrance() {
    use sediment_env::Fs;
    for (name, content) in [("STATS", &b"\xff\0 anything"[..]), ("STATS.tmp", b"half")] {
        let disk = MemFs::new();
        drop(open_with(small(), Env::simulated(disk.clone(), 1)));
        disk.create(&Path::new(DIR).join(name)).unwrap().write_at(0, content).unwrap();
        let (db, a) = open_with(small(), Env::simulated(disk.clone(), 1));
        a.insert("1", "one").unwrap();
        assert!(db.verify().unwrap().faults.is_empty());
        assert!(list(&disk, "lost").is_empty(), "it is nothing that was lost");
        assert!(!has_stats(&disk), "who keeps none removes that of another");
        drop((db, a));
        let (_db, _a, env, stepper) = kept(&disk);
        pass(&env, &stepper, 500_000);
        assert!(bytes(&disk, Path::new("db/STATS")).starts_with(b"{"));
        assert!(!list(&disk, "").contains(&"STATS.tmp".to_owned()));
    }
}

#[test]
fn no_file_is_kept_where_none_is_wanted() {
    let disk = MemFs::new();
    let (env, stepper) = Env::stepped(disk.clone(), 3);
    let mut options = small();
    options.expert.background_threads = Some(1);
    options.expert.stats_file_interval_us = 0;
    let (_db, a) = open_with(options, env.clone());
    a.insert("1", "one").unwrap();
    (0..3).for_each(|_| pass(&env, &stepper, 2_000_000));
    assert!(!has_stats(&disk));
}

/// The tables of `docs/statistics.md` are those of the code. `REWRITE=1` writes them.
#[test]
fn the_document_lists_every_counter_and_histogram() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/statistics.md");
    let row = |name: &str, unit: Unit, meaning: &str| format!("| `{name}` | {unit} | {meaning} |\n");
    let counters: String = Counter::ALL.iter().map(|it| row(it.name(), it.unit(), it.meaning())).collect();
    let histograms: String = Histogram::ALL.iter().map(|it| row(it.name(), it.unit(), it.meaning())).collect();
    let written = std::fs::read_to_string(path).unwrap();
    let mut expected = written.clone();
    for (name, rows) in [("counters", counters), ("histograms", histograms)] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let start = expected.find(&begin).expect("it has its place") + begin.len();
        let stop = start + expected[start..].find(&end).expect("and an end");
        expected.replace_range(start..stop, &format!("\n| name | unit | meaning |\n|---|---|---|\n{rows}\n"));
    }
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected, "REWRITE=1 if it is meant so");
}
