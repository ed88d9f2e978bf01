//! Waiting until an engine has done what it put off.

use crate::{engine::Engine, meter::cpu_ns};
use anyhow::Result;
use std::{
    thread,
    time::{Duration, Instant},
};

/// How often to look whether an engine still works in the background.
const GLANCE: Duration = Duration::from_millis(50);
/// More processor time than this in a glance means that it does.
const IDLE_CPU_NS: u64 = 2_000_000;

/// Flushes, then waits until the process has used no processor for a while. Returns for how many seconds it did.
///
/// Engines are not asked whether they have work left, for what one calls work, another may not.
pub(crate) fn drain<E: Engine>(engine: &E, quiet: f64) -> Result<f64> {
    let begin = Instant::now();
    engine.flush()?;
    let (mut busy_until, mut cpu) = (begin.elapsed(), cpu_ns());
    while (begin.elapsed() - busy_until).as_secs_f64() < quiet {
        thread::sleep(GLANCE);
        let now = cpu_ns();
        if now - cpu > IDLE_CPU_NS {
            busy_until = begin.elapsed();
        }
        cpu = now;
    }
    Ok(busy_until.as_secs_f64())
}
