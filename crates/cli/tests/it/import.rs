//! Imports: each format, and lines that are no rows.

use crate::program::{Place, sediment, sediment_fed};
use serde_json::json;

#[test]
fn each_format_goes_in() {
    let place = Place::new();
    let db = place.db.as_str();
    let tsv = place.file("a.tsv", "a\t1\nb\\tb\t2\n");
    assert!(sediment(&["import", db, &tsv]).good().out.starts_with("2 rows"));
    assert_eq!(sediment(&["scan", db]).good().out, "a\t1\nb\\tb\t2\n");

    let csv = place.file("a.csv", "id,name\n7,\"x, y\"\n");
    sediment(&["import", db, &csv, "-k", "csv", "--key", "id"]).good();
    assert_eq!(sediment(&["get", db, "7", "-k", "csv", "--raw"]).good().out, r#"{"id":"7","name":"x, y"}"#);
    sediment(&["import", db, &csv, "-k", "csv", "--key", "name", "--value", "1"]).good();
    assert_eq!(sediment(&["get", db, "x, y", "-k", "csv"]).good().out, "7\n");

    let lines = place.file("a.jsonl", "{\"user\":\"u1\",\"age\":4}\n{\"user\":\"u2\",\"age\":5}\n");
    sediment(&["import", db, &lines, "-k", "json", "--key", "user"]).good();
    assert_eq!(sediment(&["get", db, "u2", "-k", "json", "--raw"]).good().out, "{\"user\":\"u2\",\"age\":5}");

    let unicode = place.file("u.txt", "0041;LATIN CAPITAL LETTER A;Lu\n0042;LATIN CAPITAL LETTER B;Lu\n");
    let args = ["import", db, &unicode, "-k", "u", "--format", "csv", "--delimiter", ";", "--no-header", "--value", "2"];
    sediment(&args).good();
    assert_eq!(sediment(&["get", db, "0042", "-k", "u"]).good().out, "LATIN CAPITAL LETTER B\n");
    assert_eq!(sediment(&["keyspaces", db]).good().out, "csv\ndefault\njson\nu\n");
}

#[test]
fn what_scan_prints_import_takes() {
    let (from, to) = (Place::new(), Place::new());
    for key in [r"tab\t", r"\\", r"\xff\x00", "gr\u{fc}n", "line\\n"] {
        sediment(&["put", &from.db, key, key]).good();
    }
    let printed = sediment(&["scan", &from.db]).good().out;
    sediment_fed(&["import", &to.db, "-", "--format", "tsv"], printed.as_bytes()).good();
    assert_eq!(sediment(&["scan", &to.db]).good().out, printed);
}

#[test]
fn malformed_lines_are_named_counted_and_left_out() {
    let place = Place::new();
    let db = place.db.as_str();
    let long = "k".repeat(65_536);
    let file = place.file("bad.tsv", format!("a\t1\nno tab\n\t3\n{long}\t4\nb\t\\q\nc\t6\n"));
    let run =
        sediment(&["import", db, &file]).bad(6, &["bad.tsv:2: no tab", "bad.tsv:3: the key is empty", ":4:", "65536", ":5:"]);
    assert!(run.out.contains("2 rows") && run.out.contains("4 malformed lines"), "{}", run.out);
    assert_eq!(sediment(&["scan", db]).good().out, "a\t1\nc\t6\n");

    let shown = sediment(&["import", db, &file, "--show", "1"]).bad(6, &[":2:", "3 more malformed lines"]);
    assert!(!shown.err.contains(":3:"));
    let lenient = sediment(&["import", db, &file, "--lenient", "--json"]).bad(0, &[":2:"]);
    let value = &lenient.values()[0];
    assert_eq!((&value["rows"], &value["skipped"]), (&json!(2), &json!(4)));

    let strict = sediment(&["import", db, &file, "-k", "strict", "--strict"]).bad(6, &["bad.tsv:2: no tab", "1 row stored"]);
    assert_eq!(strict.out, "");
    assert_eq!(sediment(&["scan", db, "-k", "strict"]).good().out, "a\t1\n");
}

#[test]
fn bad_csv_and_json_lines_are_named_too() {
    let place = Place::new();
    let db = place.db.as_str();
    let csv = place.file("bad.csv", b"id,name\n1,a\n2\n3,\xff\n4,d\n");
    sediment(&["import", db, &csv])
        .bad(6, &["bad.csv:3: 1 columns where the header has 2", "bad.csv:4: column 2 is not UTF-8"]);
    let lines = place.file("bad.jsonl", "{\"id\":1}\n{\"id\":\n[]\n{}\n{\"id\":[]}\n");
    sediment(&["import", db, &lines, "--key", "id"])
        .bad(6, &[":2: not JSON", ":3: not a JSON object", ":4: no field", ":5: field"]);
    assert_eq!(sediment(&["scan", db, "--keys-only"]).good().out, "1\n4\n");
}

#[test]
fn wrong_calls_say_how_to_call() {
    let place = Place::new();
    let db = place.db.as_str();
    let csv = place.file("a.csv", "id,name\n1,a\n");
    let text = place.file("a.txt", "a\t1\n");
    let lines = place.file("a.jsonl", "{}\n");
    sediment(&["import", db, &csv, "--key", "nope"]).bad(2, &["no column `nope`", "id, name"]);
    sediment(&["import", db, &csv, "--delimiter", ";;"]).bad(2, &["`;;`", "ASCII"]);
    sediment(&["import", db, &text]).bad(2, &["a.txt", "--format"]);
    sediment(&["import", db, "-"]).bad(2, &["standard input", "--format"]);
    sediment(&["import", db, &lines]).bad(2, &["--key"]);
    sediment(&["import", db, "/no/such/file.tsv"]).bad(3, &["/no/such/file.tsv", "No such file"]);
    sediment(&["import", db, place.dir.path().to_str().expect("UTF-8"), "-f", "tsv"]).bad(3, &["directory"]);
    assert!(!place.dir.path().join("db").exists(), "none of these made a database");
}

#[test]
fn a_large_import_goes_through_many_batches() {
    let place = Place::new();
    let rows: String = (0..30_000).map(|n| format!("key-{:05}\t{n}\n", n * 7919 % 30_000)).collect();
    let file = place.file("large.tsv", rows);
    assert!(sediment(&["import", &place.db, &file]).good().out.contains("30,000 rows"));
    let scanned = sediment(&["scan", &place.db, "--keys-only"]).good().out;
    let expected: String = (0..30_000).map(|n| format!("key-{n:05}\n")).collect();
    assert_eq!(scanned, expected);
}
