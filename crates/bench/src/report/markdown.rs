//! Tables in Markdown.

use super::Report;
use crate::{
    latency::Latencies,
    measure::{Measurement, Part},
    text::{bytes_text, count_text, time_text},
    workload::{JudgedStall, Mixed},
};
use std::fmt::Write;

const HEADER: [&str; 14] = [
    "measurement",
    "threads",
    "operations",
    "per second",
    "p50",
    "p99",
    "p99.9",
    "max",
    "CPU/op",
    "written",
    "w/u",
    "memory",
    "disk",
    "others",
];
/// Stalls that the table of a mixed run shows.
const STALLS_MAX: usize = 20;

/// What the figures are of: the machine and the settings.
pub(crate) fn heading(report: &Report<'_>) -> String {
    let (settings, host) = (report.workload.settings(), &report.host);
    let unknown = || "unknown".to_owned();
    let count = |measurement: &Measurement| format!("{} keys", count_text(measurement.keys as f64));
    let keys = report.measurements.first().map_or_else(|| "Keys".to_owned(), count);
    format!(
        "{keys} of {} B, values of {} B, memory {}, durability {:?}, goal {:?}, {:?}{}{}; Sediment {}.\n{} cores of {}, Linux {}, {}{}.\n",
        settings.key_size,
        settings.value_bytes(),
        bytes_text(settings.memory as f64),
        settings.durability,
        settings.goal,
        settings.distribution,
        settings.strategy.as_ref().map(|name| format!(", {name}")).unwrap_or_default(),
        if settings.bulk { ", in bulk" } else { "" },
        host.version,
        host.cores,
        host.processor.clone().unwrap_or_else(unknown),
        host.kernel.clone().unwrap_or_else(unknown),
        host.file_system.clone().unwrap_or_else(unknown),
        if host.debug_build { "; **a debug build: these figures mean nothing**" } else { "" },
    )
}

/// All measurements, a line for each part.
pub(crate) fn table(report: &Report<'_>, with_header: bool) -> String {
    let mut text = String::new();
    if with_header {
        row(&mut text, &HEADER.map(str::to_owned));
        row(&mut text, &std::array::from_fn::<_, 14, _>(|column| if column == 0 { "---" } else { "---:" }.to_owned()));
    }
    for measurement in &report.measurements {
        for (number, part) in measurement.parts.iter().enumerate() {
            row(&mut text, &cells(measurement, part, number == 0, &part.latency, ""));
            if let Some(call) = &part.call {
                row(&mut text, &cells(measurement, part, false, call, ", call alone"));
            }
        }
    }
    text
}

/// What a mixed run found, in sentences and a table of its stalls.
pub(crate) fn findings(mixed: &Mixed) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Sustainable: {}/s (flat out, drained {:.1} s after). Writers kept {:.0} % of it, {}/s; reads {}/s.",
        count_text(mixed.sustainable_writes_per_second),
        mixed.flat_out_drain_seconds,
        mixed.load * 100.0,
        count_text(mixed.writes_per_second),
        count_text(mixed.reads_per_second),
    );
    if mixed.missed_operations > 0 {
        let _ = writeln!(text, "**Not kept up**: {} operations were never begun.", mixed.missed_operations);
    }
    let _ = writeln!(
        text,
        "Control thread: {} rounds, woke up to {:.1} ms late, wrote in up to {:.1} ms, lost {:.0} ms to slow memory.",
        mixed.control.rounds, mixed.control.late_max_ms, mixed.control.write_max_ms, mixed.control.lost_ms,
    );
    let _ = writeln!(
        text,
        "Stalls > {} ms: {}. **Stalls > {} ms not met by the control thread: {}**; in {} of these the thread was without a processor.",
        mixed.stall_ms,
        mixed.stalls.len(),
        mixed.stall_ms,
        mixed.stalls_not_met_by_control,
        mixed.of_these_without_processor,
    );
    if !mixed.stalls.is_empty() {
        text.push('\n');
        stalls(&mut text, &mixed.stalls);
    }
    text
}

fn stalls(text: &mut String, stalls: &[JudgedStall]) {
    let head = [
        "at",
        "thread",
        "worst latency",
        "late operations",
        "longest",
        "ran",
        "waited",
        "control late",
        "control write",
        "control lost",
        "met",
    ];
    row(text, &head.map(str::to_owned));
    row(text, &std::array::from_fn::<_, 11, _>(|column| if [1, 10].contains(&column) { "---" } else { "---:" }.to_owned()));
    let mut worst: Vec<&JudgedStall> = stalls.iter().collect();
    worst.sort_by(|left, right| right.worst_latency_ms.total_cmp(&left.worst_latency_ms));
    worst.truncate(STALLS_MAX);
    worst.sort_by(|left, right| left.begin_seconds.total_cmp(&right.begin_seconds));
    for stall in worst {
        let cells = [
            format!("{:.1} s", stall.begin_seconds),
            stall.thread.clone(),
            format!("{:.0} ms", stall.worst_latency_ms),
            stall.late_operations.to_string(),
            format!("{:.0} ms", stall.longest_operation_ms),
            stall.ran_ms.map_or_else(String::new, |ms| format!("{ms:.0} ms")),
            stall.waited_for_processor_ms.map_or_else(String::new, |ms| format!("{ms:.0} ms")),
            format!("{:.1} ms", stall.control_late_ms),
            format!("{:.1} ms", stall.control_write_ms),
            format!("{:.1} ms", stall.control_lost_ms),
            if stall.met_by_control { "yes" } else { "no" }.to_owned(),
        ];
        row(text, &cells);
    }
    if stalls.len() > STALLS_MAX {
        let _ = writeln!(text, "\nThe worst {STALLS_MAX} of {}.", stalls.len());
    }
}

/// A line; what concerns the measurement as a whole stands in its first only.
fn cells(measurement: &Measurement, part: &Part, is_first: bool, latency: &Latencies, suffix: &str) -> [String; 14] {
    let whole = |text: Option<String>| text.filter(|_| is_first).unwrap_or_default();
    let bytes = |bytes: Option<u64>| whole(bytes.map(|bytes| bytes_text(bytes as f64)));
    let time = |ns: u64| time_text(ns as f64);
    let dot = if part.name.is_empty() { "" } else { ": " };
    let of = match part.operations_per_latency {
        1 => String::new(),
        operations => format!(" (latency of {operations} together)"),
    };
    let log = measurement.log_bytes.filter(|_| is_first).map(|bytes| format!(" ({} of log)", bytes_text(bytes as f64)));
    let log = log.unwrap_or_default();
    let writes = |written: u64| written as f64 / measurement.user_bytes_written as f64;
    let amplification = measurement.disk_bytes_written.filter(|_| measurement.user_bytes_written > 0).map(writes);
    [
        format!("{}{dot}{}{of}{suffix}{log}", measurement.name, part.name),
        whole(Some(measurement.threads.to_string())),
        part.operations.to_string(),
        count_text(part.operations_per_second),
        time(latency.p50_ns),
        time(latency.p99_ns),
        time(latency.p999_ns),
        time(latency.max_ns),
        whole(measurement.cpu_ns_per_operation.map(time_text)),
        bytes(measurement.disk_bytes_written),
        whole(amplification.map(|share| format!("{share:.1}"))),
        bytes(measurement.anonymous_bytes),
        bytes(Some(measurement.disk_bytes)),
        whole(measurement.others_cores.map(|cores| format!("{cores:.1}"))),
    ]
}

/// A line of a table.
pub(super) fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}
