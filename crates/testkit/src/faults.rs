//! Injected faults: any call of the file system may fail, once or from then on, and an application goes on as applications do.
//!
//! A trial arms one fault, runs a script, and plays an application that tries again, reopens, and at last mends the disk.
//! Whatever happens, no answer may be wrong and nothing acknowledged may be missing; a mended disk opens; and when the power goes
//! after the last operation, what is found is a prefix that contains every commit promised to that.

#[cfg(test)]
mod tests;

use crate::{
    crash::{Sweep, sweep_point},
    model::Moment,
    ops::Op,
    run::{Failure, Life, Runner, guarded},
    seed::mix,
    store::Store,
    world::World,
};
use sediment_base::ErrorKind;
use sediment_env::{
    MemFs,
    fs::{CrashPlan, Fault, FaultFs, FaultRule, Rule},
};
use std::{fmt, sync::Arc};

/// One fault to run a script under.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What fails, where.
    pub rule: FaultRule,
    /// Seed of the simulated world.
    pub seed: u64,
}

/// What a row of trials saw.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Trials in which something was injected.
    pub trials: u64,
    /// Crash images of their ends.
    pub images: u64,
    /// How often an operation was refused.
    pub refusals: u64,
    /// How often the store was opened again.
    pub reopens: u64,
    /// What went wrong.
    pub failures: Vec<String>,
}

impl Tried {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.trials += other.trials;
        self.images += other.images;
        self.refusals += other.refusals;
        self.reopens += other.reopens;
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trials, images, refusals, reopens, failures } = self;
        write!(f, "{trials} faults, {refusals} refusals, {reopens} reopens, {images} images, {} failures", failures.len())
    }
}

/// The faults of one kind, one place after another.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What fails.
    pub fault: Fault,
    /// From its place on, until the application mends the disk.
    pub sticky: bool,
    /// Only every so-manieth place.
    pub stride: u64,
}

impl Row {
    fn rule(&self, place: u64) -> FaultRule {
        let rule = match self.fault {
            Fault::NoSpace { .. } => FaultRule::nth(0, Fault::NoSpace { after_bytes: place * 61 }),
            fault => FaultRule::nth(place, fault),
        };
        if self.sticky { rule.sticky() } else { rule }
    }
}

/// Every row that RELIABILITY asks for: once and sticky.
pub fn rows(stride: u64) -> Vec<Row> {
    let faults = [
        Fault::Eio,
        Fault::PartialWrite,
        Fault::SyncLost,
        Fault::NoSpace { after_bytes: 0 },
        Fault::ShortRead,
        Fault::ShortWrite,
    ];
    let rows = faults.iter().flat_map(|&fault| [false, true].map(|sticky| Row { fault, sticky, stride }));
    rows.collect()
}

/// Runs a script with the fault at its first place, its second, and so on until it no longer strikes.
pub fn try_row<S: Store>(ops: &[Op], settings: &S::Settings, row: &Row, seed: u64) -> Tried {
    let mut tried = Tried::default();
    for place in (mix(seed) % row.stride..).step_by(row.stride as usize) {
        let trial = Trial { rule: row.rule(place), seed };
        let (one, struck) = try_one::<S>(ops, settings, &trial);
        tried.add(one);
        if !struck || !tried.failures.is_empty() {
            break;
        }
    }
    tried
}

/// Runs a script under one fault; says also whether the fault struck.
pub fn try_one<S: Store>(ops: &[Op], settings: &S::Settings, trial: &Trial) -> (Tried, bool) {
    let disk = MemFs::new();
    disk.record();
    let faults = FaultFs::new(Arc::new(disk.clone()));
    let world = World::new(disk.clone(), trial.seed).with_fs(Arc::new(faults.clone()));
    let runner = Runner::<S>::closed(disk.clone(), world, settings.clone());
    faults.arm(trial.rule.clone());
    let mut tried = Tried::default();
    let application = Application { runner, faults: &faults, tried: &mut tried, since: 0 };
    // Whoever lets go of a store hears of its threads that panicked.
    let outcome = guarded(|| Ok(application.run(ops, settings))).unwrap_or_else(|failure| Err(failure.to_string()));
    let injected = faults.injected();
    tried.trials = u64::from(!injected.is_empty());
    if let Err(text) = outcome {
        let first: Vec<_> = injected.iter().take(3).cloned().collect();
        tried.failures.push(format!("{:?} ({}): {text}", trial.rule, first.join("; ")));
    }
    (tried, !injected.is_empty())
}

/// What the power could leave after the last operation, and at two moments since the store was last opened.
fn power_loss<S: Store>(life: &Life, settings: &S::Settings, since: usize, tried: &mut Tried) -> Result<(), String> {
    let plan = CrashPlan { rules: vec![Rule::PosixStrict], singles_back: 2, subsets: 2, cuts: 1, ..CrashPlan::ci() };
    let sweep = Sweep { plan, compound_every: 0, ..Sweep::default() };
    let end = *life.history.points().end();
    let mut points = vec![since + (end - since) / 3, since + (end - since) * 2 / 3, end];
    points.dedup();
    for point in points {
        let seen = sweep_point::<S>(life, point, settings, &sweep);
        tried.images += seen.images;
        if let Some(failure) = seen.failures.first() {
            return Err(format!("power loss after call {point} of {end}: {failure}"));
        }
    }
    Ok(())
}

/// An application that does not give up.
struct Application<'a, S: Store> {
    runner: Runner<S>,
    faults: &'a FaultFs,
    tried: &'a mut Tried,
    /// How many calls the disk had seen when the store was last opened.
    since: usize,
}

/// After so many refusals in a row the disk is mended.
const PATIENCE: u32 = 3;

impl<S: Store> Application<'_, S> {
    /// Runs a script to its end, and then takes the power away.
    fn run(mut self, ops: &[Op], settings: &S::Settings) -> Result<(), String> {
        ops.iter().try_for_each(|op| self.perform(op).map_err(|failure| format!("`{op}`: {failure}")))?;
        self.end().map_err(|failure| format!("at the end: {failure}"))?;
        let lives = self.runner.finish();
        power_loss::<S>(lives.last().expect("a run has a life"), settings, self.since, self.tried)
    }

    fn perform(&mut self, op: &Op) -> Result<(), Failure> {
        for attempt in 0.. {
            let before = self.runner.model().now();
            let outcome = self.attempt(op);
            let Err(Failure::Refused(error)) = &outcome else { return outcome };
            self.tried.refusals += 1;
            if attempt > PATIENCE || error.kind() == ErrorKind::Corruption {
                return outcome;
            }
            self.react(op, before, attempt);
        }
        unreachable!("attempts end above")
    }

    fn attempt(&mut self, op: &Op) -> Result<(), Failure> {
        let runner = &mut self.runner;
        if !runner.is_open() {
            self.tried.reopens += 1;
            guarded(|| runner.restart())?;
            self.since = runner.calls();
        }
        guarded(|| runner.apply(op))
    }

    /// What an application does about a refusal: once it only tries again; then it opens again; in the end the disk is mended.
    fn react(&mut self, op: &Op, before: Moment, attempt: u32) {
        if self.runner.model().now() == before {
            self.runner.perhaps(op);
        }
        // Whether a keyspace was made or dropped is seen only after opening again.
        if attempt > 0 || op.is_of_catalog() {
            self.runner.let_go();
        }
        if attempt + 1 >= PATIENCE {
            self.faults.disarm();
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.faults.disarm();
        for op in [Op::Check, Op::Verify] {
            self.perform(&op)?;
        }
        Ok(())
    }
}
