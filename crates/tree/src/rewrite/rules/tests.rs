//! Scripts: rows and readers in, what stays out.

use super::{Outside, Policy, Rules};
use crate::{
    retention::Retention,
    rewrite::{Judge, ranges::Ranges},
};
use sediment_base::{
    CompactionFilter, InternalKey, KeyOrder, Kind, MergeOperator, RangeTombstone, Result, RowFlags, SeqNo,
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
    let mut put = |key: InternalKey<'_>, _: RowFlags, value: &[u8]| {
        let value = if value.is_empty() { String::new() } else { format!(" {}", value.escape_ascii()) };
        writeln!(out, "{} {} {:?}{value}", key.user_key.escape_ascii(), key.seqno, key.kind).expect("a string");
        Ok(())
    };
    for words in lines.iter().filter(|words| !["elsewhere", "hide"].contains(&words[0])) {
        let key = InternalKey::new(words[0].as_bytes(), number(words[1]), kind(words[2]));
        let value = words.get(3).map_or(&b""[..], |value| value.as_bytes());
        rules.add(key, RowFlags::NONE, value, &mut put).expect("rows go to a string");
    }
    let forgotten = rules.end(&mut put).expect("rows go to a string");
    for RangeTombstone { start, end, seqno } in ranges.kept().iter() {
        writeln!(out, "{}..{} {seqno} hides", start.escape_ascii(), end.escape_ascii()).expect("a string");
    }
    if let Some(judge) = judge {
        writeln!(out, "{} filtered", judge.end()).expect("a string");
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
