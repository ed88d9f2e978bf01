//! A reading as text: the shape of the trees, what memory is used for, how fast writers may go, what happened and how long it took.
//!
//! What is drawn depends on the readings alone, so that a test can compare it whole. A database that nobody has open does nothing:
//! only its shape and its log are drawn.

use super::reading::{Reading, Span};
use crate::{
    output::{bytes_text, counted, grouped},
    text::escape,
};
use serde_json::Value;

/// Cells of a bar.
const BAR_CELLS: usize = 20;
/// A file that is older is not being refreshed.
const STALE_US: u64 = 10_000_000;

/// What lines of text need beside the readings.
pub(super) struct Drawing<'a> {
    /// What the database is called.
    pub(super) name: String,
    /// How long ago the reading was taken.
    pub(super) age_us: u64,
    /// Makes a heading of a text.
    pub(super) bold: &'a dyn Fn(&str) -> String,
}

/// Name in the drawing, name of the counter, and whether it counts bytes.
const RATES: [(&str, &str, bool); 12] = [
    ("gets", "get_count", false),
    ("commits", "commit_count", false),
    ("rows written", "commit_rows", false),
    ("bytes written", "commit_bytes", true),
    ("log: bytes", "wal_bytes_written", true),
    ("log: writes", "wal_groups", false),
    ("log: syncs", "wal_syncs", false),
    ("flushed", "flush_bytes_written", true),
    ("compacted: read", "compaction_bytes_read", true),
    ("compacted: written", "compaction_bytes_written", true),
    ("blocks: read", "block_bytes_read", true),
    ("writes delayed", "write_delays", false),
];

/// Name in the drawing, name of the histogram, and whether its values are durations.
const HISTOGRAMS: [(&str, &str, bool); 7] = [
    ("get (a sample)", "get_latency_us", true),
    ("commit", "commit_latency_us", true),
    ("sync of the log", "wal_sync_latency_us", true),
    ("flush", "flush_duration_us", true),
    ("compaction", "compaction_duration_us", true),
    ("commits in a write", "wal_group_records", false),
    ("rows of a scan", "scan_rows", false),
];

