//! One workload on one engine, in this process.

use crate::{
    check,
    drain::drain,
    engine::{Configuration, Coordinode, Engine, Fjall, Lmdb, Name, Null, Redb, RocksDb, Sediment, View},
    looping::Looped,
    measurement::{Measurement, Percentiles},
    meter::{Meter, Taken, cpu_ns},
    rows::Rows,
    settings::{Durability, Settings},
    workload::{Bench, Start, Workload},
};
use anyhow::{Context, Result, ensure};
use sediment_bench::{files, latency::Recorder, machine::anonymous_bytes};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// How often a database is opened.
const REOPENINGS: u64 = 10;

/// What to do.
pub(crate) struct Task {
    pub(crate) engine: Name,
    pub(crate) workload: Workload,
    pub(crate) settings: Settings,
    /// The database: filled already, if the workload wants that and the directory is there.
    pub(crate) dir: PathBuf,
}

impl Task {
    /// Does it.
    pub(crate) fn run(&self) -> Result<Measurement> {
        match self.engine {
            Name::Sediment => self.run_on::<Sediment>(),
            Name::Rocksdb | Name::RocksdbPinned => self.run_on::<RocksDb>(),
            Name::Fjall => self.run_on::<Fjall>(),
            Name::Coordinode => self.run_on::<Coordinode>(),
            Name::Redb => self.run_on::<Redb>(),
            Name::Lmdb => self.run_on::<Lmdb>(),
            Name::Null => self.run_on::<Null>(),
        }
    }

    /// Makes a database with every key, and ends.
    pub(crate) fn fill(&self) -> Result<()> {
        match self.engine {
            Name::Sediment => self.filled::<Sediment>(),
            Name::Rocksdb | Name::RocksdbPinned => self.filled::<RocksDb>(),
            Name::Fjall => self.filled::<Fjall>(),
            Name::Coordinode => self.filled::<Coordinode>(),
            Name::Redb => self.filled::<Redb>(),
            Name::Lmdb => self.filled::<Lmdb>(),
            Name::Null => self.filled::<Null>(),
        }
    }

    fn configuration(&self, settings: &Settings, durability: Durability) -> Configuration {
        let Settings { keys, memory, compression, space: saves_space, .. } = *settings;
        Configuration {
            name: self.engine,
            purpose: self.workload.purpose(),
            keys,
            memory,
            durability,
            compression,
            saves_space,
        }
    }

    fn durability(&self) -> Durability {
        self.settings.durability.unwrap_or(self.workload.durability())
    }

    /// A database with every key, drained and closed.
    fn filled<E: Engine>(&self) -> Result<()> {
        // Filled with the memory that all workloads have: a small cache is no reason for other tables.
        let settings = Settings { memory: self.settings.memory, ..self.workload.settings(&self.settings) };
        std::fs::create_dir_all(&self.dir)?;
        let engine = E::open(&self.dir, &self.configuration(&settings, Durability::Os))?;
        let rows = Rows::new(&settings)?;
        let bench = Bench { engine: &engine, rows: &rows, settings: &settings, workload: Workload::Fillrandom };
        measure(&bench, &self.dir)?;
        engine.close()
    }

    fn run_on<E: Engine>(&self) -> Result<Measurement> {
        let settings = self.workload.settings(&self.settings);
        ensure!(settings.keys >= 1000, "too few keys");
        ensure!(self.workload.is_offered_by(self.engine), "not offered");
        let start = self.workload.start();
        if start != Start::Empty && !self.dir.exists() {
            self.filled::<E>().context("while filling")?;
        }
        std::fs::create_dir_all(&self.dir)?;
        if self.workload == Workload::Readcold {
            files::forget(&self.dir)?;
        }
        if self.workload == Workload::Reopen {
            return self.reopen::<E>(&settings);
        }
        let rows = Rows::new(&settings)?;
        let before = anonymous_bytes();
        let engine = E::open(&self.dir, &self.configuration(&settings, self.durability()))?;
        if self.workload.is_warm() {
            warm(&engine, &rows)?;
        }
        let bench = Bench { engine: &engine, rows: &rows, settings: &settings, workload: self.workload };
        let outcome = measure(&bench, &self.dir).with_context(|| format!("on {}", self.engine.typed()))?;
        engine.close()?;
        let Outcome { looped, writes, drain_seconds, disk_bytes, taken } = outcome;
        Ok(Measurement {
            operations: looped.operations,
            seconds: looped.seconds,
            drain_seconds,
            writes,
            user_bytes_written: writes * rows.row_bytes(),
            disk_bytes,
            latency: looped.latencies().map(Percentiles::from),
            call: looped.calls().map(Percentiles::from),
            missed: looped.missed,
            parts: looped.parts,
            ..self.measurement(taken, before)
        })
    }

