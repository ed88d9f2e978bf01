//! Runs operations against a store and the oracle side by side, and compares every answer.
//!
//! An operation that makes no sense where it stands (a write to a dropped keyspace, a step of a scan that is not open) does
//! nothing, so that any part of a list of operations is itself a list that can run: shrinking needs that.

#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;

use crate::{
    model::{Change, Contents, Model, Moment},
    ops::{Op, Walk, print_script},
    shrink::shrink,
    store::{Level, Span, Store, Value},
};
use sediment_base::{Error, ErrorKind, Slice};
use sediment_env::{Env, MemFs};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

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

/// What the store has acknowledged so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    /// The death of the process may not take this moment back.
    pub os: Moment,
    /// Power loss may not take this moment back.
    pub sync: Moment,
}

/// A store and its oracle, in step.
pub struct Runner<S: Store> {
    scans: BTreeMap<u32, OpenScan<S>>,
    snapshots: BTreeMap<u32, (S::Snapshot, Moment)>,
    store: Option<S>,
    env: Env,
    dir: PathBuf,
    settings: S::Settings,
    model: Model,
    promised: Promised,
}

struct OpenScan<S: Store> {
    scan: S::Scan,
    expected: VecDeque<(Vec<u8>, Value)>,
}

impl<S: Store> Runner<S> {
    /// Opens a new store in `dir`.
    pub fn new(env: Env, dir: &Path, settings: S::Settings) -> Result<Self, Failure> {
        let mut runner = Self {
            scans: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            store: None,
            env,
            dir: dir.to_path_buf(),
            settings,
            model: Model::default(),
            promised: Promised::default(),
        };
        runner.open()?;
        Ok(runner)
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
        match op {
            Op::Get { keyspace, key, at } => self.get(keyspace, key, *at)?,
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
            Op::Kill | Op::PowerLoss(_) => self.die()?,
            Op::Single(..) | Op::Batch(..) | Op::Create(_) | Op::Drop(_) | Op::Clear(_) => self.change(op)?,
        }
        if let Some(level) = op.promise() {
            self.promise(level);
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
            (_, Change::Create(name)) => store.create_keyspace(name)?,
            (_, Change::Drop(name)) => store.drop_keyspace(name)?,
            (_, Change::Clear(name)) => store.clear_keyspace(name)?,
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
            Op::Batch(writes, _) => Change::Writes(writes),
            Op::Create(name) => Change::Create(name),
            Op::Drop(name) => Change::Drop(name),
            Op::Clear(name) => Change::Clear(name),
            _ => return None,
        };
        let makes_sense = match change {
            Change::Writes(writes) => writes.iter().all(|write| has(&write.keyspace) && !write.key.is_empty()),
            Change::Create(name) => !has(name),
            Change::Drop(name) | Change::Clear(name) => has(name),
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
        if found.as_deref() == expected.map(Value::bytes).as_deref() {
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

    fn die(&mut self) -> Outcome {
        self.forget_handles();
        drop(self.store.take());
        self.open()?;
        self.recovered(self.promised.os)
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
        self.promised.os = self.promised.os.min(moment);
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
        self.store = Some(S::open(&self.env, &self.dir, &self.settings)?);
        Ok(())
    }

    fn store(&self) -> &S {
        self.store.as_ref().expect("open")
    }

    fn store_mut(&mut self) -> &mut S {
        self.store.as_mut().expect("open")
    }
}

impl<S: Store> OpenScan<S> {
    fn step(&mut self, front: bool) -> Outcome {
        let (found, expected) = match front {
            true => (self.scan.next(), self.expected.pop_front()),
            false => (self.scan.next_back(), self.expected.pop_back()),
        };
        let found = found.transpose()?;
        let same = match (&found, &expected) {
            (None, None) => true,
            (Some((key, value)), Some((expected_key, expected))) => **key == **expected_key && *value == expected.bytes()[..],
            _ => false,
        };
        if same {
            return Ok(());
        }
        let side = if front { "front" } else { "back" };
        let key = |key: Option<&[u8]>| key.map_or("the end".to_owned(), |key| key.escape_ascii().to_string());
        let expected_key = key(expected.as_ref().map(|(key, _)| key.as_slice()));
        let found_key = key(found.as_ref().map(|(key, _)| &**key));
        let (expected, found) = (shown(expected.map(|(_, value)| value)), Bytes(found.as_ref().map(|(_, value)| value)));
        let text = format!("scan, {side}: expected {expected_key}: {expected}, found {found_key}: {found}");
        Err(Failure::Wrong(text))
    }
}

/// Runs operations on a new simulated disk; the error says which one failed, and why. A panic is a failure.
pub fn check_ops<S: Store>(ops: &[Op], settings: &S::Settings, seed: u64) -> Result<(), String> {
    let env = Env::simulated(MemFs::new(), seed);
    let mut at = None;
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut runner = Runner::<S>::new(env, Path::new("db"), settings.clone())?;
        for (index, op) in ops.iter().enumerate() {
            at = Some(index);
            runner.apply(op)?;
        }
        at = None;
        runner.check()
    }));
    let place = at.map_or(String::new(), |index| format!("operation {index}, `{}`: ", ops[index]));
    match run {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(format!("{place}{failure}")),
        Err(panic) => Err(format!("{place}panic: {}", panic_text(&*panic))),
    }
}

/// The smallest part of a failing list that still fails, whatever the failure.
pub fn shrink_failure(ops: &[Op], fails: &mut dyn FnMut(&[Op]) -> Option<String>) -> Vec<Op> {
    shrink(ops, &mut |ops| fails(ops).is_some())
}

/// Runs operations, and where they fail, shrinks them and panics with a script that can be pasted into a test.
pub fn demand<S: Store>(ops: &[Op], settings: &S::Settings, seed: u64) {
    let mut fails = |ops: &[Op]| check_ops::<S>(ops, settings, seed).err();
    let Some(first) = fails(ops) else { return };
    eprintln!("seed {seed}: {first}\nshrinking {} operations ...", ops.len());
    let small = shrink_failure(ops, &mut fails);
    let reason = fails(&small).unwrap_or(first);
    panic!("seed {seed}, {settings:?}: {reason}\nscript:\n{}", print_script(&small));
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Says how contents differ from a moment, in a few lines.
pub fn describe(contents: &Contents, model: &Model, moment: Moment) -> String {
    let differences = contents.differences(&model.contents(moment));
    let shown: Vec<_> = differences.iter().take(6).map(|line| format!("\n  {line}")).collect();
    format!("{} differences from moment {moment}:{}", differences.len(), shown.concat())
}

/// Says why contents are no moment from `promised` on: the nearest moment before the promise or after, if there is one.
pub fn describe_recovered(contents: &Contents, model: &Model, promised: Moment) -> String {
    let now = model.now();
    match model.find(contents, 0..=now) {
        Some(moment) => format!(
            "lost: moment {promised} of {now} was promised, found moment {moment}; {}",
            describe(contents, model, promised)
        ),
        None => format!("no prefix of the commits ({promised} promised, {now} issued): {}", describe(contents, model, now)),
    }
}

fn shown(value: Option<Value>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string())
}

struct Bytes<'a>(Option<&'a Slice>);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.map(|slice| slice.to_vec());
        write!(f, "{}", crate::model::Short(bytes.as_ref()))
    }
}
