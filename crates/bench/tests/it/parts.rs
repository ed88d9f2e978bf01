use crate::program::{Run, entries, number, run};
use serde_json::Value;

/// All parts, with what they are called in the table.
const FIGURES: [&str; 12] = [
    "block/warm",
    "block/cold",
    "table/get, small",
    "table/miss, small",
    "table/get",
    "table/miss",
    "memtable/put",
    "memtable/miss",
    "memtable/miss, empty",
    "log/put",
    "scan/4 runs",
    "scan/1 run",
];

fn run_small(args: &[&str]) -> Run {
    run("parts", &[&["--seconds", "0.01", "--cold-data", "64KiB", "--memory", "1MiB"], args].concat())
}

#[test]
fn every_part_has_a_figure_beside_its_gate() {
    let run = run_small(&[]);
    let report = run.report();
    assert_eq!(report["workload"], "parts");
    assert!(entries(&report, "measurements").is_empty());
    let figures = entries(&report, "figures");
    assert_eq!(figures.iter().map(name).collect::<Vec<_>>(), FIGURES);
    for figure in figures {
        let spread = ["p10_ns", "p50_ns", "p90_ns"].map(|name| number(figure, name));
        assert!(spread[0] > 0.0 && spread.is_sorted(), "{figure}");
        assert!(number(figure, "batches") <= number(figure, "operations"));
        assert_eq!(number(figure, "data_bytes"), number(figure, "rows") * 116.0);
        assert_eq!(figure["gate_ns"].is_null(), name(figure) == "memtable/miss, empty");
    }
    let table: Vec<&str> = run.out.lines().collect();
    assert_eq!(table.len(), FIGURES.len() + 2, "{}", run.out);
    assert!(table.iter().all(|line| line.matches('|').count() == 10), "{}", run.out);
    assert_eq!(run.dir().read_dir().expect("it was made").count(), 0, "something was left behind");
}

#[test]
fn parts_can_be_named_and_a_single_row_is_enough() {
    let run = run_small(&["scan", "table", "--keys", "1", "--no-header"]);
    let report = run.report();
    let names: Vec<&str> = entries(&report, "figures").iter().map(name).collect();
    assert_eq!(names, ["scan/4 runs", "scan/1 run", "table/get, small", "table/miss, small", "table/get", "table/miss"]);
    assert_eq!(run.out.lines().count(), names.len());
}

#[test]
fn rows_of_any_shape_have_figures() {
    let run = run_small(&["--key-prefix", "user:", "--key-size", "20", "--value-size", "2KiB", "--keys", "300"]);
    assert_eq!(entries(&run.report(), "figures").len(), FIGURES.len());
}

#[test]
fn a_part_that_does_not_exist_is_refused() {
    assert_eq!(run_small(&["paging"]).code, 2);
}

fn name(figure: &Value) -> &str {
    figure["name"].as_str().expect("it has a name")
}
