//! Settings of one keyspace: stored with it, found again whatever came in between, and heeded.

use crate::disks::{DIR, faulty, fill, killed, list, open, open_env, powerless, recorded, rows, small};
use sediment_env::{Env, MemFs};
use sedimentdb::{
    Compression, Create, Db, ErrorKind, FilterKind, FilterWidths, Goal, Keyspace, KeyspaceOptions, Residency, Result,
    ZstdLevel, dump_file, stats::Counter,
};

fn archive() -> KeyspaceOptions {
    KeyspaceOptions {
        goal: Some(Goal::Space),
        memtable_bytes: Some(12 << 10),
        block_bytes: Some(2048),
        compression: Some(Compression::None),
        level0_compression: Some(Compression::Zstd(ZstdLevel::DEFAULT)),
        dictionary_bytes: Some(1 << 12),
        dictionary: None,
        filter: Some(FilterKind::Burr),
        filter_bits_per_key: Some(0),
        filter_widths: Some(FilterWidths::Uniform),
        locators: Some(true),
        filter_residency: Some(Residency::Paged),
        fence_residency: Some(Residency::Resident),
        entry_checksums: Some(true),
        prefix_extractor: Some("fixed-3".into()),
        compaction_filter: None,
        table_bytes: Some(4 << 10),
        strategy: Some("tiered".into()),
        level0_trigger: Some(3),
        level_ratio: Some(7),
        level_base_bytes: Some(32 << 10),
        merge_operator: None,
        comparator: None,
    }
}

fn trigger(runs: usize) -> KeyspaceOptions {
    KeyspaceOptions { level0_trigger: Some(runs), ..KeyspaceOptions::default() }
}

fn found(db: &Db, name: &str) -> KeyspaceOptions {
    db.open_keyspace(name).unwrap().expect("it is there").options()
}

/// How many tables a keyspace has.
fn tables(db: &Db, name: &str) -> u64 {
    let stats = db.stats();
    let keyspace = stats.keyspaces.iter().find(|keyspace| keyspace.name == name).expect("it is there");
    keyspace.levels.iter().map(|level| level.tables).sum()
}

fn write_kilobytes(keyspace: &Keyspace, count: usize) {
    for i in 0..count {
        keyspace.insert(format!("{i:04}"), vec![i as u8; 1000]).unwrap();
    }
}

#[test]
fn they_are_found_again_after_closing_without_being_told() {
    let disk = MemFs::new();
    let db = open(&disk);
    db.create_keyspace_with("archive", archive()).unwrap();
    db.keyspace_with("queue", trigger(9)).unwrap();
    db.keyspace("plain").unwrap();
    db.close().unwrap();
    let db = open(&disk);
    assert_eq!((found(&db, "archive"), found(&db, "queue")), (archive(), trigger(9)));
    assert_eq!(found(&db, "plain"), KeyspaceOptions::default());
    assert_eq!(db.keyspace("archive").unwrap().options(), archive(), "to open it is not to change it");
    assert!(db.create_keyspace_with("archive", trigger(1)).is_err());
    assert_eq!(found(&db, "archive"), archive());
}

#[test]
fn they_survive_a_power_loss_once_given() {
    let disk = recorded();
    let db = open(&disk);
    let queue = db.create_keyspace_with("queue", trigger(9)).unwrap();
    assert_eq!(found(&open(&powerless(&disk)), "queue"), trigger(9));
    queue.set_options(archive()).unwrap();
    for image in [powerless(&disk), killed(&disk)] {
        assert_eq!(found(&open(&image), "queue"), archive());
    }
    queue.set_options(KeyspaceOptions::default()).unwrap();
    assert_eq!(found(&open(&powerless(&disk)), "queue"), KeyspaceOptions::default(), "what is not set is not set any more");
}

/// Every catalog fails, so replay alone brings them back; then the first write of the next process saves them.
#[test]
fn the_log_alone_brings_them_back() {
    let disk = MemFs::new();
    let (faults, env) = faulty(&disk);
    let db = open_env(env).unwrap();
    fill(&faults, "catalog-", 10);
    db.create_keyspace_with("archive", archive()).unwrap().insert("k", "v").unwrap();
    let queue = db.create_keyspace_with("queue", archive()).unwrap();
    queue.set_options(trigger(9)).unwrap();
    queue.clear().unwrap();
    assert!(!faults.injected().is_empty());
    drop((db, queue));
    for _ in 0..2 {
        let db = open(&disk);
        assert_eq!((found(&db, "archive"), found(&db, "queue")), (archive(), trigger(9)));
        db.keyspace("archive").unwrap().insert("k", "v").unwrap();
    }
}

