//! `sediment stats` beside a process that has the database open.

use crate::program::{Place, sediment};
use sedimentdb::{Db, ExpertOptions};
use serde_json::json;
use std::{path::Path, thread, time::Duration};

/// A database that this process has open, and that refreshes its file so often.
fn live(place: &Place, stats_file_interval_us: u64) -> Db {
    let expert = ExpertOptions { stats_file_interval_us, ..ExpertOptions::default() };
    let db = Db::builder(&place.db).expert(expert).open().expect("opens");
    let people = db.keyspace("people").expect("made");
    (0..1000).for_each(|n| people.insert(format!("{n:04}"), "value").expect("written"));
    db.flush().expect("flushed");
    db
}

/// Waits for the file to tell of all rows. It comes by itself; how soon depends on the machine.
fn await_file(place: &Place) {
    let file = Path::new(&place.db).join("STATS");
    for _ in 0..20_000 {
        if std::fs::read_to_string(&file).is_ok_and(|text| text.contains("\"commit_rows\":1000,")) {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("no fresh file STATS");
}

#[test]
fn a_database_that_is_open_elsewhere_tells_what_it_does() {
    let place = Place::new();
    let db = live(&place, 5_000);
    await_file(&place);
    let drawn = sediment(&["stats", &place.db]).good().out;
    for word in [
        "open elsewhere",
        "keyspace people: ",
        "memory: ",
        "writers: not slowed down",
        "log: ",
        "since it was opened",
        "commit ",
    ] {
        assert!(drawn.contains(word), "`{word}` is missing: {drawn}");
    }
    let value = &sediment(&["stats", &place.db, "--json"]).good().values()[0];
    assert_eq!((&value["is_live"], &value["counters"]["commit_rows"]), (&json!(true), &json!(1000)));
    assert_eq!(value["histograms"]["commit_latency_us"]["count"], json!(1000_u32.div_ceil(16)), "one in 16 of single rows");
    let looks = sediment(&["stats", &place.db, "--json", "--watch=0.05", "--count", "3"]).good().values();
    assert_eq!(looks.len(), 3);
    assert!(looks.iter().map(|look| look["open_us"].as_u64()).is_sorted());
    let drawn = sediment(&["stats", &place.db, "--watch=0.2", "--count=2"]).good().out;
    assert_eq!((drawn.matches("open elsewhere").count(), drawn.matches("in the time between").count()), (2, 1), "{drawn}");
    db.close().expect("closes");
    let drawn = sediment(&["stats", &place.db]).good().out;
    assert!(drawn.contains("not open elsewhere") && drawn.contains("1,000 rows") && !drawn.contains("memory: "), "{drawn}");
}

#[test]
fn one_that_tells_nothing_is_refused_with_the_reason() {
    let place = Place::new();
    let db = live(&place, 0);
    sediment(&["stats", &place.db]).bad(5, &["open elsewhere", "STATS", "stats_file_interval_us"]);
    drop(db);
    let db = live(&place, 1_000);
    await_file(&place);
    sediment(&["get", &place.db, "0001", "-k", "people"]).bad(5, &["open elsewhere"]);
    drop(db);
}

#[test]
fn a_file_that_is_not_statistics_is_no_answer() {
    let place = Place::new();
    let db = live(&place, 0);
    for text in ["", "{}", "{\"format\":\"sediment-stats-9\"}"] {
        std::fs::write(Path::new(&place.db).join("STATS"), text).expect("written");
        sediment(&["stats", &place.db]).bad(3, &["STATS", "cannot be understood"]);
    }
    drop(db);
}

#[test]
fn how_often_to_look_has_a_range() {
    let place = Place::filled(1);
    for wrong in [&["--watch=0"][..], &["--watch=x"], &["--watch=1e9"], &["--count", "0"]] {
        sediment(&[&["stats", place.db.as_str()][..], wrong].concat()).bad(2, &[]);
    }
}
