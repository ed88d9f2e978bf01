use crate::{Db, ExpertOptions, KeyspaceOptions, Options, worker::measured};
use sediment_env::{Env, fs::MemFs};

fn small_log() -> Db {
    let expert = ExpertOptions {
        background_threads: Some(0),
        wal_file_bytes: 4096,
        memtable_bytes: Some(1 << 20),
        ..ExpertOptions::default()
    };
    let options = Options { expert, ..Options::default() };
    Db::builder("/db").options(options).env(Env::simulated(MemFs::new(), 1)).open().expect("a fresh disk")
}

/// A keyspace that is seldom written must not hold the log back, and moving it out of the way must not wait for itself.
#[test]
fn an_idle_keyspace_is_flushed_when_it_holds_up_the_log() {
    let db = small_log();
    let (idle, busy) = (db.keyspace("idle").expect("made"), db.keyspace("busy").expect("made"));
    idle.insert("k", "v").expect("written");
    for i in 0..400 {
        busy.insert(format!("{i:04}"), [0; 100]).expect("written");
    }
    assert!(db.stats().wal_files <= 5, "{:?}", db.stats());
    assert_eq!(idle.get("k").expect("read").as_deref(), Some(&b"v"[..]));
}

/// What a log holds back is counted in bytes: one file may be as long as many.
#[test]
fn an_idle_keyspace_is_flushed_when_a_few_long_files_wait_for_it() {
    let db = small_log();
    let (idle, busy) = (db.keyspace("idle").expect("made"), db.keyspace("busy").expect("made"));
    idle.insert("k", "v").expect("written");
    let mut batch = db.batch();
    for i in 0..40 {
        batch.insert(&busy, format!("{i:04}"), [0; 1000]);
    }
    batch.commit().expect("written");
    (0..20).for_each(|i| busy.insert(format!("{i:04}"), [1; 100]).expect("written"));
    let stats = db.stats();
    let tables = stats.keyspaces.iter().find(|keyspace| keyspace.name == "idle").map(|idle| idle.levels[0].tables);
    assert!(tables == Some(1) && stats.wal_bytes < 40_000, "{stats:?}");
}

/// What the flush thread sealed was taken for active until it was flushed, and meanwhile every commit asked for another flush.
#[test]
fn what_a_flush_has_sealed_is_not_taken_for_active() {
    let db = small_log();
    db.keyspace("k").expect("made").insert("k", "v").expect("written");
    let (machinery, worker) = db.maintenance();
    worker.memtables.add_steps(0, u64::MAX / 2);
    assert!(worker.memtables.has_many_rows());
    assert!(worker.choose_flush(machinery).is_some_and(|tree| tree.tree.sealed_count() == 1));
    assert!(!worker.memtables.has_many_rows());
}

/// Whether writers go on reaches the strategy of the tree, and so does that they pause.
#[test]
fn what_is_due_waits_for_more_while_writers_go_on() {
    let db = small_log();
    let (level0_trigger, level_base_bytes, level_ratio) = (Some(4), Some(4 << 10), Some(100));
    let options = KeyspaceOptions { level0_trigger, level_base_bytes, level_ratio, ..KeyspaceOptions::default() };
    let keyspace = db.keyspace_with("k", options).expect("made");
    // What will lie below is some times what level 0 brings.
    (0..3000).for_each(|key| keyspace.insert(format!("{key:04}"), format!("value {key}")).expect("written"));
    db.compact().expect("something lies below");
    let (machinery, worker) = db.maintenance();
    let tree = machinery.keyspaces.all()[0].newest();
    for _ in 0..8 {
        keyspace.insert("0100", "v").expect("written");
        assert!(machinery.log.at_boundary(|boundary| tree.tree.seal(boundary)));
        measured::flush(machinery, &tree, &|_| ()).expect("flushed");
    }
    let is_due = || !worker.choose_compaction(machinery).is_empty();
    assert!(is_due());
    let clock = &machinery.env.clock;
    for _ in 0..2 {
        clock.sleep_us(1_000_000);
        worker.tempo.flushed(tree.id, clock.monotonic_us());
    }
    assert!(!is_due());
    clock.sleep_us(2_000_000);
    assert!(is_due());
}