impl Drawing<'_> {
    /// The whole of it.
    pub(super) fn lines(&self, reading: &Reading, before: Option<&Reading>) -> Vec<String> {
        let mut lines = vec![self.heading(reading)];
        for keyspace in items(reading.at(&["keyspaces"])) {
            lines.push(String::new());
            self.put_keyspace(keyspace, &mut lines);
        }
        lines.push(String::new());
        if reading.is_live() {
            self.put_memory(reading, &mut lines);
            put_pace(reading, &mut lines);
        }
        put_log(reading, &mut lines);
        if reading.is_live() {
            let span = Span::new(reading, before);
            lines.push(String::new());
            self.put_rates(&span, &mut lines);
            lines.push(String::new());
            self.put_histograms(&span, &mut lines);
        }
        lines
    }

    fn heading(&self, reading: &Reading) -> String {
        let name = (self.bold)(&self.name);
        if !reading.is_live() {
            return format!("{name}: not open elsewhere");
        }
        let age = duration_text(self.age_us);
        let open = duration_text(reading.number(&["open_us"]));
        if self.age_us > STALE_US {
            return format!("{name}: open elsewhere, but told nothing for {age}; then it had been open for {open}");
        }
        format!("{name}: open elsewhere for {open}, as of {age} ago")
    }

    fn put_keyspace(&self, keyspace: &Value, lines: &mut Vec<String>) {
        let levels: Vec<&Value> = items(&keyspace["levels"]).collect();
        let sum = |name: &str| levels.iter().fold(0, |sum: u64, level| sum.saturating_add(number(level, name)));
        let name = (self.bold)(&format!("keyspace {}", escape(text(keyspace, "name").as_bytes())));
        lines.push(format!("{name}: {}, {}", counted(sum("rows"), "row"), bytes_text(sum("bytes"))));
        let largest = levels.iter().map(|level| number(level, "bytes")).max().unwrap_or(0);
        for (index, level) in levels.iter().enumerate().filter(|(_, level)| number(level, "tables") > 0) {
            lines.push(level_line(index, level, largest));
        }
        let (active, sealed) = (number(keyspace, "memtable_bytes"), number(keyspace, "sealed_bytes"));
        let mut memory = format!("  in memory {}", bytes_text(active.saturating_add(sealed)));
        if sealed > 0 {
            memory += &format!(", {} of it waiting for a flush", bytes_text(sealed));
        }
        lines.push(memory);
        let debt = number(keyspace, "debt_bytes");
        if debt > 0 {
            lines.push(format!("  owed to compaction {}", bytes_text(debt)));
        }
    }

    fn put_memory(&self, reading: &Reading, lines: &mut Vec<String>) {
        let total = reading.number(&["memory", "total_bytes"]);
        let used = reading.number(&["memory", "used_bytes"]);
        lines.push(format!("{}: {} of {}", (self.bold)("memory"), bytes_text(used), bytes_text(total)));
        let accounts = reading.at(&["memory", "accounts"]).as_object();
        for (name, bytes) in accounts.into_iter().flatten() {
            let bytes = bytes.as_u64().unwrap_or(0);
            let limit = match name.as_str() {
                "memtables" => Some(reading.number(&["memory", "memtables_bytes_max"])),
                "cache" => Some(reading.number(&["memory", "cache_bytes_max"])),
                _ => None,
            };
            let limit = limit.map_or_else(String::new, |limit| format!(" of {}", bytes_text(limit)));
            let name = escape(name.as_bytes());
            lines.push(format!("  {name:<11} {} {:>10}{limit}", bar(bytes, total), bytes_text(bytes)));
        }
    }

    fn put_rates(&self, span: &Span<'_>, lines: &mut Vec<String>) {
        let title = if span.has_beginning() { "in the time between" } else { "since it was opened" };
        lines.push(format!("{}{:>16}{:>16}", (self.bold)(&format!("{title:<24}")), "in all", "a second"));
        for (name, counter, is_bytes) in RATES {
            let count = span.counter(counter);
            let rate = span.per_second(count);
            let (all, rate) = match is_bytes {
                true => (bytes_text(count), bytes_text(rate as u64)),
                false => (grouped(count), rate_text(rate)),
            };
            lines.push(format!("  {name:<22}{all:>16}{rate:>16}"));
        }
        let share = |part: u64, whole: u64| if whole == 0 { "-".to_owned() } else { percent(part as f64 / whole as f64) };
        let (hits, misses) = (span.counter("block_cache_hits"), span.counter("block_cache_misses"));
        let (spared, asked) = (span.counter("filter_negatives"), span.counter("filter_checks"));
        let wrong = span.counter("filter_false_positives");
        lines.push(format!("  blocks found in the cache {}", share(hits, hits.saturating_add(misses))));
        lines.push(format!("  filters said no {}, and maybe in vain {}", share(spared, asked), share(wrong, asked)));
        let written = span.counter("flush_bytes_written").saturating_add(span.counter("compaction_bytes_written"));
        let amplification = match span.counter("commit_bytes") {
            0 => "-".to_owned(),
            bytes => format!("{:.1}", written as f64 / bytes as f64),
        };
        lines.push(format!("  written to tables for each byte committed {amplification}"));
    }

    fn put_histograms(&self, span: &Span<'_>, lines: &mut Vec<String>) {
        let titles = ["count", "median", "p99", "p99.9"].map(|title| format!("{title:>11}")).concat();
        lines.push(format!("{}{titles}", (self.bold)(&format!("{:<24}", "distribution"))));
        for (name, histogram, is_duration) in HISTOGRAMS {
            let histogram = span.histogram(histogram);
            let value = |part| match (histogram.count(), is_duration) {
                (0, _) => "-".to_owned(),
                (_, true) => duration_text(histogram.quantile(part)),
                (_, false) => grouped(histogram.quantile(part)),
            };
            let values = [grouped(histogram.count()), value(0.5), value(0.99), value(0.999)];
            lines.push(format!("  {name:<22}{}", values.map(|value| format!("{value:>11}")).concat()));
        }
    }
}

