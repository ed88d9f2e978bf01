//! The crash sweep: every disk that a crash could leave, at every call of a recorded script, must open and hold what was promised.
//!
//! For each image: the store opens with default options; its contents are a prefix of the commits that ends no earlier than the
//! newest one promised (to power loss, or, where only the process died, to that); ten more keys can be written and synced; they
//! and the prefix survive the next crash, too; and every stored byte verifies. Every so many images, the recovery itself is
//! swept as if it were a script.

#[cfg(test)]
pub(crate) mod log_store;
#[cfg(test)]
mod tests;

use crate::{
    model::{Contents, Moment},
    ops::Op,
    run::{DIR, Failure, Life, Runner, describe_recovered, guarded},
    seed::mix,
    store::{Level, Store, Value, Write},
    world::World,
};
use sediment_base::{Error, Result};
use sediment_env::{
    MemFs,
    fs::{CrashPlan, History, ImageName, Rule, Variant},
};
use std::{fmt, ops::RangeInclusive, path::Path};

/// How thorough a sweep is.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Which images of each point.
    pub plan: CrashPlan,
    /// The recovery of every so-manieth image is swept, too; 0 for none.
    pub compound_every: u64,
    /// Only every so-manieth image is opened; 1 for all.
    pub stride: u64,
    /// Only points within so many calls of one whose description contains this text; for long scripts made for one event.
    pub near: Option<(String, usize)>,
    /// Stop after so many failures.
    pub failures_max: usize,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { plan: CrashPlan::ci(), compound_every: 50, stride: 1, near: None, failures_max: 1 }
    }
}

impl Sweep {
    fn points(&self, history: &History) -> Vec<usize> {
        let all = history.points();
        let Some((text, reach)) = &self.near else { return all.collect() };
        let events = all.clone().filter(|point| history.describe(*point).contains(text.as_str()));
        let events: Vec<usize> = events.collect();
        all.filter(|point| events.iter().any(|event| event.abs_diff(*point) <= *reach)).collect()
    }
}

/// What a sweep saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Images that were opened, those of recoveries included.
    pub images: u64,
    /// Those of recoveries alone.
    pub compound: u64,
    /// Points at which the script was stopped.
    pub points: u64,
    /// What went wrong, each with the name of its image.
    pub failures: Vec<String>,
}

impl Seen {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.images += other.images;
        self.compound += other.compound;
        self.points += other.points;
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, compound, points, failures } = self;
        write!(f, "{images} images ({compound} of crashes in recovery) at {points} points, {} failures", failures.len())
    }
}

/// Runs a script on a recorded disk. The script itself must run without a difference.
pub fn record<S: Store>(ops: &[Op], settings: &S::Settings, seed: u64) -> Result<Vec<Life>, String> {
    let mut runner = Runner::<S>::recorded(seed, settings.clone()).map_err(|failure| failure.to_string())?;
    for op in ops {
        runner.apply(op).map_err(|failure| format!("while recording, `{op}`: {failure}"))?;
    }
    Ok(runner.finish())
}

/// Sweeps every life of a recorded script.
pub fn sweep<S: Store>(lives: &[Life], settings: &S::Settings, sweep: &Sweep) -> Seen {
    let mut sweeper = Sweeper::<S> { settings, sweep, seen: Seen::default(), visited: 0, life: 0 };
    for (number, life) in lives.iter().enumerate() {
        sweeper.life = number;
        for point in sweep.points(&life.history) {
            if sweeper.seen.failures.len() >= sweep.failures_max {
                return sweeper.seen;
            }
            sweeper.point(life, point);
        }
    }
    sweeper.seen
}

/// Sweeps one point of one life.
pub fn sweep_point<S: Store>(life: &Life, point: usize, settings: &S::Settings, sweep: &Sweep) -> Seen {
    let mut sweeper = Sweeper::<S> { settings, sweep, seen: Seen::default(), visited: 0, life: 0 };
    sweeper.point(life, point);
    sweeper.seen
}

/// Opens one image again, as from the name that a failure printed, and sweeps its recovery.
pub fn check_image<S: Store>(life: &Life, settings: &S::Settings, name: &ImageName) -> Seen {
    let sweep = Sweep { compound_every: 1, ..Sweep::default() };
    let mut sweeper = Sweeper::<S> { settings, sweep: &sweep, seen: Seen::default(), visited: 0, life: 0 };
    match life.history.image(name) {
        Some(disk) => sweeper.image(life, name, &disk),
        None => sweeper.fail(name, "the history has no such point"),
    }
    sweeper.seen
}

/// What an image must hold.
struct Due<'a> {
    life: &'a Life,
    moments: RangeInclusive<Moment>,
}

impl<'a> Due<'a> {
    /// After a crash at this point, in which the machine outlived the process or did not.
    fn new(life: &'a Life, point: usize, killed: bool) -> Self {
        let mark = life.mark(point);
        let promised = if killed { mark.promised.os } else { mark.promised.sync };
        Self { life, moments: promised..=mark.issued.min(life.model.now()) }
    }

    fn check(&self, contents: &Contents) -> Result<Moment, Failure> {
        let found = self.life.model.find(contents, self.moments.clone());
        found.ok_or_else(|| Failure::Wrong(describe_recovered(contents, &self.life.model, *self.moments.start())))
    }
}

