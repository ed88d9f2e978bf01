//! Scripts: rows and readers in, what stays out.

use super::{Marks, Outside, Policy, Rules};
use crate::{
    retention::Retention,
    rewrite::{Judge, ranges::Ranges},
};
use sediment_base::{
    CompactionFilter, InternalKey, KeyOrder, Kind, MergeOperator, RangeTombstone, Result, SeqNo,
    compaction_filter::{FilterRow, Verdict},
    merge_operator::{Add, Append},
};
use sediment_testkit::script::{self, Case};
use std::{fmt::Write, path::Path, sync::Arc};

#[test]
fn what_stays_is_what_some_reader_needs() {
    for name in ["stripes", "tombstones", "zeroing", "operands", "ranges", "watermark", "filter"] {
        let path = format!("{}/testdata/rules/{name}.txt", env!("CARGO_MANIFEST_DIR"));
        script::run(Path::new(&path), rewrite);
    }
}

/// Keys, and from which seqno on a source outside may hold rows of them.
struct Elsewhere<'a>(Vec<(&'a str, SeqNo)>);

impl Outside for Elsewhere<'_> {
    fn may_hold_older(&self, user_key: &[u8], seqno: SeqNo) -> bool {
        self.0.iter().any(|(key, from)| key.as_bytes() == user_key && *from <= seqno)
    }

    fn may_hold_older_row(&self, user_key: &[u8], seqno: SeqNo) -> bool {
        self.may_hold_older(user_key, seqno)
    }

    fn may_hold_between(&self, user_key: &[u8], above: SeqNo, below: SeqNo) -> bool {
        self.0.iter().any(|(key, seqno)| key.as_bytes() == user_key && above < *seqno && *seqno < below)
    }
}

/// Does what values say: `remove`, `weak`, `destroy`, `to:<value>`; keeps others.
struct Obedient;

impl CompactionFilter for Obedient {
    fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
        Ok(match row.value {
            b"remove" => Verdict::Remove,
            b"weak" => Verdict::RemoveWeak,
            b"destroy" => Verdict::Destroy,
            value => value.strip_prefix(b"to:").map_or(Verdict::Keep, |value| Verdict::Replace(value.to_vec())),
        })
    }
}

/// `rewrite pins=5,9 horizon=20 keep=30 operator=append filter=obedient` or `rewrite watermark=9 level=last operator=append`, then rows `key seqno kind [value]` in order, `hide start end seqno` for a
/// range tombstone, and `elsewhere key seqno` for a source outside that may hold rows of this key from this seqno on.
fn rewrite(case: &Case) -> String {
    let policy = Policy::new(&retention(case), case.args().contains(&"level=last"));
    let operator: Option<Arc<dyn MergeOperator>> = match case.args().iter().find_map(|arg| arg.strip_prefix("operator=")) {
        None => None,
        Some("append") => Some(Arc::new(Append)),
        Some("add") => Some(Arc::new(Add)),
        Some(other) => panic!("operator {other}"),
    };
    let lines: Vec<Vec<&str>> = case.input.lines().map(|line| line.split_whitespace().collect()).collect();
    let named = |name: &'static str| lines.iter().filter(move |words| words[0] == name);
    let outside = Elsewhere(named("elsewhere").map(|words| (words[1], number(words[2]))).collect());
    let hiding =
        named("hide").map(|words| RangeTombstone { start: words[1].into(), end: words[2].into(), seqno: number(words[3]) });
    let order = KeyOrder::bytewise();
    let ranges = Ranges::new(hiding.collect(), &policy, &order, |keys, seqno| {
        outside.0.iter().any(|(key, from)| keys.contains(key.as_bytes(), &order) && *from <= seqno)
    });
    let mut judge = case.args().contains(&"filter=obedient").then(|| Judge::new(Box::new(Obedient)));
    let mut rules = Rules::new(policy.clone(), &ranges, operator, outside, judge.as_mut());
    let mut out = String::new();
    let mut put = |key: InternalKey<'_>, _: Marks, value: &[u8]| {
        let value = if value.is_empty() { String::new() } else { format!(" {}", value.escape_ascii()) };
        writeln!(out, "{} {} {:?}{value}", key.user_key.escape_ascii(), key.seqno, key.kind).expect("a string");
        Ok(())
    };
    for words in lines.iter().filter(|words| !["elsewhere", "hide"].contains(&words[0])) {
        let key = InternalKey::new(words[0].as_bytes(), number(words[1]), kind(words[2]));
        let value = words.get(3).map_or(&b""[..], |value| value.as_bytes());
        rules.add(key, Marks::default(), value, &mut put).expect("rows go to a string");
    }
    let forgotten = rules.end(&mut put).expect("rows go to a string");
    for RangeTombstone { start, end, seqno } in ranges.kept().iter() {
        writeln!(out, "{}..{} {seqno} hides", start.escape_ascii(), end.escape_ascii()).expect("a string");
    }
    if let Some(judge) = judge {
        writeln!(out, "{} filtered", judge.end().0).expect("a string");
    }
    out + &forgotten.map_or("nothing forgotten".into(), |history| format!("exact from {}", history.floor))
}

