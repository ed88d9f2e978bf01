//! Scripts: rows and readers in, what stays out.

use super::{Rules, Verdict};
use crate::retention::Retention;
use sediment_base::{InternalKey, Kind, SeqNo};
use sediment_testkit::script::{self, Case};
use std::{fmt::Write, path::Path};

#[test]
fn what_stays_is_what_some_reader_needs() {
    for name in ["stripes", "tombstones", "zeroing"] {
        let path = format!("{}/testdata/rules/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        script::run(Path::new(&path), rewrite);
    }
}

/// `rewrite pins=5,9 horizon=20 keep=30`, then rows `key seqno kind` in order, and `elsewhere key seqno` for a source outside
/// that may hold rows of this key from this seqno on.
fn rewrite(case: &Case) -> String {
    let mut rules = Rules::new(&retention(case));
    let lines: Vec<Vec<&str>> = case.input.lines().map(|line| line.split_whitespace().collect()).collect();
    let (outside, rows): (Vec<_>, Vec<_>) = lines.iter().partition(|words| words[0] == "elsewhere");
    let mut out = String::new();
    for words in rows {
        let key = InternalKey::new(words[0].as_bytes(), number(words[1]), kind(words[2]));
        let is_older = |seqno| outside.iter().any(|outside| outside[1] == words[0] && number(outside[2]) <= seqno);
        match rules.decide(key, is_older) {
            Ok(Verdict::Keep { seqno, held }) => {
                if let Some((seqno, kind)) = held {
                    writeln!(out, "{} {seqno} {kind:?}", words[0]).expect("a string");
                }
                writeln!(out, "{} {seqno} {:?}", words[0], key.kind).expect("a string");
            }
            Ok(Verdict::Drop | Verdict::Hold) => {}
            Err(error) => writeln!(out, "{error}").expect("a string"),
        }
    }
    let forgotten = rules.end().map_or("nothing forgotten".into(), |history| format!("exact from {}", history.floor));
    format!("{out}{forgotten}")
}

fn retention(case: &Case) -> Retention {
    let (mut pins, mut horizon, mut keep_all_from) = (Vec::new(), 0, SeqNo::MAX);
    for arg in case.args() {
        match arg.split_once('=').expect("name=value") {
            ("pins", list) => pins = list.split(',').map(number).collect(),
            ("horizon", value) => horizon = number(value),
            ("keep", value) => keep_all_from = number(value),
            other => panic!("{other:?}"),
        }
    }
    Retention::Snapshots { pins, horizon, keep_all_from }
}

fn number(text: &str) -> SeqNo {
    text.parse().expect("a number")
}

fn kind(text: &str) -> Kind {
    match text {
        "value" => Kind::Value,
        "tombstone" => Kind::Tombstone,
        "weak" => Kind::WeakTombstone,
        "operand" => Kind::Operand,
        other => panic!("kind {other}"),
    }
}
