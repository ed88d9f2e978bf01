//! `DbStats` as JSON, on one line.
//!
//! Written by hand: the library needs no reader of JSON, and this is all that it ever writes. Names are those of the fields, of
//! counters, histograms and accounts; what has a bound of its own says so in its name.

use crate::{
    status::db_stats::{DbStats, KeyspaceStats, LevelStats, SnapshotStats},
    worker::PaceStats,
};
use sediment_base::{budget::BudgetSnapshot, stats::Distribution};
use std::fmt::Write;

/// All of it.
pub(super) fn of(stats: &DbStats) -> String {
    let mut out = String::new();
    let mut all = Object::begin(&mut out);
    all.text("format", DbStats::JSON_FORMAT);
    all.number("taken_at_us", stats.taken_at_us);
    all.number("open_us", stats.open_us);
    all.number("visible_seqno", stats.visible_seqno);
    all.list("keyspaces", &stats.keyspaces, put_keyspace);
    all.object("pace", |object| put_pace(object, &stats.pace));
    all.object("memory", |object| {
        put_budget(object, &stats.memory.budget);
        object.number("memtables_bytes_max", stats.memory.memtables_bytes_max);
        object.number("cache_bytes_max", stats.memory.cache_bytes_max);
    });
    all.number("wal_files", stats.wal_files as u64);
    all.number("wal_bytes", stats.wal_bytes);
    all.list("snapshots", &stats.snapshots, put_snapshot);
    all.text_or_null("poisoned", stats.poisoned.as_ref().map(ToString::to_string).as_deref());
    all.object("counters", |object| {
        stats.counted.counters().for_each(|(counter, count)| object.number(counter.name(), count));
    });
    all.object("histograms", |object| {
        for (histogram, distribution) in stats.counted.histograms() {
            object.object(histogram.name(), |object| put_distribution(object, distribution));
        }
    });
    all.number("listener_panics", stats.listener_panics);
    all.end();
    out
}

fn put_keyspace(out: &mut String, keyspace: &KeyspaceStats) {
    let mut object = Object::begin(out);
    object.text("name", &keyspace.name);
    object.number("memtable_bytes", keyspace.memtable_bytes);
    object.number("sealed_memtables", keyspace.sealed_memtables);
    object.number("sealed_bytes", keyspace.sealed_bytes);
    object.list("levels", &keyspace.levels, put_level);
    object.number("debt_bytes", keyspace.debt_bytes);
    object.number("obsolete_tables", keyspace.obsolete_tables);
    object.end();
}

fn put_level(out: &mut String, level: &LevelStats) {
    let mut object = Object::begin(out);
    object.number("runs", level.runs);
    object.number("tables", level.tables);
    object.number("bytes", level.bytes);
    object.number("rows", level.rows);
    object.number("tombstones", level.tombstones);
    object.float("filter_bits_per_key", level.filter_bits_per_key);
    object.float("score", level.score);
    object.end();
}

fn put_pace(object: &mut Object<'_>, pace: &PaceStats) {
    object.number_or_null("bytes_per_second", pace.bytes_per_second);
    object.float("backlog", pace.backlog);
    object.text_or_null("cause", pace.cause.map(|cause| cause.name()));
    object.number("carried_bytes_per_second", pace.carried_bytes_per_second);
    object.number("flushed_bytes_per_second", pace.flushed_bytes_per_second);
    object.number("stopped_writers", pace.stopped_writers);
    object.flag("is_disk_full", pace.is_disk_full);
}

fn put_budget(object: &mut Object<'_>, budget: &BudgetSnapshot) {
    object.number("total_bytes", budget.total_bytes());
    object.number("used_bytes", budget.total_used());
    object.object("accounts", |object| {
        budget.accounts().for_each(|(account, bytes)| object.number(account.name(), bytes));
    });
}

fn put_snapshot(out: &mut String, snapshot: &SnapshotStats) {
    let mut object = Object::begin(out);
    object.number("read_seqno", snapshot.read_seqno);
    object.text("made_at", &snapshot.made_at.to_string());
    object.end();
}

/// The buckets are there so that a reader can take the difference of two readings.
fn put_distribution(object: &mut Object<'_>, distribution: &Distribution) {
    object.number("count", distribution.count());
    object.number("sum", distribution.sum());
    object.number("p50", distribution.quantile(0.5));
    object.number("p99", distribution.quantile(0.99));
    object.number("p999", distribution.quantile(0.999));
    object.number("max", distribution.max());
    let buckets: Vec<(u64, u64)> = distribution.buckets().collect();
    object.list("buckets", &buckets, |out, (highest, count)| {
        let _ = write!(out, "[{highest},{count}]");
    });
}

/// An object under construction.
struct Object<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    fn end(self) {
        self.out.push('}');
    }

    fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        let _ = write!(self.out, "{value}");
    }

    fn number_or_null(&mut self, name: &str, value: Option<u64>) {
        match value {
            Some(value) => self.number(name, value),
            None => self.null(name),
        }
    }

    /// JSON has no word for what is not finite.
    fn float(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            return self.null(name);
        }
        self.name(name);
        let _ = write!(self.out, "{value:.3}");
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        put_text(self.out, value);
    }

    fn text_or_null(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.null(name),
        }
    }

    fn null(&mut self, name: &str) {
        self.name(name);
        self.out.push_str("null");
    }

    fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        let mut inner = Object::begin(self.out);
        fill(&mut inner);
        inner.end();
    }

    fn list<T>(&mut self, name: &str, items: &[T], put: impl Fn(&mut String, &T)) {
        self.name(name);
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            put(self.out, item);
        }
        self.out.push(']');
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
        put_text(self.out, name);
        self.out.push(':');
    }
}

fn put_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_is_what_json_wants() {
        let mut out = String::new();
        let mut object = Object::begin(&mut out);
        object.text("a \"quoted\" name", "back\\slash, line\nend, \u{1}, gr\u{fc}n");
        object.number("number", u64::MAX);
        object.float("float", 0.25);
        object.float("not one", f64::NAN);
        object.flag("flag", true);
        object.number_or_null("none", None);
        object.text_or_null("some", Some(""));
        object.list("list", &[1, 2], |out, item| out.push_str(&item.to_string()));
        object.object("inner", |inner| inner.flag("is_last", false));
        object.object("empty", |_| {});
        object.end();
        let expected = concat!(
            r#"{"a \"quoted\" name":"back\\slash, line\u000aend, \u0001, "#,
            "gr\u{fc}n",
            r#"","number":18446744073709551615,"float":0.250,"not one":null,"flag":true,"none":null,"some":"","#,
            r#""list":[1,2],"inner":{"is_last":false},"empty":{}}"#
        );
        assert_eq!(out, expected);
    }
}
