//! Medians over rounds, and ratios to RocksDB, as Markdown.

use crate::{engine::Name, measurement::Measurement, workload::Workload};
use sediment_bench::{
    machine::Host,
    text::{bytes_text, time_text},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

/// Everything that was measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) host: Machine,
    pub(crate) measurements: Vec<Measurement>,
}

/// Where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    processor: Option<String>,
    cores: usize,
    memory_bytes: Option<u64>,
    kernel: Option<String>,
    file_system: Option<String>,
    debug_build: bool,
}

impl From<Host> for Machine {
    fn from(host: Host) -> Self {
        let Host { processor, cores, memory_bytes, kernel, file_system, debug_build, .. } = host;
        Self { processor, cores, memory_bytes, kernel, file_system, debug_build }
    }
}

type Figure = fn(&Measurement) -> Option<f64>;

/// All tables.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = heading(report);
    let times: [(&str, Figure); 3] = [
        ("Time of an operation; of a load (the fills and `overwrite`), with what it left to be done", |one| {
            Some(one.ns_per_operation())
        }),
        ("Processor time of an operation, all threads, with what it left to be done", |one| Some(one.cpu_ns_per_operation())),
        ("Of a load, time of an operation as its caller sees it", |one| {
            one.workload.is_load().then(|| one.foreground_ns_per_operation())
        }),
    ];
    times.into_iter().for_each(|(title, figure)| table(&mut text, report, title, figure, time_text));
    let latencies: [(&str, Figure); 3] = [
        ("Latency: median", |one| one.latency.map(|latency| latency.p50_ns as f64)),
        ("Latency: 99 of 100 are below", |one| one.latency.map(|latency| latency.p99_ns as f64)),
        ("Latency: 999 of 1000 are below", |one| one.latency.map(|latency| latency.p999_ns as f64)),
    ];
    latencies.into_iter().for_each(|(title, figure)| table(&mut text, report, title, figure, time_text));
    table(&mut text, report, "Bytes written for each byte inserted", Measurement::write_amplification, |ratio| {
        format!("{ratio:.2}")
    });
    table(&mut text, report, "Files at the end", |one| Some(one.disk_bytes as f64), bytes_text);
    table(
        &mut text,
        report,
        "Memory at most, without pages of files",
        |one| one.anonymous_bytes.map(|bytes| bytes as f64),
        bytes_text,
    );
    text
}

fn heading(report: &Report) -> String {
    let (host, unknown) = (&report.host, || "unknown".to_owned());
    let others = median(report.measurements.iter().filter_map(|one| one.others_cores).collect());
    let worst = report.measurements.iter().filter_map(|one| one.others_cores).fold(0.0, f64::max);
    format!(
        "{} cores of {}, Linux {}, {}; others kept {} processors busy in the median, {worst:.1} at most{}.\n",
        host.cores,
        host.processor.clone().unwrap_or_else(unknown),
        host.kernel.clone().unwrap_or_else(unknown),
        host.file_system.clone().unwrap_or_else(unknown),
        others.map_or_else(unknown, |cores| format!("{cores:.1}")),
        if host.debug_build { "; **a debug build: these figures mean nothing**" } else { "" },
    )
}

/// A line for each workload that has the figure, a column for each engine: the median, and how many times RocksDB takes it.
fn table(text: &mut String, report: &Report, title: &str, figure: Figure, show: impl Fn(f64) -> String) {
    let engines: BTreeSet<Name> = report.measurements.iter().map(|one| one.engine).collect();
    let workloads: BTreeSet<Workload> = report.measurements.iter().map(|one| one.workload).collect();
    let lines: Vec<String> =
        workloads.into_iter().filter_map(|workload| line(report, &engines, workload, figure, &show)).collect();
    if lines.is_empty() {
        return;
    }
    let names: Vec<String> = engines.iter().map(|engine| engine.typed()).collect();
    let _ = writeln!(text, "\n{title}:\n\n| workload | {} |\n| --- |{}", names.join(" | "), " ---: |".repeat(engines.len()));
    lines.into_iter().for_each(|line| text.push_str(&line));
}

fn line(
    report: &Report,
    engines: &BTreeSet<Name>,
    workload: Workload,
    figure: Figure,
    show: &impl Fn(f64) -> String,
) -> Option<String> {
    let of = |engine: Name| -> BTreeMap<u64, f64> {
        let measured = report.measurements.iter().filter(|one| one.engine == engine && one.workload == workload);
        measured.filter_map(|one| Some((one.round, figure(one)?))).collect()
    };
    let medians: Vec<(Name, Option<f64>)> =
        engines.iter().map(|engine| (*engine, median(of(*engine).into_values().collect()))).collect();
    medians.iter().find_map(|(_, median)| *median)?;
    let rocksdb = medians.iter().filter(|(name, median)| name.is_rocksdb() && median.is_some());
    let best =
        rocksdb.min_by(|(_, left), (_, right)| left.partial_cmp(right).expect("no figure is NaN")).map(|(name, _)| *name);
    let cells = medians.iter().map(|(name, middle)| {
        let Some(middle) = middle else { return String::new() };
        let ratio = best.filter(|_| *name != Name::Null).and_then(|best| median(paired(&of(best), &of(*name))));
        show(*middle) + &ratio.map_or_else(String::new, |ratio| format!(" ({ratio:.2})"))
    });
    Some(format!("| `{}` | {} |\n", workload.typed(), cells.collect::<Vec<_>>().join(" | ")))
}

/// Ratios within each round, so that what slowed the machine down for a while slowed down both.
fn paired(base: &BTreeMap<u64, f64>, others: &BTreeMap<u64, f64>) -> Vec<f64> {
    let both = others.iter().filter_map(|(round, other)| Some((base.get(round)?, other)));
    both.filter(|(_, other)| **other > 0.0).map(|(base, other)| base / other).collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}
