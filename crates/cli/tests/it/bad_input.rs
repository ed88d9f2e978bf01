//! What a user or a disk may do wrong: each gets an error that says what, where and what to do, and an exit code of its own.

use crate::program::{Place, flip, sediment};
use sedimentdb::Db;
use std::path::Path;

#[test]
fn a_database_that_is_not_there_is_not_made_by_reading() {
    let place = Place::new();
    for verb in ["stats", "verify", "keyspaces", "scan"] {
        sediment(&[verb, &place.db]).bad(2, &["no database", &place.db, "sediment put"]);
    }
    sediment(&["get", &place.db, "k"]).bad(2, &["no database", &place.db]);
    sediment(&["remove", &place.db, "k"]).bad(2, &["no database", &place.db]);
    assert!(!Path::new(&place.db).exists());
}

#[test]
fn a_directory_of_somebody_else_is_left_alone() {
    let place = Place::new();
    place.file("letter.txt", "dear diary");
    let foreign = place.dir.path().to_str().expect("UTF-8");
    for args in [vec!["put", foreign, "k", "v"], vec!["get", foreign, "k"], vec!["verify", foreign]] {
        let run = sediment(&args);
        assert!(run.code == 2 || run.code == 3, "{run:?}");
        assert!(run.err.contains(foreign), "{run:?}");
    }
    let names: Vec<_> =
        std::fs::read_dir(foreign).expect("it is there").map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["letter.txt"]);
    let file = place.file("file", "");
    sediment(&["put", &file, "k", "v"]).bad(2, &[&file, "is a file"]);
    sediment(&["get", &file, "k"]).bad(2, &[&file, "is a file"]);
}

/// Other databases have a `CURRENT` and a `LOCK` too: they are not damaged ones of ours.
#[test]
fn a_database_of_another_make_is_left_alone() {
    let place = Place::new();
    let foreign = place.dir.path().to_str().expect("UTF-8");
    for (name, bytes) in [("CURRENT", "MANIFEST-000004\n"), ("LOCK", ""), ("MANIFEST-000004", "x"), ("000003.log", "")] {
        place.file(name, bytes);
    }
    for args in [vec!["put", foreign, "k", "v"], vec!["get", foreign, "k"], vec!["verify", foreign]] {
        sediment(&args).bad(2, &[foreign, "no database", "not ours"]);
    }
    assert_eq!(std::fs::read_dir(foreign).expect("it is there").count(), 4, "nothing was added");
    assert_eq!(std::fs::read(place.dir.path().join("CURRENT")).expect("it is there"), b"MANIFEST-000004\n");
}

/// Where opening fails, `verify` fails too and must not be the advice.
#[test]
fn what_opening_needs_and_is_gone_is_damage() {
    for name in ["catalog-2", "wal", "trees", "CURRENT"] {
        let place = Place::filled(10);
        let path = Path::new(&place.db).join(name);
        let gone = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        gone.expect("it was there");
        for args in [vec!["verify", &place.db], vec!["put", &place.db, "k", "v"]] {
            let run = sediment(&args).bad(4, &["missing", name, "backup"]);
            assert!(!run.err.contains("sediment verify"), "{run:?}");
        }
    }
}

#[test]
fn keys_that_cannot_be() {
    let place = Place::filled(1);
    let db = place.db.as_str();
    let long = "k".repeat(65_536);
    sediment(&["put", db, "", "v"]).bad(2, &["empty"]);
    sediment(&["put", db, &long, "v"]).bad(2, &["65535"]);
    sediment(&["remove", db, ""]).bad(2, &["empty"]);
    sediment(&["put", db, r"a\q", "v"]).bad(2, &["unknown escape", "--raw"]);
    sediment(&["put", db, "--hex", "abc", "00"]).bad(2, &["odd number"]);
    sediment(&["put", db, "k", "v", "-k", ""]).bad(2, &["keyspace"]);
    sediment(&["get", db, "k", "-k", "nope"]).bad(2, &["no keyspace `nope`", "default"]);
    sediment(&["frobnicate"]).bad(2, &["frobnicate"]);
    assert_eq!(sediment(&["scan", db, "--keys-only"]).good().out, "key-0000\n", "nothing came of all this");
}

