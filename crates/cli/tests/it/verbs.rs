//! What each verb does when all is well.

use crate::program::{Place, command, sediment, sediment_fed};
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

#[test]
fn put_get_remove_get() {
    let place = Place::new();
    let db = place.db.as_str();
    assert_eq!(sediment(&["put", db, "crab", "Ferris"]).good().out, "");
    assert_eq!(sediment(&["get", db, "crab"]).good().out, "Ferris\n");
    sediment(&["put", db, "crab", "another", "-k", "other"]).good();
    assert_eq!(sediment(&["get", db, "crab"]).good().out, "Ferris\n", "keyspaces do not mix");
    sediment(&["remove", db, "crab", "never there"]).good();
    let gone = sediment(&["get", db, "crab"]).bad(1, &["no key `crab`", "default"]);
    assert_eq!(gone.out, "");
    assert_eq!(sediment(&["get", db, "crab", "-k", "other"]).good().out, "another\n");
    assert_eq!(sediment(&["keyspaces", db]).good().out, "default\nother\n");
}

#[test]
fn bytes_go_in_and_out_in_three_forms() {
    let place = Place::new();
    let db = place.db.as_str();
    sediment(&["put", db, r"a\tb\xff", r"back\\slash"]).good();
    assert_eq!(sediment(&["scan", db]).good().out, "a\\tb\\xff\tback\\\\slash\n");
    assert_eq!(sediment(&["get", db, "--hex", "610962ff"]).good().out, "6261636b5c736c617368\n");
    sediment(&["put", db, "--raw", r"C:\new", r"\n"]).good();
    assert_eq!(sediment(&["get", db, "--raw", r"C:\new"]).good().out, r"\n", "no line end is added to raw bytes");
    assert_eq!(sediment(&["get", db, r"C:\\new"]).good().out, "\\\\n\n");
    sediment_fed(&["put", db, "piped", "-"], b"line\n\x01").good();
    assert_eq!(sediment(&["get", db, "piped"]).good().out, "line\\n\\x01\n");
    sediment(&["put", db, "--", "-5", "-7"]).good();
    assert_eq!(sediment(&["get", db, "--", "-5"]).good().out, "-7\n");
}

#[test]
fn scans_have_bounds_a_prefix_a_limit_and_a_direction() {
    let place = Place::filled(100);
    let keys = |args: &[&str]| {
        let args = [&["scan", place.db.as_str(), "--keys-only"], args].concat();
        sediment(&args).good().out.lines().map(|key| key.trim_start_matches("key-00").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&[]).len(), 100);
    assert_eq!(keys(&["--from", "key-0097"]), ["97", "98", "99"]);
    assert_eq!(keys(&["--from", "key-0002", "--to", "key-0004"]), ["02", "03"]);
    assert_eq!(keys(&["--to", "key-0003", "--reverse"]), ["02", "01", "00"]);
    assert_eq!(keys(&["--prefix", "key-003", "--limit", "2"]), ["30", "31"]);
    assert_eq!(keys(&["--prefix", "key-003", "--limit", "2", "--reverse"]), ["39", "38"]);
    assert_eq!(keys(&["--from", "z"]), [] as [&str; 0]);
    assert_eq!(keys(&["--from", "key-0004", "--to", "key-0002"]), [] as [&str; 0], "bounds the wrong way round hold nothing");
    assert_eq!(sediment(&["scan", &place.db, "--prefix", "key-003", "--count"]).good().out, "10\n");
    assert_eq!(keys(&["--limit", "0"]), [] as [&str; 0]);
}

#[test]
fn json_is_json() {
    let place = Place::filled(10);
    let db = place.db.as_str();
    sediment(&["put", db, r"\xff", r"v\x00"]).good();
    let run = |args: &[&str]| sediment(&[args, &["--json"]].concat());
    assert_eq!(run(&["get", db, r"\xff"]).good().values(), [json!({"key_hex": "ff", "value": "v\u{0}"})]);
    let absent = run(&["get", db, "nope"]);
    assert_eq!((absent.code, absent.values()), (1, vec![json!({"key": "nope", "value": null})]));
    let rows = run(&["scan", db, "--limit", "3"]).good().values();
    assert_eq!((rows.len(), &rows[1]["key"]), (3, &json!("key-0001")));
    assert_eq!(run(&["keyspaces", db]).good().values(), [json!(["default"])]);
    let stats = &run(&["stats", db]).good().values()[0];
    assert_eq!(stats["keyspaces"][0]["name"], "default");
    let rows: u64 =
        stats["keyspaces"][0]["levels"].as_array().expect("levels").iter().filter_map(|level| level["rows"].as_u64()).sum();
    assert_eq!(rows, 10);
    let verified = &run(&["verify", db]).good().values()[0];
    assert_eq!((&verified["rows"], &verified["faults"]), (&json!(10), &json!([])));
    let failure = run(&["scan", db, "-k", "nope"]);
    let value: serde_json::Value = serde_json::from_str(failure.err.trim()).expect("errors are JSON too");
    assert_eq!((failure.code, &value["exit_code"]), (2, &json!(2)));
    assert!(value["hint"].as_str().is_some_and(|hint| hint.contains("default")));
}

#[test]
fn every_file_can_be_dumped() {
    let place = Place::filled(50);
    sediment(&["put", &place.db, "in the log", "only"]).good();
    let mut dumped = 0;
    for file in place.files() {
        if file.file_name().is_some_and(|name| name == "LOCK") {
            continue;
        }
        let run = sediment(&["dump".as_ref(), file.as_os_str()]).good();
        assert!(run.out.lines().count() >= 1, "{}", file.display());
        dumped += 1;
    }
    assert!(dumped >= 5, "CURRENT, a catalog, a manifest, a table and a log at least");
    let table = place.files_in("tables").pop().expect("a table");
    let text = sediment(&["dump".as_ref(), table.as_os_str()]).good().out;
    assert!(text.contains("key-0017"), "{text}");
    for line in sediment(&["dump".as_ref(), table.as_os_str(), "--json".as_ref()]).good().values() {
        assert!(line["line"].is_string());
    }
}

#[test]
fn stats_and_verify_speak_to_people() {
    let place = Place::filled(1000);
    let stats = sediment(&["stats", &place.db]).good().out;
    for word in ["keyspace default", "level 0", "1,000", "log:"] {
        assert!(stats.contains(word), "`{word}` is missing: {stats}");
    }
    let verified = sediment(&["verify", &place.db]).good().out;
    assert!(verified.contains("1,000 rows") && verified.contains("no fault"), "{verified}");
}

#[test]
fn a_reader_who_has_seen_enough_ends_a_scan_in_silence() {
    let place = Place::filled(9999);
    for args in [vec!["scan", place.db.as_str()], vec!["scan", place.db.as_str(), "--json"]] {
        let mut child = command(&args).stderr(Stdio::piped()).spawn().expect("the program is built");
        let mut first = String::new();
        let mut reader = BufReader::with_capacity(16, child.stdout.take().expect("it is piped"));
        reader.read_line(&mut first).expect("a first row");
        drop(reader);
        let status = child.wait().expect("it ends");
        let mut complaint = String::new();
        child.stderr.take().expect("it is piped").read_to_string(&mut complaint).expect("UTF-8");
        assert!(first.contains("key-0000"));
        assert_eq!((status.code(), complaint.as_str()), (Some(0), ""));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let place = Place::filled(10);
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let output = command(&["scan", &place.db]).stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));
}
