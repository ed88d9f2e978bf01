use crate::program::{Run, entries, is_about, number, numbers, run};
use serde_json::Value;

/// What a measurement and its parts are called.
type Names = (&'static str, &'static [&'static str]);

/// Every workload, with its measurements.
const WORKLOADS: &[(&str, &[Names])] = &[
    ("fillseq", &[("fillseq", &[""])]),
    ("fillrandom", &[("fillrandom", &[""])]),
    ("fillbatch", &[("fillbatch", &[""])]),
    ("overwrite", &[("overwrite", &[""])]),
    ("readrandom", &[("readrandom", &[""])]),
    ("multiget", &[("multiget", &[""])]),
    ("readmissing", &[("readmissing", &[""])]),
    ("seek", &[("seek", &[""])]),
    ("scan", &[("scan/forward", &[""]), ("scan/reverse", &[""])]),
    ("readwhilewriting", &[("readwhilewriting", &["read", "write"])]),
    ("largevalues", &[("largevalues/fill", &[""]), ("largevalues/read", &[""])]),
    ("syncwrites", &[("syncwrites/1", &[""]), ("syncwrites/2", &[""])]),
    ("reopen", &[("reopen/closed", &["open", "first read"]), ("reopen/died", &["open", "first read"])]),
];

#[test]
fn every_workload_reports_what_adds_up() {
    for (workload, measurements) in WORKLOADS {
        let args: &[&str] = match *workload {
            "reopen" => &["--log", "64KiB", "--rounds", "3"],
            "largevalues" => &["--threads", "2", "--keys", "300", "--value-size", "1500"],
            _ => &["--threads", "2"],
        };
        let run = run(workload, args);
        let report = run.report();
        assert_eq!(report["workload"], *workload);
        assert!(report["mixed"].is_null());
        assert!(number(&report, "harness_ns") > 0.0);
        let names: Vec<(&str, Vec<&str>)> = entries(&report, "measurements").iter().map(names).collect();
        let expected: Vec<(&str, Vec<&str>)> = measurements.iter().map(|(name, parts)| (*name, parts.to_vec())).collect();
        assert_eq!(names, expected);
        entries(&report, "measurements").iter().for_each(check_measurement);
        check_table(&run.out, names.iter().map(|(_, parts)| parts.len()).sum());
        check_plots(&run, names.len());
        assert_eq!(run.dir().read_dir().expect("it was made").count(), 0, "{workload} left something behind");
    }
}

#[test]
fn keys_of_any_shape_and_popularity_are_read_back() {
    let shape = ["--key-prefix", "user:", "--key-size", "20", "--value-size", "1KiB"];
    let args = [&shape[..], &["--distribution", "zipf", "--durability", "memory", "--goal", "write"]].concat();
    let report = run("readrandom", &args).report();
    let settings = &report["settings"];
    let words = ["distribution", "durability", "goal"].map(|name| settings[name].as_str());
    assert_eq!(words, [Some("zipf"), Some("memory"), Some("write")]);
    assert_eq!((number(settings, "value_size"), number(settings, "memory")), (1024.0, 262_144.0));
    let measurement = &entries(&report, "measurements")[0];
    assert!(number(measurement, "disk_bytes") >= 3000.0 * (20.0 + 1024.0));
}

#[test]
fn every_mix_of_ycsb_has_its_operations_and_keeps_every_row() {
    let mixes: [(&str, &[&str]); 6] = [
        ("a", &["get", "update"]),
        ("b", &["get", "update"]),
        ("c", &["get"]),
        ("d", &["get", "insert"]),
        ("e", &["insert", "scan"]),
        ("f", &["get", "read-modify-write"]),
    ];
    for (mix, kinds) in mixes {
        let run = run("ycsb", &[mix, "--threads", "2"]);
        let report = run.report();
        let measurement = &entries(&report, "measurements")[0];
        check_measurement(measurement);
        assert_eq!(names(measurement), (format!("ycsb/{mix}").as_str(), kinds.to_vec()));
        check_table(&run.out, kinds.len());
    }
}

#[test]
fn a_database_is_read_with_other_memory_or_cold() {
    for args in [["--read-memory", "64KiB"], ["--read-memory", "1MiB"]] {
        for cold in [&[][..], &["--cold"]] {
            for workload in ["readrandom", "readmissing", "seek"] {
                let report = run(workload, &[&args[..], cold].concat()).report();
                entries(&report, "measurements").iter().for_each(check_measurement);
            }
        }
    }
}

#[test]
fn in_bulk_many_operations_have_one_latency_and_none_is_lost() {
    for workload in ["fillrandom", "overwrite", "readrandom", "readmissing", "seek", "readwhilewriting"] {
        let report = run(workload, &["--bulk"]).report();
        let measurement = &entries(&report, "measurements")[0];
        check_measurement(measurement);
        for part in entries(measurement, "parts") {
            assert_eq!(number(part, "operations_per_latency"), 256.0);
            let latencies = number(&part["latency"], "count");
            assert!(latencies * 256.0 < number(part, "operations") + 256.0, "{part}");
        }
    }
}

#[test]
fn the_table_can_go_into_a_file_below_what_it_is_of() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("table.md");
    let run = run("fillseq", &["--markdown", file.to_str().expect("its name is UTF-8")]);
    let text = std::fs::read_to_string(file).expect("it was written");
    assert!(text.starts_with("3 k keys of 16 B, values of 100 B, memory 256 KiB, durability Os"), "{text}");
    assert!(text.ends_with(&run.out) && text.contains("cores of"));
}

#[test]
fn one_key_is_enough() {
    for workload in ["fillrandom", "seek", "scan", "readwhilewriting"] {
        let report = run(workload, &["--keys", "1"]).report();
        entries(&report, "measurements").iter().for_each(check_measurement);
    }
}

#[test]
fn a_fill_writes_every_key_once() {
    let report = run("fillrandom", &["--threads", "3"]).report();
    let measurement = &entries(&report, "measurements")[0];
    assert_eq!(number(&entries(measurement, "parts")[0], "operations"), 3000.0);
    assert_eq!(number(measurement, "user_bytes_written"), 3000.0 * 116.0);
    assert!(number(measurement, "disk_bytes") >= 3000.0 * 116.0);
}

#[test]
fn a_database_can_be_kept_and_the_head_of_the_table_left_out() {
    let run = run("fillseq", &["--keep", "--no-header"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let kept: Vec<_> = run.dir().read_dir().expect("it was made").collect();
    assert_eq!(kept.len(), 1);
    let dir = kept[0].as_ref().expect("it can be read").path().join("db");
    let db = sedimentdb::Db::builder(dir).create(sedimentdb::Create::MustExist).open().expect("it was kept");
    assert_eq!(db.keyspace("bench").expect("it is there").iter().count(), 3000);
    assert_eq!(run.out.lines().count(), 1);
    assert!(run.out.starts_with("| fillseq | 1 | 3000 |"));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    for args in [["--key-size", "7"], ["--keys", "0"], ["--seconds", "0"], ["--value-size", "many"]] {
        let run = run("fillseq", &args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.err);
        assert!(run.out.is_empty() && !run.err.contains("panicked"));
    }
}

fn names(measurement: &Value) -> (&str, Vec<&str>) {
    let parts = entries(measurement, "parts").iter().map(|part| part["name"].as_str().expect("it has a name"));
    (measurement["name"].as_str().expect("it has a name"), parts.collect())
}

/// What holds for every measurement.
pub(crate) fn check_measurement(measurement: &Value) {
    let mut operations = 0.0;
    for part in entries(measurement, "parts") {
        check_part(part, number(measurement, "seconds"));
        operations += number(part, "operations");
    }
    assert!(operations > 0.0);
    assert!(number(measurement, "user_bytes_written") <= operations * 2000.0);
    if !measurement["cpu_ns_per_operation"].is_null() {
        assert!(number(measurement, "cpu_ns_per_operation") >= 0.0);
    }
}

fn check_part(part: &Value, seconds: f64) {
    let (operations, over_time) = (number(part, "operations"), &part["over_time"]);
    assert!(is_about(number(part, "operations_per_second") * seconds, operations));
    let columns = ["completed", "p50_ns", "p99_ns", "max_ns"].map(|name| numbers(&over_time[name]));
    assert_eq!(columns[0].iter().sum::<f64>(), operations);
    assert!(columns.iter().all(|column| column.len() == columns[0].len()));
    assert!((0..columns[0].len()).all(|row| columns[1][row] <= columns[2][row] && columns[2][row] <= columns[3][row]));
    let latency = &part["latency"];
    let max = columns[3].iter().copied().fold(0.0, f64::max);
    assert!(is_about(max, number(latency, "max_ns")), "{max} is not about {latency}");
    let counted = number(latency, "count");
    assert!(counted <= operations && counted * number(part, "operations_per_latency") >= operations);
    check_latencies(latency);
    if !part["call"].is_null() {
        check_latencies(&part["call"]);
        assert_eq!(number(&part["call"], "count"), counted);
        assert!(number(&part["call"], "max_ns") <= number(latency, "max_ns") * 1.002);
    }
}

fn check_latencies(latency: &Value) {
    let rising = ["p50_ns", "p90_ns", "p99_ns", "p999_ns", "p9999_ns", "max_ns"].map(|name| number(latency, name));
    assert!(rising.is_sorted(), "{latency}");
    assert!(number(latency, "mean_ns") <= number(latency, "max_ns"));
}

/// A table with a head of two lines and so many others, all equally wide.
pub(crate) fn check_table(out: &str, rows: usize) {
    let table: Vec<&str> = out.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(table.len(), rows + 2, "{out}");
    assert!(table.iter().all(|line| line.matches('|').count() == 15), "{out}");
}

/// So many pictures, each a whole one.
pub(crate) fn check_plots(run: &Run, count: usize) {
    let plots = run.plots();
    assert_eq!(plots.len(), count);
    for (name, svg) in plots {
        assert!(name.ends_with(".svg"));
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
}