/// The log that recorded them is gone, so the catalog alone has them.
#[test]
fn the_catalog_alone_brings_them_back() {
    let disk = MemFs::new();
    let db = open(&disk);
    db.create_keyspace_with("archive", trigger(2)).unwrap().set_options(archive()).unwrap();
    let busy = db.keyspace("busy").unwrap();
    write_kilobytes(&busy, 200);
    db.flush().unwrap();
    assert!(!list(&disk, "wal").contains(&"1".to_owned()), "{:?}", list(&disk, "wal"));
    drop((db, busy));
    assert_eq!(found(&open(&disk), "archive"), archive());
}

#[test]
fn a_clear_keeps_them_and_a_drop_does_not() {
    let disk = MemFs::new();
    let db = open(&disk);
    let archive_keyspace = db.create_keyspace_with("archive", archive()).unwrap();
    archive_keyspace.clear().unwrap();
    assert_eq!(archive_keyspace.options(), archive());
    db.create_keyspace_with("queue", trigger(9)).unwrap();
    db.drop_keyspace("queue").unwrap();
    db.create_keyspace("queue").unwrap();
    let check = |db: &Db| assert_eq!((found(db, "archive"), found(db, "queue")), (archive(), KeyspaceOptions::default()));
    check(&db);
    drop((db, archive_keyspace));
    check(&open(&disk));
}

/// The same rows under two settings come to differently many tables, and memtables are flushed at their own sizes.
#[test]
fn two_keyspaces_heed_each_their_own() {
    let disk = MemFs::new();
    let db = open(&disk);
    let table_bytes = |bytes| KeyspaceOptions { table_bytes: Some(bytes), ..KeyspaceOptions::default() };
    let (small, large) =
        (db.keyspace_with("small", table_bytes(2 << 10)).unwrap(), db.keyspace_with("large", table_bytes(1 << 20)).unwrap());
    for keyspace in [&small, &large] {
        write_kilobytes(keyspace, 40);
    }
    db.compact().unwrap();
    assert_eq!(tables(&db, "large"), 1);
    assert!(tables(&db, "small") >= 10, "{}", tables(&db, "small"));
    assert_eq!(rows(small.iter()), rows(large.iter()));

    let memtable_bytes = |bytes| KeyspaceOptions { memtable_bytes: Some(bytes), ..KeyspaceOptions::default() };
    let (early, late) = (
        db.keyspace_with("early", memtable_bytes(8 << 10)).unwrap(),
        db.keyspace_with("late", memtable_bytes(1 << 20)).unwrap(),
    );
    for keyspace in [&early, &late] {
        write_kilobytes(keyspace, 12);
    }
    assert!(tables(&db, "early") >= 1);
    assert_eq!(tables(&db, "late"), 0);
}

#[test]
fn a_change_shapes_what_is_written_from_then_on() {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace("k").unwrap();
    write_kilobytes(&keyspace, 40);
    db.compact().unwrap();
    let before = tables(&db, "k");
    assert!(before > 1, "{before}");
    keyspace.set_options(KeyspaceOptions { table_bytes: Some(1 << 20), ..keyspace.options() }).unwrap();
    assert_eq!(tables(&db, "k"), before, "what is there stays");
    db.compact().unwrap();
    assert_eq!(tables(&db, "k"), 1);
    keyspace.set_options(KeyspaceOptions { memtable_bytes: Some(1 << 20), ..keyspace.options() }).unwrap();
    write_kilobytes(&keyspace, 12);
    drop((db, keyspace));
    let db = open(&disk);
    db.compact().unwrap();
    assert_eq!(tables(&db, "k"), 1, "and so it is after opening again");
}

