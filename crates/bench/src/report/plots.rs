//! A picture of each measurement.

use super::Report;
use crate::{
    chart::{Chart, Colour, Panel, Points, Scale, Series},
    latency::Columns,
    measure::{Measurement, Part},
    text::{bytes_text, count_text},
    workload::{ControlReport, Mixed},
};

/// Measurements this long are shown by the second, shorter ones window by window.
const LONG_SECONDS: f64 = 30.0;
const WINDOWS_PER_SECOND: usize = 10;

/// Pictures with the names of their files.
pub(crate) fn plots(report: &Report<'_>) -> Vec<(String, String)> {
    let measurements = report.measurements.iter().filter(|measurement| measurement.seconds > 0.0);
    let name = |measurement: &Measurement| {
        let name: String =
            measurement.name.chars().map(|symbol| if symbol.is_ascii_alphanumeric() { symbol } else { '-' }).collect();
        format!("{name}.svg")
    };
    measurements.map(|measurement| (name(measurement), chart(report, measurement).svg())).collect()
}

fn chart(report: &Report<'_>, measurement: &Measurement) -> Chart {
    let together = if measurement.seconds >= LONG_SECONDS { WINDOWS_PER_SECOND } else { 1 };
    let mixed = report.mixed.as_ref().filter(|_| measurement.name == "mixed");
    let mut panels = Vec::new();
    let mut rates = Vec::new();
    for (group, colour) in
        groups(measurement, mixed.is_some()).into_iter().zip([Colour::Blue, Colour::Vermilion, Colour::Black])
    {
        let columns = group.columns(together);
        panels.push(latencies(&group.name, &columns, together, mixed));
        rates.push(rate(&group.name, &columns, colour));
    }
    if let Some(mixed) = mixed {
        let wanted = Points::Constant(mixed.writes_per_second);
        rates.push(Series { name: "writes intended".to_owned(), colour: Colour::Grey, points: wanted });
    }
    panels.push(Panel { label: "operations per second".to_owned(), scale: Scale::Counts, series: rates });
    Chart {
        title: title(measurement, mixed),
        subtitle: subtitle(report, measurement, mixed),
        seconds: measurement.seconds,
        panels,
    }
}

/// Parts that share a panel.
struct Group<'a> {
    name: String,
    parts: Vec<&'a Part>,
}

impl Group<'_> {
    fn columns(&self, together: usize) -> Columns {
        let mut windows = self.parts[0].windows.clone();
        self.parts[1..].iter().for_each(|part| windows.merge(part.windows.clone()));
        windows.columns(together)
    }
}

/// Gets and scans of a mixed run are reads; otherwise each part is by itself.
fn groups(measurement: &Measurement, is_mixed: bool) -> Vec<Group<'_>> {
    let parts: Vec<&Part> = measurement.parts.iter().collect();
    if is_mixed && parts.len() > 1 {
        let name = |name: &str| name.to_owned();
        return vec![
            Group { name: name("write"), parts: parts[..1].to_vec() },
            Group { name: name("read"), parts: parts[1..].to_vec() },
        ];
    }
    let name = |part: &Part| if part.name.is_empty() { "operation".to_owned() } else { part.name.to_owned() };
    parts.into_iter().map(|part| Group { name: name(part), parts: vec![part] }).collect()
}

fn latencies(name: &str, columns: &Columns, together: usize, mixed: Option<&Mixed>) -> Panel {
    let width = columns.window_ms as f64 / 1000.0;
    let line = |name: &str, colour, values: &[Option<u64>]| Series {
        name: name.to_owned(),
        colour,
        points: Points::Windows(width, values.iter().map(|value| value.map(|ns| ns as f64)).collect()),
    };
    let mut series = Vec::new();
    if let Some(mixed) = mixed {
        series.push(control(&mixed.control, together));
    }
    series.push(line("max", Colour::Vermilion, &columns.max_ns));
    series.push(line("p99", Colour::Blue, &columns.p99_ns));
    series.push(line("p50", Colour::Sky, &columns.p50_ns));
    if let Some(mixed) = mixed {
        let points = Points::Constant(mixed.stall_ms as f64 * 1e6);
        series.push(Series { name: format!("stall: {} ms", mixed.stall_ms), colour: Colour::Black, points });
    }
    Panel { label: format!("latency of {name}s"), scale: Scale::Times, series }
}

fn control(control: &ControlReport, together: usize) -> Series {
    let width = (control.window_ms * together as u64) as f64 / 1000.0;
    let values = control.worst_ns(together).into_iter().map(|ns| Some(ns as f64)).collect();
    Series { name: "control thread, max".to_owned(), colour: Colour::Grey, points: Points::Windows(width, values) }
}

fn rate(name: &str, columns: &Columns, colour: Colour) -> Series {
    let width = columns.window_ms as f64 / 1000.0;
    let values = columns.completed.iter().map(|count| Some(*count as f64 / width)).collect();
    Series { name: format!("{name}s"), colour, points: Points::Windows(width, values) }
}

fn title(measurement: &Measurement, mixed: Option<&Mixed>) -> String {
    match mixed {
        Some(mixed) => format!("Latency under a mixed load: {:.0} % of the sustainable rate of writes", mixed.load * 100.0),
        None => measurement.name.clone(),
    }
}

fn subtitle(report: &Report<'_>, measurement: &Measurement, mixed: Option<&Mixed>) -> Vec<String> {
    let (settings, host) = (report.workload.settings(), &report.host);
    let mut data = format!(
        "{} keys of {} B, values of {} B, memory {}, durability {:?}, {} threads",
        count_text(measurement.keys as f64),
        settings.key_size,
        settings.value_bytes(),
        bytes_text(settings.memory as f64),
        settings.durability,
        measurement.threads,
    );
    if let Some(mixed) = mixed {
        data += &format!(
            "; {} writes/s, {} reads/s; stalls not met by control: {}",
            count_text(mixed.writes_per_second),
            count_text(mixed.reads_per_second),
            mixed.stalls_not_met_by_control,
        );
    }
    let unknown = || "unknown".to_owned();
    let machine = format!(
        "{} cores of {}, Linux {}, {}; others kept {} cores busy{}",
        host.cores,
        host.processor.clone().unwrap_or_else(unknown),
        host.kernel.clone().unwrap_or_else(unknown),
        host.file_system.clone().unwrap_or_else(unknown),
        measurement.others_cores.map_or_else(unknown, |cores| format!("{cores:.1}")),
        if host.debug_build { "; DEBUG BUILD, figures mean nothing" } else { "" },
    );
    vec![data, machine]
}
