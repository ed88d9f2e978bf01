use super::{Recorder, Timing, Windows, buckets::bucket};

const MS: u64 = 1_000_000;

#[test]
fn buckets_rise_with_the_latency_and_are_narrow() {
    let mut previous = 0;
    for ns in (0..4096).chain((12..42).flat_map(|bits| [(1 << bits) - 1, 1 << bits, 3 << (bits - 1)])) {
        let bucket = bucket(ns);
        assert!(bucket >= previous, "{ns}");
        previous = bucket;
    }
    let mut windows = Windows::new(100 * MS);
    for (window, latency) in [0, 7, 8, 1000, 54_321, 3 * MS, 60_000 * MS].into_iter().enumerate() {
        let start = window as u64 * 100 * MS;
        windows.record(start, start + latency, 1);
        windows.record(start, start + 2 * latency, 1);
    }
    let columns = windows.columns(1);
    for (window, latency) in [0, 7, 8, 1000, 54_321, 3 * MS, 60_000 * MS].into_iter().enumerate() {
        let p50 = columns.p50_ns[window].expect("there are two");
        assert!((latency..=latency + latency / 8).contains(&p50), "{latency} is told as {p50}");
        assert_eq!(columns.max_ns[window], Some(2 * latency));
    }
}

#[test]
fn a_latency_counts_where_waiting_began_and_a_completion_where_it_came() {
    let mut windows = Windows::new(100 * MS);
    windows.record(50 * MS, 51 * MS, 1);
    windows.record(150 * MS, 450 * MS, 1);
    windows.record(250 * MS, 451 * MS, 2);
    let columns = windows.columns(1);
    assert_eq!(columns.completed, [1, 0, 0, 0, 3]);
    assert_eq!(columns.max_ns, [Some(MS), Some(300 * MS), Some(201 * MS), None, None]);
    assert_eq!(columns.window_ms, 100);
}

#[test]
fn windows_of_threads_are_added_window_by_window() {
    let (mut one, mut other) = (Windows::new(100 * MS), Windows::new(100 * MS));
    (0..99).for_each(|i| one.record(i * MS, i * MS + 1000, 1));
    other.record(10 * MS, 90 * MS, 1);
    other.record(750 * MS, 751 * MS, 1);
    one.merge(other);
    assert_eq!([0, 1, 100 * MS].map(|ns| one.completed_since(ns)), [(101, 0), (1, 100 * MS), (1, 100 * MS)]);
    let columns = one.columns(1);
    assert_eq!(columns.completed, [100, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(columns.max_ns[0], Some(80 * MS));
    assert!(columns.p99_ns[0].expect("there are some") < 2000);
    assert_eq!(columns.max_ns[7], Some(MS));
}

#[test]
fn windows_taken_together_hold_what_their_parts_held() {
    let mut windows = Windows::new(100 * MS);
    (0..25).for_each(|i| windows.record(i * 100 * MS, i * 100 * MS + (i + 1) * 1000, 1));
    let columns = windows.columns(10);
    assert_eq!(columns.completed, [10, 10, 5]);
    assert_eq!(columns.max_ns, [Some(10_000), Some(20_000), Some(25_000)]);
    assert_eq!(columns.window_ms, 1000);
}

#[test]
fn recorders_add_up() {
    let (mut one, mut other) = (Recorder::new(), Recorder::new());
    one.record(0, 1000, 10);
    other.record(500, 2500, 10);
    one.merge(other);
    let latencies = one.latencies();
    assert_eq!((one.operations(), one.last_end_ns(), latencies.count, latencies.max_ns / 10), (20, 2500, 2, 200));
    assert!(one.calls().is_none());
}

#[test]
fn waiting_for_its_turn_is_part_of_an_operations_latency_but_not_of_its_call() {
    let mut recorder = Recorder::new();
    recorder.record_scheduled(Timing { intended_ns: 0, begin_ns: 90 * MS, end_ns: 91 * MS });
    let (latency, call) = (recorder.latencies().max_ns, recorder.calls().expect("it was scheduled").max_ns);
    assert_eq!((latency / MS, call / MS), (91, 1));
}