fn retention(case: &Case) -> Retention {
    let (mut pins, mut horizon, mut keep_all_from, mut watermark) = (Vec::new(), 0, SeqNo::MAX, None);
    for arg in case.args() {
        match arg.split_once('=').expect("name=value") {
            ("pins", list) => pins = list.split(',').map(number).collect(),
            ("horizon", value) => horizon = number(value),
            ("keep", value) => keep_all_from = number(value),
            ("watermark", value) => watermark = Some(number(value)),
            ("operator" | "level" | "filter", _) => {}
            other => panic!("{other:?}"),
        }
    }
    watermark.map_or(Retention::Snapshots { pins, horizon, keep_all_from }, Retention::Watermark)
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

/// Passes rows through the rules with digests that tell where they came from; what came out with which.
fn digests_out(rows: &[(u64, Kind, u32)], floor: SeqNo, is_last_level: bool) -> Vec<(SeqNo, Kind, Option<u32>)> {
    let policy = Policy::new(&Retention::Watermark(floor), is_last_level);
    let order = KeyOrder::bytewise();
    let ranges = Ranges::new(Vec::new(), &policy, &order, |_, _| false);
    let mut rules = Rules::new(policy, &ranges, Some(Arc::new(Add)), Elsewhere(Vec::new()), None);
    let mut out = Vec::new();
    let mut put = |key: InternalKey<'_>, marks: Marks, _: &[u8]| {
        out.push((key.seqno, key.kind, marks.digest));
        Ok(())
    };
    for (seqno, kind, digest) in rows {
        let marks = Marks { digest: Some(*digest), ..Marks::default() };
        let value = if kind.is_tombstone() { &[][..] } else { &[1; 8] };
        rules.add(InternalKey::new(b"key", *seqno, *kind), marks, value, &mut put).expect("rows go to a list");
    }
    rules.end(&mut put).expect("rows go to a list");
    out
}

#[test]
fn a_row_that_stays_what_it_is_keeps_its_digest_and_a_new_one_has_none() {
    let versions = [(9, Kind::Value, 1), (8, Kind::Tombstone, 2), (7, Kind::Operand, 3), (6, Kind::Value, 4)];
    let kept = versions.map(|(seqno, kind, digest)| (seqno, kind, Some(digest)));
    assert_eq!(digests_out(&versions, 0, false), kept, "in front of every reader");
    assert_eq!(digests_out(&versions, 10, false), kept[..1], "the newest of a stripe");
    assert_eq!(digests_out(&versions[1..], 10, false), kept[1..2], "a tombstone that is held back");
    let operand = [(5, Kind::Operand, 7)];
    assert_eq!(digests_out(&operand, 10, false), [(5, Kind::Operand, Some(7))], "gathered, and let go");
    assert_eq!(digests_out(&operand, 10, true)[0].2, None, "folded to a value");
    let folded = digests_out(&[(5, Kind::Operand, 7), (4, Kind::Value, 8)], 10, false);
    assert_eq!(folded, [(5, Kind::Value, None)]);
}
