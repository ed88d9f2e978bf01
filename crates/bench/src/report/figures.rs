//! The table of parts: each figure beside its gate.

use super::markdown::row;
use crate::{
    text::{bytes_text, count_text, time_text},
    workload::Figure,
};

const HEADER: [&str; 9] = ["part", "rows", "data", "gate", "p50", "p10", "p90", "batches", "others"];

/// All figures, a line for each.
pub(crate) fn figures(figures: &[Figure], with_header: bool) -> String {
    let mut text = String::new();
    if with_header {
        row(&mut text, &HEADER.map(str::to_owned));
        row(&mut text, &std::array::from_fn::<_, 9, _>(|column| if column == 0 { "---" } else { "---:" }.to_owned()));
    }
    figures.iter().for_each(|figure| row(&mut text, &cells(figure)));
    text
}

fn cells(figure: &Figure) -> [String; 9] {
    [
        figure.name.to_owned(),
        count_text(figure.rows as f64),
        bytes_text(figure.data_bytes as f64),
        figure.gate_ns.map(time_text).unwrap_or_default(),
        time_text(figure.p50_ns),
        time_text(figure.p10_ns),
        time_text(figure.p90_ns),
        figure.batches.to_string(),
        figure.others_cores.map(|cores| format!("{cores:.1}")).unwrap_or_default(),
    ]
}