    /// Opens, gets one key, closes, again and again; opening and the get are what is measured.
    fn reopen<E: Engine>(&self, settings: &Settings) -> Result<Measurement> {
        let (rows, before) = (Rows::new(settings)?, anonymous_bytes());
        let (order, mut keys, mut recorder) = (rows.drawn(0), rows.key_maker(), Recorder::new());
        let (mut seconds, mut cpu_seconds, meter) = (0.0, 0.0, Meter::start());
        for round in 0..REOPENINGS {
            let index = u64::from(order[round as usize]);
            let (begin, cpu_before, mut is_right) = (Instant::now(), cpu_ns(), false);
            let engine = E::open(&self.dir, &self.configuration(settings, self.durability()))?;
            engine.view()?.get(keys.present(index), |value| is_right = value == rows.value(index))?;
            let taken = begin.elapsed();
            cpu_seconds += (cpu_ns() - cpu_before) as f64 / 1e9;
            seconds += taken.as_secs_f64();
            recorder.record(0, taken.as_nanos() as u64, 1);
            meter.glance();
            ensure!(is_right || !E::ANSWERS, "key {index} is not what was written");
            engine.close()?;
        }
        let measurement = self.measurement(meter.finish(), before);
        Ok(Measurement {
            operations: REOPENINGS,
            seconds,
            cpu_seconds,
            disk_bytes: files::occupied(&self.dir)?,
            latency: Some(recorder.latencies().into()),
            ..measurement
        })
    }

    fn measurement(&self, taken: Taken, anonymous_before: Option<u64>) -> Measurement {
        Measurement {
            engine: self.engine,
            workload: self.workload,
            round: 0,
            settings: self.settings.clone(),
            durability: self.durability(),
            threads: self.workload.threads(),
            operations: 0,
            seconds: 0.0,
            drain_seconds: 0.0,
            cpu_seconds: taken.cpu_ns as f64 / 1e9,
            writes: 0,
            user_bytes_written: 0,
            disk_bytes_written: taken.written_bytes,
            disk_bytes: 0,
            anonymous_bytes: taken.anonymous_bytes.zip(anonymous_before).map(|(max, before)| max.saturating_sub(before)),
            others_cores: taken.others_cores,
            latency: None,
            call: None,
            missed: 0,
            parts: Vec::new(),
        }
    }
}

/// What came of a workload on an open engine.
struct Outcome {
    looped: Looped,
    writes: u64,
    drain_seconds: f64,
    disk_bytes: u64,
    taken: Taken,
}

/// Prepares, measures, and verifies when nothing is measured any more.
fn measure<E: Engine>(bench: &Bench<'_, E>, dir: &Path) -> Result<Outcome> {
    let job = bench.prepare();
    let meter = Meter::start();
    let (done, drain_seconds) = meter.watch(|| -> Result<_> {
        let done = job()?;
        let drain_seconds = if bench.workload.writes() { drain(bench.engine, bench.settings.quiet)? } else { 0.0 };
        Ok((done, drain_seconds))
    })?;
    let (taken, disk_bytes) = (meter.finish(), files::occupied(dir)?);
    (done.check)()?;
    Ok(Outcome { looped: done.looped, writes: done.writes, drain_seconds, disk_bytes, taken })
}

/// Reads everything twice: in order, and key by key.
fn warm<E: Engine>(engine: &E, rows: &Rows) -> Result<()> {
    check::all(engine, rows, rows.keys, |index| rows.value(index))?;
    let (view, mut keys) = (engine.view()?, rows.key_maker());
    for index in rows.shuffled() {
        ensure!(view.get(keys.present(u64::from(index)), |_| ())?, "key {index} is missing");
    }
    Ok(())
}
