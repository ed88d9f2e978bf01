//! What is drawn of given readings, compared whole. `REWRITE=1` writes what is drawn now.

use super::{drawing::Drawing, reading::Reading};
use std::{fs, path::PathBuf};

fn testdata(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/stats").join(name)
}

fn reading(name: &str, is_live: bool) -> Reading {
    let text = fs::read_to_string(testdata(name)).expect(name);
    Reading::parse(&text, is_live).expect(name)
}

fn draw(reading: &Reading, before: Option<&Reading>, age_us: u64) -> String {
    let bold = |text: &str| text.to_owned();
    let drawing = Drawing { name: "people.db".to_owned(), age_us, bold: &bold };
    drawing.lines(reading, before).join("\n") + "\n"
}

fn check(golden: &str, drawn: &str) {
    let path = testdata(golden);
    if std::env::var_os("REWRITE").is_some() {
        fs::write(&path, drawn).expect(golden);
    }
    let expected = fs::read_to_string(&path).expect(golden);
    assert_eq!(drawn, expected, "{golden}; REWRITE=1 if it is meant so");
}

#[test]
fn a_live_database_is_drawn_since_its_opening() {
    check("live.txt", &draw(&reading("first.json", true), None, 400_000));
}

#[test]
fn two_readings_show_what_happened_between_them() {
    let (first, second) = (reading("first.json", true), reading("second.json", true));
    check("between.txt", &draw(&second, Some(&first), 12_000));
}

#[test]
fn a_closed_database_has_a_shape_alone() {
    check("closed.txt", &draw(&reading("first.json", false), None, 0));
}

#[test]
fn a_reading_of_another_opening_or_the_same_is_not_compared_with() {
    let (first, second) = (reading("first.json", true), reading("second.json", true));
    assert_eq!(draw(&first, Some(&second), 7), draw(&first, None, 7));
    assert_eq!(draw(&first, Some(&first), 7), draw(&first, None, 7));
}

#[test]
fn one_that_is_not_refreshed_is_named() {
    let drawn = draw(&reading("first.json", true), None, 7_500_000_000);
    assert!(drawn.starts_with("people.db: open elsewhere, but told nothing for 2 h 5 min"), "{drawn}");
}

#[test]
fn what_is_not_statistics_is_refused_and_what_is_odd_is_drawn() {
    for text in ["", "{", "null", "[]", "3", "{\"format\":\"sediment-stats-2\"}", "{\"format\":7}"] {
        assert!(Reading::parse(text, true).is_err(), "{text}");
    }
    let odd = [
        r#"{"format":"sediment-stats-1"}"#,
        r#"{"format":"sediment-stats-1","keyspaces":[3,{"name":"\u001b[31m","levels":[{"tables":18446744073709551615,"bytes":18446744073709551615,"rows":-1,"score":1e300}]},{"levels":[null]}]}"#,
        r#"{"format":"sediment-stats-1","memory":{"accounts":{"x":-3,"cache":1}},"pace":{"bytes_per_second":0,"backlog":null,"cause":"\u0007","stopped_writers":2,"is_disk_full":true},"poisoned":"a\nb","counters":[],"snapshots":[{}],"open_us":5}"#,
    ];
    for text in odd {
        let drawn = draw(&Reading::parse(text, true).expect(text), None, u64::MAX);
        assert!(drawn.lines().count() > 20 && !drawn.contains('\x1b') && !drawn.contains('\x07'), "{drawn}");
    }
}
