//! Runs operations against a store and the oracle side by side, and compares every answer.
//!
//! An operation that makes no sense where it stands (a write to a dropped keyspace, a step of a scan that is not open) does
//! nothing, so that any part of a list of operations is itself a list that can run: shrinking needs that.

mod answers;
mod demand;
mod life;
mod reads;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

pub use answers::{describe, describe_recovered};
pub use demand::{check_ops, demand, guarded, shrink_failure};
pub use life::{Life, Mark, Promised};

use crate::{
    model::{Change, Contents, Model, Moment},
    ops::{Op, Walk},
    seed::mix,
    store::{Level, Span, Store, Text},
    world::World,
};
use answers::{Bytes, OpenScan, shown};
use sediment_base::{Error, ErrorKind};
use sediment_env::{
    MemFs,
    fs::{CrashPlan, ImageName, Rule, Variant},
};
use std::{collections::BTreeMap, fmt, mem, path::Path};

/// Why a run stopped.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The store gave an answer that is not true.
    Wrong(String),
    /// The store refused what it should have done.
    Refused(Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(text) => f.write_str(text),
            Self::Refused(error) => write!(f, "unexpected error: {error}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

type Outcome = Result<(), Failure>;

/// Where in its file system every store under test lives.
pub const DIR: &str = "db";

/// A store and its oracle, in step.
pub struct Runner<S: Store> {
    scans: BTreeMap<u32, OpenScan<S>>,
    snapshots: BTreeMap<u32, (S::Snapshot, Moment)>,
    store: Option<S>,
    disk: MemFs,
    world: World,
    seed: u64,
    settings: S::Settings,
    model: Model,
    promised: Promised,
    marks: Vec<Mark>,
    lives: Option<Vec<Life>>,
}

impl<S: Store> Runner<S> {
    /// Opens a new store on a new simulated disk.
    pub fn new(seed: u64, settings: S::Settings) -> Result<Self, Failure> {
        Self::start(seed, settings, None)
    }

    /// The same, keeping what [`Runner::finish`] returns.
    pub fn recorded(seed: u64, settings: S::Settings) -> Result<Self, Failure> {
        Self::start(seed, settings, Some(Vec::new()))
    }

    fn start(seed: u64, settings: S::Settings, lives: Option<Vec<Life>>) -> Result<Self, Failure> {
        let disk = MemFs::new();
        disk.record();
        let mut runner = Self::closed(disk.clone(), World::new(disk, seed), settings);
        (runner.seed, runner.lives) = (seed, lives);
        runner.open()?;
        Ok(runner)
    }

    /// A run on a disk behind some other file system, with nothing open yet; its lives are kept.
    pub(crate) fn closed(disk: MemFs, world: World, settings: S::Settings) -> Self {
        Self {
            scans: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            store: None,
            disk,
            world,
            seed: 0,
            settings,
            model: Model::default(),
            promised: Promised::default(),
            marks: vec![Mark::default()],
            lives: Some(Vec::new()),
        }
    }

    /// Whether a store is open.
    pub(crate) fn is_open(&self) -> bool {
        self.store.is_some()
    }

    /// Calls that the disk has seen.
    pub(crate) fn calls(&self) -> usize {
        self.disk.op_count()
    }

    /// Drops what is open, as it is.
    pub(crate) fn let_go(&mut self) {
        self.forget_handles();
        self.store = None;
    }

    /// Opens again on the same disk, and takes the oracle to what is found there.
    pub(crate) fn restart(&mut self) -> Outcome {
        self.let_go();
        self.open()?;
        let recovered = self.recovered(self.promised.os);
        if recovered.is_err() {
            self.let_go();
        }
        recovered
    }

    /// Notes that a commit that was refused may have happened all the same.
    pub(crate) fn perhaps(&mut self, op: &Op) {
        if let Some(change) = self.change_of(op) {
            self.model.commit(change);
            self.mark(self.model.now());
        }
    }

    /// Ends the run, leaving the store open as it dies, and returns its lives.
    pub fn finish(mut self) -> Vec<Life> {
        self.end_life();
        self.lives.take().unwrap_or_default()
    }

    /// The oracle.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What has been acknowledged.
    pub fn promised(&self) -> Promised {
        self.promised
    }

    /// Runs one operation and compares its answer.
    pub fn apply(&mut self, op: &Op) -> Outcome {
        if op.is_change() && self.change_of(op).is_none() {
            return Ok(());
        }
        self.mark(self.model.now() + 1);
        let outcome = self.run(op);
        if outcome.is_ok()
            && let Some(level) = op.promise()
        {
            self.promise(level);
        }
        self.mark(self.model.now());
        self.world.turn();
        outcome
    }

    fn run(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Get { keyspace, key, at } => self.get(keyspace, key, *at)?,
            Op::MultiGet { keyspace, keys, at } => self.multi_get(keyspace, keys, *at)?,
            Op::Moves { keyspace, moves, at } => self.moves(keyspace, moves, *at)?,
            Op::Parts { keyspace, span, parts, at } => self.parts(keyspace, span, *parts, *at)?,
            Op::Scan { keyspace, span, walk, at } => self.scan(keyspace, span, *walk, *at)?,
            Op::Snapshot(id) => {
                let pinned = (self.store().snapshot(), self.model.now());
                self.snapshots.insert(*id, pinned);
            }
            Op::Release(id) => drop(self.snapshots.remove(id)),
            Op::Cursor { id, keyspace, span, at } => self.open_scan(*id, keyspace, span, *at)?,
            Op::Step { id, walk, count } => self.step(*id, *walk, *count)?,
            Op::End(id) => drop(self.scans.remove(id)),
            Op::Flush => self.store_mut().flush()?,
            Op::Compact => self.store_mut().compact()?,
            Op::Persist(level) => self.store_mut().persist(*level)?,
            Op::Verify => self.store().verify()?,
            Op::Check => self.check()?,
            Op::Reopen => self.reopen()?,
            Op::Kill => self.kill()?,
            Op::PowerLoss(number) => self.lose_power(*number as usize)?,
            Op::Single(..) | Op::Batch(..) | Op::Ingest(_) | Op::Create(_) | Op::Drop(_) | Op::Clear(_) | Op::Configure(..) => {
                self.change(op)?
            }
        }
        Ok(())
    }

    /// Compares everything that is there with everything that should be.
    pub fn check(&self) -> Outcome {
        let contents = Contents::read(self.store())?;
        match self.model.find(&contents, self.model.now()..=self.model.now()) {
            Some(_) => Ok(()),
            None => Err(Failure::Wrong(describe(&contents, &self.model, self.model.now()))),
        }
    }

    fn change(&mut self, op: &Op) -> Outcome {
        let Some(change) = self.change_of(op) else { return Ok(()) };
        let store = self.store.as_mut().expect("open");
        match (op, change) {
            (Op::Single(write, level), _) => store.write(std::slice::from_ref(write), *level)?,
            (Op::Batch(writes, level), _) => store.write(writes, *level)?,
            (Op::Ingest(writes), _) => store.ingest(writes)?,
            (_, Change::Create(name)) => store.create_keyspace(name)?,
            (_, Change::Drop(name)) => store.drop_keyspace(name)?,
            (_, Change::Clear(name)) => store.clear_keyspace(name)?,
            (_, Change::Configure(name, seed)) => store.configure_keyspace(name, seed)?,
            (_, Change::Writes(_)) => {}
        }
        self.model.commit(change);
        Ok(())
    }

    /// The commit that an operation asks for; `None` where it asks for none or makes no sense here.
    fn change_of<'a>(&self, op: &'a Op) -> Option<Change<'a>> {
        let has = |name: &str| self.model.has_keyspace(name, self.model.now());
        let change = match op {
            Op::Single(write, _) => Change::Writes(std::slice::from_ref(write)),
            Op::Batch(writes, _) | Op::Ingest(writes) => Change::Writes(writes),
            Op::Create(name) => Change::Create(name),
            Op::Drop(name) => Change::Drop(name),
            Op::Clear(name) => Change::Clear(name),
            Op::Configure(name, seed) => Change::Configure(name, *seed),
            _ => return None,
        };
        let makes_sense = match change {
            Change::Writes(writes) => writes.iter().all(|write| has(&write.keyspace) && write.action.key() != Some(&[])),
            Change::Create(name) => !has(name),
            Change::Drop(name) | Change::Clear(name) | Change::Configure(name, _) => has(name),
        };
        makes_sense.then_some(change)
    }

    fn get(&self, keyspace: &str, key: &[u8], at: Option<u32>) -> Outcome {
        let Some((snapshot, moment)) = self.moment(keyspace, at) else { return Ok(()) };
        let found = match self.store().get(keyspace, key, snapshot) {
            Err(error) if key.is_empty() && error.kind() == ErrorKind::InvalidInput => return Ok(()),
            found => found?,
        };
        let expected = self.model.get(keyspace, key, moment);
        if found.as_deref() == expected.as_ref().map(Text::bytes).as_deref() {
            return Ok(());
        }
        let place = format!("get {keyspace}/{}", key.escape_ascii());
        Err(Failure::Wrong(format!("{place}: expected {}, found {}", shown(expected), Bytes(found.as_ref()))))
    }

    fn scan(&self, keyspace: &str, span: &Span, walk: Walk, at: Option<u32>) -> Outcome {
        let Some((snapshot, moment)) = self.moment(keyspace, at) else { return Ok(()) };
        let expected = self.model.scan(keyspace, span, moment);
        let steps = expected.len() + 1;
        let mut open = OpenScan::<S> { scan: self.store().scan(keyspace, span, snapshot)?, expected: expected.into() };
        (0..steps).try_for_each(|index| open.step(walk.is_front(index)))
    }

    fn open_scan(&mut self, id: u32, keyspace: &str, span: &Span, at: Option<u32>) -> Outcome {
        let Some((snapshot, moment)) = self.moment(keyspace, at) else { return Ok(()) };
        let expected = self.model.scan(keyspace, span, moment).into();
        let scan = self.store().scan(keyspace, span, snapshot)?;
        self.scans.insert(id, OpenScan { scan, expected });
        Ok(())
    }

    fn step(&mut self, id: u32, walk: Walk, count: u32) -> Outcome {
        let Some(open) = self.scans.get_mut(&id) else { return Ok(()) };
        (0..count as usize).try_for_each(|index| open.step(walk.is_front(index)))
    }

    /// What a read at this snapshot should see; `None` where the keyspace or the snapshot is not there.
    fn moment(&self, keyspace: &str, at: Option<u32>) -> Option<(Option<&S::Snapshot>, Moment)> {
        if !self.model.has_keyspace(keyspace, self.model.now()) {
            return None;
        }
        match at {
            None => Some((None, self.model.now())),
            Some(id) => self.snapshots.get(&id).map(|(snapshot, moment)| (Some(snapshot), *moment)),
        }
    }

    fn reopen(&mut self) -> Outcome {
        self.forget_handles();
        self.store.take().expect("open").close()?;
        self.open()?;
        self.check()
    }

    /// The process dies; the next one finds what the system has, synced or not.
    fn kill(&mut self) -> Outcome {
        let name = ImageName { point: self.disk.op_count(), rule: Rule::PosixStrict, variant: Variant::Killed };
        let disk = self.disk.history().image(&name).expect("a crash after the last call");
        self.live_again(disk, self.promised.os)
    }

    /// The power goes; one of the disks that this may leave is opened.
    fn lose_power(&mut self, number: usize) -> Outcome {
        let (history, point) = (self.disk.history(), self.disk.op_count());
        let plan = CrashPlan { seed: self.seed, ..CrashPlan::ci() };
        let mut names = Vec::new();
        history.for_each_image(point, &plan, &mut |name, _| names.push(*name));
        names.retain(|name| name.variant != Variant::Killed);
        let Some(name) = names.get(number % names.len().max(1)) else { return self.kill() };
        let disk = history.image(name).expect("named by this history");
        disk.record();
        self.live_again(disk, self.promised.sync)
    }

    fn live_again(&mut self, disk: MemFs, promised: Moment) -> Outcome {
        self.forget_handles();
        self.end_life();
        drop(self.store.take());
        self.seed = mix(self.seed);
        self.world = World::new(disk.clone(), self.seed);
        self.disk = disk;
        self.mark(self.model.now());
        self.open()?;
        self.recovered(promised)?;
        // Commits that the crash has lost are not to be found by crashes of this life.
        self.marks.iter_mut().for_each(|mark| {
            mark.issued = self.model.now();
            mark.promised = self.promised;
        });
        Ok(())
    }

    fn end_life(&mut self) {
        let marks = mem::take(&mut self.marks);
        if let Some(lives) = &mut self.lives {
            lives.push(Life { history: self.disk.history(), model: self.model.clone(), marks });
        }
    }

    fn mark(&mut self, issued: Moment) {
        let mark = Mark { at: self.disk.op_count(), issued, promised: self.promised };
        match self.marks.last_mut() {
            Some(last) if last.at == mark.at => *last = mark,
            _ if self.lives.is_none() => {}
            _ => self.marks.push(mark),
        }
    }

    /// Finds out which moment a recovered store shows, and takes the oracle back to it.
    fn recovered(&mut self, promised: Moment) -> Outcome {
        let contents = Contents::read(self.store())?;
        let moments = promised..=self.model.now();
        let Some(moment) = self.model.find(&contents, moments.clone()) else {
            let text = describe_recovered(&contents, &self.model, promised);
            return Err(Failure::Wrong(text));
        };
        self.model.roll_back(moment);
        self.promised.os = promised.min(self.promised.os);
        Ok(())
    }

    fn promise(&mut self, level: Level) {
        let now = self.model.now();
        if level >= Level::Os {
            self.promised.os = now;
        }
        if level >= Level::Sync {
            self.promised.sync = now;
        }
    }

    fn forget_handles(&mut self) {
        self.scans.clear();
        self.snapshots.clear();
    }

    fn open(&mut self) -> Outcome {
        self.store = Some(S::open(&self.world.env, Path::new(DIR), &self.settings)?);
        Ok(())
    }

    fn store(&self) -> &S {
        self.store.as_ref().expect("open")
    }

    fn store_mut(&mut self) -> &mut S {
        self.store.as_mut().expect("open")
    }
}
