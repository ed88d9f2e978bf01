//! Writes at a given rate, for long.

use super::{Bench, Done, Job};
use crate::{check, engine::Engine, pacing::open_loop};
use anyhow::Result;

/// Inserts keys that are there, drawn at random, each with a new value, when they are due. The draws begin as those of `overwrite` do
/// and never begin anew: the same keys in the same order again and again would be no random writes.
pub(super) fn overwrite<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, .. } = bench;
    Box::new(move || {
        let (mut keys, mut draws) = (rows.key_maker(), rows.draws(0));
        let looped = open_loop(bench.pace(), || {
            let index = draws.draw();
            engine.insert((keys.present(index), rows.new_value(index)))
        })?;
        let writes = looped.operations;
        let check = move || -> Result<()> {
            let (mut is_written, mut draws) = (vec![false; rows.keys as usize], rows.draws(0));
            (0..writes).for_each(|_| is_written[draws.draw() as usize] = true);
            let value = |index: u64| if is_written[index as usize] { rows.new_value(index) } else { rows.value(index) };
            check::all(*engine, rows, rows.keys, value)
        };
        Ok(Done { looped, writes, check: Box::new(check) })
    })
}

#[cfg(test)]
mod tests {
    use crate::{
        engine::Name,
        measurement::Measurement,
        report::{self, Report},
        run::Task,
        settings::Settings,
        workload::Workload,
    };
    use clap::Parser;
    use sediment_bench::machine::Host;

    const RATE: u64 = 20_000;
    const SECONDS: f64 = 0.1;
    const DUE: u64 = 2_000;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        settings: Settings,
    }

    fn paced(engine: Name) -> Measurement {
        let (rate, seconds) = (RATE.to_string(), SECONDS.to_string());
        let typed = ["test", "--keys", "1000", "--quiet", "0.1", "--rate", &rate, "--seconds", &seconds];
        let place = tempfile::tempdir().expect("there is room for a directory");
        let settings = Typed::parse_from(typed).settings;
        let task = Task { engine, workload: Workload::Paced, settings, dir: place.path().join("db") };
        task.run().expect("everything is there that was written")
    }

    #[test]
    fn every_write_that_is_due_is_done_or_missed_and_has_two_times() {
        let measurements: Vec<Measurement> = [Name::Sediment, Name::Rocksdb, Name::RocksdbPinned].map(paced).into();
        for one in &measurements {
            assert_eq!(one.operations + one.missed, DUE);
            assert_eq!((one.writes, one.user_bytes_written), (one.operations, one.operations * 116));
            assert!(one.seconds >= SECONDS && one.cpu_seconds > 0.0 && one.disk_bytes > 0);
            let (latency, call) = (one.latency.expect("they are timed"), one.call.expect("they are timed"));
            assert!(call.max_ns <= latency.max_ns && call.p50_ns <= latency.p50_ns, "{one:?}");
        }
        let place = tempfile::tempdir().expect("there is room for a directory");
        let text = report::markdown(&Report { host: Host::here(place.path()).into(), measurements });
        assert!(text.contains("Latency of the call alone: 999 of 1000 are below"), "{text}");
        assert!(!text.contains("Time of an operation;"), "the time between two writes is no engine's: {text}");
    }
}