struct Sweeper<'a, S: Store> {
    settings: &'a S::Settings,
    sweep: &'a Sweep,
    seen: Seen,
    visited: u64,
    life: usize,
}

impl<S: Store> Sweeper<'_, S> {
    fn point(&mut self, life: &Life, point: usize) {
        self.seen.points += 1;
        let plan = CrashPlan { seed: mix(point as u64), ..self.sweep.plan.clone() };
        life.history.for_each_image(point, &plan, &mut |name, disk| {
            self.visited += 1;
            if self.visited.is_multiple_of(self.sweep.stride) && self.seen.failures.len() < self.sweep.failures_max {
                self.image(life, name, &disk);
            }
        });
    }

    fn image(&mut self, life: &Life, name: &ImageName, disk: &MemFs) {
        self.seen.images += 1;
        let due = Due::new(life, name.point, name.variant == Variant::Killed);
        let seed = seed_of(name);
        disk.record();
        match guarded(|| recover::<S>(disk, self.settings, &due, seed)) {
            Err(failure) => self.fail(name, &failure.to_string()),
            Ok(recovery_end) => {
                let every = self.sweep.compound_every;
                if every > 0 && self.seen.images.is_multiple_of(every) {
                    self.crash_in_recovery(life, name, disk, recovery_end);
                }
            }
        }
    }

    /// Sweeps what the recovery itself did to the disk.
    fn crash_in_recovery(&mut self, life: &Life, name: &ImageName, disk: &MemFs, recovery_end: usize) {
        let history = disk.history();
        let first = *history.points().start();
        for point in first..=recovery_end {
            let plan = CrashPlan { subsets: 2, cuts: 4, seed: mix(point as u64), ..self.sweep.plan.clone() };
            history.for_each_image(point, &plan, &mut |inner, disk| {
                if self.seen.failures.len() >= self.sweep.failures_max {
                    return;
                }
                self.seen.images += 1;
                self.seen.compound += 1;
                disk.record();
                let killed = name.variant == Variant::Killed && inner.variant == Variant::Killed;
                let due = Due::new(life, name.point, killed);
                if let Err(failure) = guarded(|| recover::<S>(&disk, self.settings, &due, seed_of(inner))) {
                    self.fail(name, &format!("then {inner} ({}): {failure}", last_call(&history, inner)));
                }
            });
        }
    }

    fn fail(&mut self, name: &ImageName, text: &str) {
        self.seen.failures.push(format!("image {}/{name}: {text}", self.life));
    }
}

/// The same for the same name, so that a failure repeats.
fn seed_of(name: &ImageName) -> u64 {
    name.to_string().bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)))
}

fn last_call(history: &History, name: &ImageName) -> String {
    name.point.checked_sub(1).map_or("nothing".into(), |op| history.describe(op))
}

/// Recovers a disk, checks it, works on it, crashes it once more, and checks again. Returns how many calls the recovery took.
fn recover<S: Store>(disk: &MemFs, settings: &S::Settings, due: &Due<'_>, seed: u64) -> Result<usize, Failure> {
    let during = |what: &'static str| move |error: Error| Failure::Refused(error.context(what));
    let open = |world: &World| S::open(&world.env, Path::new(DIR), settings);
    let world = World::new(disk.clone(), seed);
    let mut store = open(&world).map_err(during("opening"))?;
    let mut contents = Contents::read(&store).map_err(during("reading"))?;
    due.check(&contents)?;
    let recovery_end = disk.op_count();
    world.turn();
    work(&mut store, &mut contents, &world, seed).map_err(during("writing ten more keys"))?;
    // By turns a clean close, the death of the process, and power loss with nothing kept that was not synced.
    let variant = match seed % 3 {
        0 => None,
        1 => Some(Variant::Killed),
        _ => Some(Variant::SyncedOnly),
    };
    let disk = match variant {
        None => {
            store.close().map_err(during("closing"))?;
            disk.clone()
        }
        Some(variant) => {
            let name = ImageName { point: disk.op_count(), rule: Rule::PosixStrict, variant };
            let next = disk.history().image(&name).expect("a crash after the last call");
            drop(store);
            next
        }
    };
    let store = open(&World::new(disk, mix(seed))).map_err(during("opening once more"))?;
    let found = Contents::read(&store).map_err(during("reading once more"))?;
    let differences = found.differences(&contents);
    if let Some(difference) = differences.first() {
        let text = format!("after more work and another crash, {} differences: {difference}", differences.len());
        return Err(Failure::Wrong(text));
    }
    store.verify().map_err(during("verifying"))?;
    Ok(recovery_end)
}

/// Writes ten keys and syncs them: a recovered store must also work.
fn work<S: Store>(store: &mut S, contents: &mut Contents, world: &World, seed: u64) -> Result<()> {
    let keyspace = match contents.0.keys().next() {
        Some(name) => name.clone(),
        None => {
            store.create_keyspace("after")?;
            contents.0.insert("after".into(), Default::default());
            "after".into()
        }
    };
    for index in 0..10 {
        let value = Value { tag: seed ^ index, len: 20 };
        let key = format!("after:{index}").into_bytes();
        let level = if index == 9 { Level::Sync } else { Level::Os };
        let write = Write::insert(keyspace.clone(), key.clone(), value);
        store.write(&[write], level)?;
        world.turn();
        contents.0.get_mut(&keyspace).expect("it is there").insert(key, value.bytes());
    }
    Ok(())
}