fn level_line(index: usize, level: &Value, largest: u64) -> String {
    let (bytes, rows) = (number(level, "bytes"), number(level, "rows"));
    let score = level["score"].as_f64().filter(|score| *score > 0.0);
    let full = score.map_or_else(String::new, |score| format!("{} full", percent(score)));
    let tombstones = match number(level, "tombstones") {
        0 => String::new(),
        count => format!(", {}", counted(count, "tombstone")),
    };
    let bits = level["filter_bits_per_key"].as_f64().filter(|bits| *bits > 0.0);
    let filters = bits.map_or_else(String::new, |bits| format!(", filters of {bits:.1} bits a key"));
    let tables = counted(number(level, "tables"), "table");
    let runs = counted(number(level, "runs"), "run");
    let line = format!(
        "  level {index}  {} {:>10}  {full:<11} {} in {tables} ({runs}){tombstones}{filters}",
        bar(bytes, largest),
        bytes_text(bytes),
        counted(rows, "row")
    );
    line.trim_end().to_owned()
}

fn put_pace(reading: &Reading, lines: &mut Vec<String>) {
    let pace = reading.at(&["pace"]);
    let why = match pace["cause"].as_str() {
        Some("memory") => "memtables wait for their flush".to_owned(),
        Some("level0") => "level 0 has many runs".to_owned(),
        Some("debt") => "compaction owes much".to_owned(),
        Some("log") => "the log is long".to_owned(),
        Some(other) => escape(other.as_bytes()),
        None => "nothing is behind".to_owned(),
    };
    let backlog = percent(pace["backlog"].as_f64().unwrap_or(0.0));
    let mut line = match pace["bytes_per_second"].as_u64() {
        Some(rate) => format!("writers: slowed down to {} a second, {why} (backlog {backlog})", bytes_text(rate)),
        None => format!("writers: not slowed down, {why}"),
    };
    let stopped = number(pace, "stopped_writers");
    if stopped > 0 {
        line += &format!("; {} for memory", if stopped == 1 { "1 waits".to_owned() } else { format!("{stopped} wait") });
    }
    lines.push(line);
    if pace["is_disk_full"].as_bool() == Some(true) {
        lines.push("the disk is full: writes are refused until there is room".to_owned());
    }
    if let Some(cause) = reading.at(&["poisoned"]).as_str() {
        lines.push(format!("writes are refused: {}", escape(cause.as_bytes())));
    }
}

fn put_log(reading: &Reading, lines: &mut Vec<String>) {
    let files = counted(reading.number(&["wal_files"]), "file");
    lines.push(format!("log: {files}, {}", bytes_text(reading.number(&["wal_bytes"]))));
    lines.push(format!("next sequence number: {}", grouped(reading.number(&["visible_seqno"]))));
    let snapshots: Vec<&Value> = items(reading.at(&["snapshots"])).collect();
    if let Some(oldest) = snapshots.first() {
        let made_at = escape(text(oldest, "made_at").as_bytes());
        let seqno = grouped(number(oldest, "read_seqno"));
        lines.push(format!("snapshots: {} open, the oldest at {seqno}, made at {made_at}", grouped(snapshots.len() as u64)));
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// How much of the whole a part is, as cells.
fn bar(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) };
    let filled = (share * BAR_CELLS as f64).round() as usize;
    // What is there shows.
    let filled = if part > 0 { filled.max(1) } else { 0 };
    "\u{2588}".repeat(filled) + &"\u{2591}".repeat(BAR_CELLS - filled)
}

fn percent(share: f64) -> String {
    if (0.0..0.1).contains(&share) { format!("{:.1} %", share * 100.0) } else { format!("{:.0} %", share * 100.0) }
}

fn rate_text(rate: f64) -> String {
    if (0.0..100.0).contains(&rate) { format!("{rate:.1}") } else { grouped(rate as u64) }
}

fn duration_text(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        1_000_000..100_000_000 => format!("{:.1} s", us as f64 / 1e6),
        _ => {
            let seconds = us / 1_000_000;
            let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
            match (days, hours) {
                (0, 0) => format!("{minutes} min {} s", seconds % 60),
                (0, _) => format!("{hours} h {minutes} min"),
                _ => format!("{days} d {hours} h"),
            }
        }
    }
}
