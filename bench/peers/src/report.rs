//! Medians over rounds, and ratios to RocksDB, as Markdown.

use crate::{
    engine::Name,
    measurement::{Measurement, Part, Percentiles},
    workload::Workload,
};
use sediment_bench::{
    machine::Host,
    text::{bytes_text, count_text, time_text},
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
type Choice = fn(Percentiles) -> Option<u64>;
type PartFigure = fn(&Measurement, &Part) -> Option<f64>;

/// All tables.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = heading(report);
    let times: [(&str, Figure); 3] = [
        ("Time of an operation; of a load (the fills and `overwrite`), with what it left to be done", |one| {
            (one.parts.is_empty() && !one.workload.is_paced()).then(|| one.ns_per_operation())
        }),
        ("Processor time of an operation, all threads, with what it left to be done", |one| {
            one.parts.is_empty().then(|| one.cpu_ns_per_operation())
        }),
        ("Of a load, time of an operation as its caller sees it", |one| {
            one.workload.is_load().then(|| one.foreground_ns_per_operation())
        }),
    ];
    times.into_iter().for_each(|(title, figure)| table(&mut text, report, title, figure, time_text));
    parts(&mut text, report);
    schedules(&mut text, report);
    percentiles(&mut text, report, "Latency", |one| one.latency);
    percentiles(&mut text, report, "Latency of the call alone", |one| one.call);
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

/// Of workloads whose operations are due at times.
fn schedules(text: &mut String, report: &Report) {
    // The time between two operations, so that less is better here, too.
    let between: Figure = |one| one.workload.is_paced().then(|| one.foreground_ns_per_operation());
    table(text, report, "Operations in a second, of a schedule", between, |ns| count_text(1e9 / ns));
    let missed: Figure = |one| (one.missed > 0).then(|| one.missed as f64 / (one.missed + one.operations) as f64);
    table(text, report, "Of a schedule, what was never begun", missed, |share| format!("{:.1} %", share * 100.0));
    let drain: Figure = |one| one.workload.is_paced().then_some(one.drain_seconds * 1e9);
    table(text, report, "Of a schedule, how long the engine worked on after its last operation", drain, time_text);
}

fn percentiles(text: &mut String, report: &Report, title: &str, of: fn(&Measurement) -> Option<Percentiles>) {
    let each: [(&str, Choice); 5] = [
        ("median", |all| Some(all.p50_ns)),
        ("99 of 100 are below", |all| Some(all.p99_ns)),
        ("999 of 1000 are below", |all| Some(all.p999_ns)),
        ("9999 of 10000 are below", |all| all.p9999_ns),
        ("the longest", |all| Some(all.max_ns)),
    ];
    for (name, choose) in each {
        let figure = |one: &Measurement| of(one).and_then(choose).map(|ns| ns as f64);
        table(text, report, &format!("{title}: {name}"), figure, time_text);
    }
}

/// Of workloads that are several things.
fn parts(text: &mut String, report: &Report) {
    let time: PartFigure = |_, part| Some(part.ns_per_operation());
    part_table(text, report, "Time of an operation, part by part", time, time_text);
    let cpu: PartFigure = |_, part| Some(part.cpu_ns_per_operation());
    part_table(text, report, "Processor time of an operation, all threads, part by part", cpu, time_text);
    let slowdown: PartFigure = |one, part| {
        let first = one.parts.first().filter(|_| one.workload.repeats())?;
        (first.name != part.name).then(|| part.cpu_ns_per_operation() / first.cpu_ns_per_operation())
    };
    let title = "Processor time of an operation, in times of that of the first part";
    part_table(text, report, title, slowdown, |times| format!("{times:.2}"));
    let blocks: PartFigure = |_, part| part.blocks_read;
    part_table(text, report, "Blocks that an operation looks into", blocks, |count| format!("{count:.0}"));
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

/// A line for each workload that has the figure.
fn table<F: Fn(&Measurement) -> Option<f64> + Copy>(
    text: &mut String,
    report: &Report,
    title: &str,
    figure: F,
    show: impl Fn(f64) -> String,
) {
    let workloads: BTreeSet<Workload> = report.measurements.iter().map(|one| one.workload).collect();
    let lines = workloads.into_iter().map(|workload| (workload, format!("`{}`", workload.typed()), figure));
    grid(text, report, title, lines, show);
}

/// A line for each part of a workload that has the figure.
fn part_table(text: &mut String, report: &Report, title: &str, figure: PartFigure, show: impl Fn(f64) -> String) {
    let any: BTreeMap<Workload, &Measurement> = report.measurements.iter().map(|one| (one.workload, one)).collect();
    let lines = any.into_values().flat_map(|one| one.parts.iter().map(|part| (one.workload, part.name.as_str())));
    let lines = lines.map(|(workload, name)| {
        let of_part =
            move |one: &Measurement| one.parts.iter().find(|part| part.name == name).and_then(|part| figure(one, part));
        (workload, format!("`{}`: {name}", workload.typed()), of_part)
    });
    grid(text, report, title, lines, show);
}

/// Lines, each of a workload, with a title and a figure, and a column for each engine: the median, and how many times RocksDB takes
/// it.
fn grid<F: Fn(&Measurement) -> Option<f64>>(
    text: &mut String,
    report: &Report,
    title: &str,
    lines: impl Iterator<Item = (Workload, String, F)>,
    show: impl Fn(f64) -> String,
) {
    let engines: BTreeSet<Name> = report.measurements.iter().map(|one| one.engine).collect();
    let lines: Vec<String> = lines
        .filter_map(|(workload, name, figure)| {
            let cells = cells(report, &engines, workload, figure, &show)?;
            Some(format!("| {name} | {} |\n", cells.join(" | ")))
        })
        .collect();
    if lines.is_empty() {
        return;
    }
    let names: Vec<String> = engines.iter().map(|engine| engine.typed()).collect();
    let _ = writeln!(text, "\n{title}:\n\n| workload | {} |\n| --- |{}", names.join(" | "), " ---: |".repeat(engines.len()));
    lines.into_iter().for_each(|line| text.push_str(&line));
}

fn cells(
    report: &Report,
    engines: &BTreeSet<Name>,
    workload: Workload,
    figure: impl Fn(&Measurement) -> Option<f64>,
    show: &impl Fn(f64) -> String,
) -> Option<Vec<String>> {
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
        let Some(middle) = middle else {
            return if workload.is_offered_by(*name) { String::new() } else { "not offered".to_owned() };
        };
        let ratio = best.filter(|_| *name != Name::Null).and_then(|best| median(paired(&of(best), &of(*name))));
        show(*middle) + &ratio.map_or_else(String::new, |ratio| format!(" ({ratio:.2})"))
    });
    Some(cells.collect())
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
