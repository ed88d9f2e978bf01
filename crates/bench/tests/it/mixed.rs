use crate::{
    program::{entries, is_about, number, numbers, run},
    workloads::{check_measurement, check_plots, check_table},
};
use serde_json::Value;

fn report_of(args: &[&str]) -> (Value, crate::program::Run) {
    let mut all = vec!["--warmup", "0.4", "--seconds", "0.5", "--reads", "400", "--readers", "2", "--threads", "2"];
    all.extend(args);
    let run = run("mixed", &all);
    (run.report(), run)
}

#[test]
fn what_was_meant_to_be_done_was_done_or_is_reported_missing() {
    let (report, run) = report_of(&["--load", "0.5"]);
    let [flat_out, watched] = entries(&report, "measurements") else { panic!("there are two measurements") };
    assert_eq!((&flat_out["name"], &watched["name"]), (&"mixed/flat out".into(), &"mixed".into()));
    [flat_out, watched].into_iter().for_each(check_measurement);
    let mixed = &report["mixed"];
    let rate = number(mixed, "writes_per_second");
    assert!(is_about(rate, number(mixed, "sustainable_writes_per_second") * 0.5));
    let done: f64 = entries(watched, "parts").iter().map(|part| number(part, "operations")).sum();
    let wanted = (rate + 400.0) * 0.5;
    let counted = done + number(mixed, "missed_operations");
    // Each of the four threads may begin one more in a last part of an interval.
    assert!((counted - wanted).abs() <= 4.0, "{counted} operations instead of {wanted}");
    assert_eq!(number(watched, "user_bytes_written"), number(&entries(watched, "parts")[0], "operations") * 116.0);
    // Each part with a line for its calls, but for the writes that were flat out. Where the machine was held up there may have been
    // no time for a scan.
    let parts = [flat_out, watched].into_iter().flat_map(|measurement| entries(measurement, "parts"));
    let lines =
        parts.filter(|part| number(part, "operations") > 0.0).map(|part| 1 + usize::from(!part["call"].is_null())).sum();
    assert!((4..=11).contains(&lines), "{lines}");
    check_table(&run.out, lines);
    check_plots(&run, 2);
    assert_eq!(run.dir().read_dir().expect("it was made").count(), 0);
}

#[test]
fn reads_are_gets_and_every_tenth_a_scan() {
    let (report, _) = report_of(&[]);
    let parts = entries(&entries(&report, "measurements")[1], "parts");
    assert_eq!(parts.iter().map(|part| part["name"].as_str().expect("a name")).collect::<Vec<_>>(), ["write", "get", "scan"]);
    if number(&report["mixed"], "missed_operations") == 0.0 {
        assert_eq!((number(&parts[1], "operations"), number(&parts[2], "operations")), (180.0, 20.0));
    }
}

#[test]
fn the_verdict_is_what_its_stalls_say() {
    // Everything above nothing is a stall, so there are some.
    let (report, run) = report_of(&["--stall", "0"]);
    let mixed = &report["mixed"];
    let stalls = entries(mixed, "stalls");
    assert!(!stalls.is_empty());
    let mut not_met = 0;
    for stall in stalls {
        let control = ["control_late_ms", "control_write_ms", "control_lost_ms"]
            .map(|met| number(stall, met))
            .into_iter()
            .fold(0.0, f64::max);
        let is_met = stall["met_by_control"].as_bool().expect("it is said");
        assert_eq!(is_met, control * 2.0 >= number(stall, "worst_latency_ms"), "{stall}");
        not_met += usize::from(!is_met);
        assert!(number(stall, "longest_operation_ms") <= number(stall, "worst_latency_ms"));
        assert!(number(stall, "late_operations") >= 1.0);
    }
    assert_eq!(number(mixed, "stalls_not_met_by_control"), not_met as f64);
    assert!(number(mixed, "of_these_without_processor") <= not_met as f64);
    assert!(run.out.contains(&format!("Stalls > 0 ms not met by the control thread: {not_met}")));
    let begins: Vec<f64> = stalls.iter().map(|stall| number(stall, "begin_seconds")).collect();
    assert!(begins.is_sorted());
}

#[test]
fn the_control_thread_reports_every_window() {
    let (report, _) = report_of(&[]);
    let control = &report["mixed"]["control"];
    assert!(number(control, "rounds") > 0.0);
    for (columns, max) in [("late_ns", "late_max_ms"), ("write_ns", "write_max_ms")] {
        let column = numbers(&control[columns]);
        assert!(!column.is_empty());
        let worst = column.into_iter().fold(0.0, f64::max);
        assert!(is_about(worst / 1e6, number(control, max)));
    }
    let lost_ns: f64 = numbers(&control["lost_ns"]).into_iter().sum();
    assert!(is_about(lost_ns / 1e6, number(control, "lost_ms")));
}

#[test]
fn a_rate_of_nothing_is_refused() {
    for args in [["--load", "0"], ["--reads", "0"]] {
        let run = run("mixed", &args);
        assert_eq!(run.code, 2, "{}", run.err);
    }
}