#[test]
fn what_holds_is_told_with_every_number() {
    let db = open(&MemFs::new());
    let own = KeyspaceOptions { goal: Some(Goal::Write), level_ratio: Some(3), ..KeyspaceOptions::default() };
    let keyspace = db.keyspace_with("k", own.clone()).unwrap();
    let expected = KeyspaceOptions {
        memtable_bytes: Some(16 << 10),
        block_bytes: Some(1024),
        compression: Some(Compression::None),
        level0_compression: Some(Compression::None),
        dictionary_bytes: Some(0),
        filter: Some(FilterKind::SplitBlock),
        filter_bits_per_key: Some(12),
        filter_widths: Some(FilterWidths::ByLevel),
        locators: Some(false),
        filter_residency: Some(Residency::ByBudget),
        fence_residency: Some(Residency::ByBudget),
        entry_checksums: Some(false),
        table_bytes: Some(16 << 10),
        level0_trigger: Some(8),
        level_base_bytes: Some(64 << 10),
        ..own.clone()
    };
    assert_eq!((keyspace.options(), keyspace.effective_options()), (own, expected));
}

#[test]
fn what_is_out_of_range_is_refused_by_name_and_changes_nothing() {
    let disk = MemFs::new();
    let db = open(&disk);
    let keyspace = db.keyspace_with("users", trigger(9)).unwrap();
    let bad = [
        (KeyspaceOptions { memtable_bytes: Some(1), ..archive() }, "memtable_bytes is 1, but must be 4096 to"),
        (KeyspaceOptions { block_bytes: Some(1), ..archive() }, "block_bytes is 1, but must be 256 to 65536 bytes"),
        (KeyspaceOptions { filter_bits_per_key: Some(99), ..archive() }, "filter_bits_per_key is 99, but must be 0 to 32"),
        (KeyspaceOptions { table_bytes: Some(1), ..archive() }, "table_bytes is 1, but must be 1024 to"),
        (KeyspaceOptions { level0_trigger: Some(0), ..archive() }, "level0_trigger is 0, but must be 1 to 1000"),
        (KeyspaceOptions { level_ratio: Some(1), ..archive() }, "level_ratio is 1, but must be 2 to 100"),
        (KeyspaceOptions { level_base_bytes: Some(1), ..archive() }, "level_base_bytes is 1, but must be 1024 to"),
    ];
    for (options, text) in bad {
        let told = |result: Result<()>, name: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let text = format!("keyspace \"{name}\": {text}");
            assert!(error.to_string().contains(&text), "{error}, not {text}");
        };
        told(keyspace.set_options(options.clone()), "users");
        told(db.keyspace_with("users", options.clone()).map(drop), "users");
        told(db.keyspace_with("new", options.clone()).map(drop), "new");
        told(db.create_keyspace_with("new", options).map(drop), "new");
    }
    assert_eq!((keyspace.options(), db.keyspace_names()), (trigger(9), vec!["users".to_owned()]));
    drop((db, keyspace));
    assert_eq!(found(&open(&disk), "users"), trigger(9));
}

#[test]
fn log_and_catalog_print_them() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path()).unwrap();
    db.create_keyspace_with("queue", trigger(9)).unwrap().set_options(archive()).unwrap();
    db.keyspace("plain").unwrap();
    db.close().unwrap();
    let printed = |path: &str| {
        let mut text = String::new();
        dump_file(dir.path().join(path), &mut text).unwrap();
        text
    };
    let (log, catalog) = (printed("wal/1"), printed("catalog-4"));
    for wanted in
        ["KeyspaceOptions { level0_trigger: 9 }", "Configure { keyspace: KeyspaceId(1)", "goal: Space, memtable_bytes: 12288,"]
    {
        assert!(log.contains(wanted), "{wanted} in {log}");
    }
    assert!(catalog.contains("since 1 KeyspaceOptions { goal: Space, memtable_bytes: 12288,"), "{catalog}");
    assert!(catalog.contains("\"plain\" tree 2 since 3\n"), "what is not set is not printed: {catalog}");
}

#[test]
fn asking_for_what_it_has_writes_nothing() {
    let disk = recorded();
    let db = open(&disk);
    db.keyspace_with("k", archive()).unwrap();
    let (calls, seqno) = (disk.op_count(), db.stats().visible_seqno);
    assert_eq!(db.keyspace_with("k", archive()).unwrap().options(), archive());
    assert_eq!((disk.op_count(), db.stats().visible_seqno), (calls, seqno));
    assert_eq!(db.keyspace_with("k", trigger(1)).unwrap().options(), trigger(1), "and other settings are given to it");
}