#[test]
fn a_second_process_is_refused() {
    let place = Place::filled(1);
    let db = Db::open(&place.db).expect("the first");
    sediment(&["put", &place.db, "k", "v"]).bad(5, &[&place.db, "hint"]);
    db.close().expect("a clean close");
    sediment(&["put", &place.db, "k", "v"]).good();
}

#[test]
fn a_flipped_byte_is_found_with_its_file_and_place() {
    let place = Place::filled(2000);
    let table = place.files_in("tables").pop().expect("a table");
    flip(&table, 5000);
    let run = sediment(&["verify", &place.db]);
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.out.contains("corruption") && run.out.contains(table.to_str().expect("UTF-8")), "{}", run.out);
    let json = sediment(&["verify", &place.db, "--json"]);
    let fault = &json.values()[0]["faults"][0];
    assert_eq!((json.code, &fault["kind"]), (4, &"Corruption".into()));
    assert!(fault["offset"].is_u64());
    sediment(&["scan", &place.db]).bad(4, &["corruption", "sediment verify"]);
    let intact = sediment(&["scan", &place.db, "--reverse", "--limit", "100"]).good();
    assert_eq!(intact.out.lines().count(), 100, "what is not damaged is still read");
}

#[test]
fn a_missing_or_cut_table_is_named() {
    let place = Place::filled(2000);
    let table = place.files_in("tables").pop().expect("a table");
    let bytes = std::fs::read(&table).expect("a table");
    std::fs::write(&table, &bytes[..bytes.len() / 2]).expect("a table");
    let name = table.to_str().expect("UTF-8");
    sediment(&["get", &place.db, "key-0001"]).bad(4, &[name]);
    std::fs::remove_file(&table).expect("a table");
    sediment(&["get", &place.db, "key-0001"]).bad(4, &[name]);
}

#[test]
fn a_newer_format_is_refused_unchanged() {
    let place = Place::filled(10);
    let mut refused = 0;
    for file in place.files() {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        // Not those that hold no data and have no header of ours.
        if bytes.len() < 128 || !bytes.starts_with(b"\x89SDM") {
            continue;
        }
        let mut newer = bytes.clone();
        make_newer(&mut newer[..128]);
        // A table says it again at its tail, which is where it is opened.
        let tail = bytes.len() - 128;
        if bytes[tail..].starts_with(&bytes[..8]) {
            make_newer(&mut newer[tail..]);
        }
        std::fs::write(&file, &newer).expect("a file of the database");
        let run = sediment(&["scan", &place.db]);
        assert!(run.code == 3 && run.err.contains("99") && run.err.contains("upgrade"), "{}: {run:?}", file.display());
        assert_eq!(std::fs::read(&file).expect("still there"), newer, "nothing was written to it");
        std::fs::write(&file, &bytes).expect("a file of the database");
        refused += 1;
    }
    assert!(refused >= 4, "CURRENT, catalog, manifest and table at least");
    assert_eq!(sediment(&["scan", &place.db]).good().out.lines().count(), 10);
}

#[test]
fn what_is_no_file_of_ours_cannot_be_dumped() {
    let place = Place::new();
    let letter = place.file("letter.txt", "dear diary".repeat(100));
    let run = sediment(&["dump", &letter]);
    assert!((run.code == 2 || run.code == 4) && run.err.contains("letter.txt"), "{run:?}");
    let empty = place.file("empty", "");
    let run = sediment(&["dump", &empty]);
    assert!((run.code == 2 || run.code == 4) && run.err.contains("empty"), "{run:?}");
    sediment(&["dump", "/no/such/file"]).bad(3, &["/no/such/file"]);
    let dir = place.dir.path().to_str().expect("UTF-8");
    sediment(&["dump", dir]).bad(2, &[dir, "one file"]);
    let short = place.file("short", "name,born\n");
    sediment(&["dump", &short]).bad(4, &["not a Sediment file"]);
}

/// Gives a file header the format of a later version.
fn make_newer(header: &mut [u8]) {
    header[8..10].copy_from_slice(&99_u16.to_le_bytes());
    let crc = crc32c(&header[..124]);
    header[124..].copy_from_slice(&crc.to_le_bytes());
}

/// CRC-32C, bit by bit: the checksum of file headers, from its definition.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
