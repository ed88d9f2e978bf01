//! What the second phase found: the stalls, and which of them the control thread met too.

use super::Arguments;
use crate::{
    clock::seconds,
    control::Control,
    stalls::{Stall, is_the_machines},
};
use serde::Serialize;

/// Width of the windows of the report.
const WINDOW_NS: u64 = 100_000_000;

/// The findings of `mixed`. Its latencies are in the measurement of the same name.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Mixed {
    pub(crate) sustainable_writes_per_second: f64,
    /// How long the database worked on after the writers had gone flat out.
    pub(crate) flat_out_drain_seconds: f64,
    pub(crate) load: f64,
    /// What the writers were to keep.
    pub(crate) writes_per_second: f64,
    pub(crate) reads_per_second: f64,
    /// Operations that were never begun, because their threads were too far behind.
    pub(crate) missed_operations: u64,
    /// How long after its end the last write was done.
    pub(crate) overtime_seconds: f64,
    pub(crate) stall_ms: u64,
    pub(crate) stalls: Vec<JudgedStall>,
    /// The verdict: stalls that the control thread did not meet.
    pub(crate) stalls_not_met_by_control: usize,
    /// Of these, those in whose longest operation the thread was given no processor for half of the time, by whomever.
    pub(crate) of_these_without_processor: usize,
    pub(crate) control: ControlReport,
}

/// A stall and what the control thread met around it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct JudgedStall {
    pub(crate) thread: String,
    /// When the first operation was meant to start.
    pub(crate) begin_seconds: f64,
    /// Until the last late operation was done.
    pub(crate) length_ms: f64,
    pub(crate) worst_latency_ms: f64,
    pub(crate) late_operations: u64,
    /// How long the operation took that took longest; the others waited for their turn.
    pub(crate) longest_operation_ms: f64,
    /// How long its thread ran meanwhile, and how long it could have, but was given no processor; the rest it slept, or waited for a
    /// lock or the disk.
    pub(crate) ran_ms: Option<f64>,
    pub(crate) waited_for_processor_ms: Option<f64>,
    pub(crate) control_late_ms: f64,
    pub(crate) control_write_ms: f64,
    pub(crate) control_lost_ms: f64,
    pub(crate) met_by_control: bool,
}

/// What the control thread met, in all and in each window.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ControlReport {
    pub(crate) rounds: usize,
    pub(crate) late_max_ms: f64,
    pub(crate) write_max_ms: f64,
    /// Because memory was slow.
    pub(crate) lost_ms: f64,
    pub(crate) window_ms: u64,
    pub(crate) late_ns: Vec<u64>,
    pub(crate) write_ns: Vec<u64>,
    pub(crate) lost_ns: Vec<u64>,
}

impl Mixed {
    /// Judges the stalls; what the first phase found is left out.
    pub(super) fn new(arguments: &Arguments, stalls: &[(String, Stall)], control: &Control) -> Self {
        let stalls: Vec<JudgedStall> = stalls.iter().map(|(thread, stall)| judged(thread, stall, control)).collect();
        let not_met = || stalls.iter().filter(|stall| !stall.met_by_control);
        let (of_control, of_processor) = (not_met().count(), not_met().filter(|stall| stall.was_without_processor()).count());
        Self {
            reads_per_second: arguments.reads,
            stall_ms: arguments.stall,
            stalls_not_met_by_control: of_control,
            of_these_without_processor: of_processor,
            stalls,
            control: ControlReport::of(control),
            ..Self::default()
        }
    }
}

impl JudgedStall {
    fn was_without_processor(&self) -> bool {
        self.waited_for_processor_ms.is_some_and(|waited| waited * 2.0 >= self.longest_operation_ms)
    }
}

impl ControlReport {
    fn of(control: &Control) -> Self {
        let (worst, windows) = (control.worst(), control.by_window(WINDOW_NS));
        Self {
            rounds: control.rounds(),
            late_max_ms: milliseconds(worst.late_ns),
            write_max_ms: milliseconds(worst.write_ns),
            lost_ms: milliseconds(worst.lost_ns),
            window_ms: WINDOW_NS / 1_000_000,
            late_ns: windows.iter().map(|met| met.late_ns).collect(),
            write_ns: windows.iter().map(|met| met.write_ns).collect(),
            lost_ns: windows.iter().map(|met| met.lost_ns).collect(),
        }
    }

    /// The worst of lateness, write and time lost, with so many windows taken together.
    pub(crate) fn worst_ns(&self, together: usize) -> Vec<u64> {
        let windows = self.late_ns.iter().zip(&self.write_ns).zip(&self.lost_ns);
        let worst: Vec<u64> = windows.map(|((late, write), lost)| *late.max(write).max(lost)).collect();
        worst.chunks(together).map(|part| part.iter().copied().max().unwrap_or(0)).collect()
    }
}

fn judged(thread: &str, stall: &Stall, control: &Control) -> JudgedStall {
    let met = stall.around(control);
    JudgedStall {
        thread: thread.to_owned(),
        begin_seconds: seconds(stall.begin_ns),
        length_ms: milliseconds(stall.end_ns - stall.begin_ns),
        worst_latency_ms: milliseconds(stall.worst_ns),
        late_operations: stall.operations,
        longest_operation_ms: milliseconds(stall.longest_ns()),
        ran_ms: stall.spent.map(|spent| milliseconds(spent.ran_ns)),
        waited_for_processor_ms: stall.spent.map(|spent| milliseconds(spent.waited_ns)),
        control_late_ms: milliseconds(met.late_ns),
        control_write_ms: milliseconds(met.write_ns),
        control_lost_ms: milliseconds(met.lost_ns),
        met_by_control: is_the_machines(stall.worst_ns, met.worst_ns()),
    }
}

fn milliseconds(ns: u64) -> f64 {
    ns as f64 / 1e6
}