#[test]
fn who_may_not_write_may_not_change_them() {
    let disk = MemFs::new();
    let db = open(&disk);
    let gone = db.keyspace("gone").unwrap();
    db.keyspace_with("k", archive()).unwrap();
    db.drop_keyspace("gone").unwrap();
    assert_eq!(gone.set_options(archive()).unwrap_err().kind(), ErrorKind::Closed);
    db.close().unwrap();
    drop(gone);
    let reader = Db::builder(DIR).options(small()).create(Create::MustExist).read_only(true);
    let db = reader.env(Env::simulated(disk.clone(), 7)).open().unwrap();
    let keyspace = db.keyspace_with("k", archive()).unwrap();
    assert_eq!(keyspace.options(), archive());
    assert_eq!(keyspace.set_options(trigger(1)).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(keyspace.options(), archive());
}

#[test]
fn prefix_extractors_are_checked_stored_and_changed_like_any_setting() {
    let disk = MemFs::new();
    let db = open(&disk);
    let with = |name: &str| KeyspaceOptions { prefix_extractor: Some(name.into()), ..KeyspaceOptions::default() };
    let refused = db.create_keyspace_with("users", with("by heart")).unwrap_err();
    assert!(refused.to_string().contains("DbBuilder::prefix_extractor"), "{refused}");
    let users = db.create_keyspace_with("users", with("fixed-4")).unwrap();
    assert!(users.set_options(with("fixed-04")).is_err());
    let write = |names: [&str; 3]| {
        names.iter().for_each(|name| users.insert(format!("{name}/name"), name).unwrap());
        db.flush().unwrap();
    };
    write(["u001", "u003", "u009"]);
    let negatives = |db: &Db| db.stats().counted.counter(Counter::PrefixFilterNegatives);
    assert_eq!((users.prefix("u002").count(), users.prefix("u003").count()), (0, 1));
    assert_eq!(negatives(&db), 1);
    users.set_options(with("delimited-2f-1")).unwrap();
    write(["u000", "u005", "u008"]);
    assert_eq!((users.prefix("u004/").count(), negatives(&db)), (0, 3), "each table is asked its own way");
    drop(users);
    db.close().unwrap();
    let db = open(&disk);
    assert_eq!(found(&db, "users"), with("delimited-2f-1"));
    let users = db.keyspace("users").unwrap();
    assert_eq!((users.prefix("u005/").count(), negatives(&db)), (1, 1));
}

#[test]
fn strategies_are_checked_stored_and_changed_like_any_setting() {
    let disk = MemFs::new();
    let db = open(&disk);
    let with =
        |name: &str| KeyspaceOptions { strategy: Some(name.into()), level0_trigger: Some(3), ..KeyspaceOptions::default() };
    let refused = db.create_keyspace_with("log", with("by heart")).unwrap_err();
    assert!(refused.to_string().contains("choose leveled, tiered, lazy"), "{refused}");
    let log = db.create_keyspace_with("log", with("tiered")).unwrap();
    let runs = |db: &Db| {
        let stats = db.stats();
        let keyspace = stats.keyspaces.iter().find(|keyspace| keyspace.name == "log").expect("it is there");
        keyspace.levels.iter().map(|level| level.runs).collect::<Vec<_>>()
    };
    (0..20).for_each(|_| write_kilobytes(&log, 15));
    let in_tiers = runs(&db);
    assert!(in_tiers[0] > 0 && in_tiers.iter().sum::<u64>() <= 4, "{in_tiers:?}");
    assert!(db.stats().counted.counter(Counter::CompactionCount) > 2);
    drop(log);
    db.close().unwrap();
    let db = open(&disk);
    assert_eq!(found(&db, "log"), with("tiered"));
    let log = db.keyspace("log").unwrap();
    assert!(log.set_options(with("none")).is_err());
    log.set_options(with("leveled")).unwrap();
    (0..20).for_each(|_| write_kilobytes(&log, 15));
    assert_eq!(log.range::<&str, _>(..).count(), 15);
    assert!(runs(&db)[1..].iter().sum::<u64>() == 1 && runs(&db)[0] < 3, "{:?}", runs(&db));
    assert!(log.set_options(with("lazy-256")).is_err());
    log.set_options(with("lazy-40")).unwrap();
    (0..20).for_each(|_| write_kilobytes(&log, 15));
    assert_eq!(log.range::<&str, _>(..).count(), 15);
    let in_two = runs(&db);
    assert_eq!(in_two[1..].iter().sum::<u64>(), 1, "one run at the bottom: {in_two:?}");
    assert!(in_two[0] <= 4, "{in_two:?}");
}
