use super::{Sweep, record, sweep};
use crate::{
    model::{Change, Model, Moment},
    ops::{Generator, Mix, Op, parse, parse_script},
    seed::{Rng, mix},
    store::{Level, Span, Store, Write},
};
use sediment_base::{Error, Result, Slice};
use sediment_env::{Env, File, fs::is_not_found};
use std::{path::Path, sync::Arc};

/// A store that is one log of printed operations: small enough to be right, and to be wrong on purpose.
struct LogStore {
    log: Arc<dyn File>,
    end: u64,
    model: Model,
    mistake: Option<Mistake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    SkipsSync,
    SkipsDirectorySync,
    AppendsAfterTornTail,
    SplitsBatches,
}

const MISTAKES: [Mistake; 4] =
    [Mistake::SkipsSync, Mistake::SkipsDirectorySync, Mistake::AppendsAfterTornTail, Mistake::SplitsBatches];

fn check(bytes: &[u8]) -> u64 {
    bytes.iter().fold(7, |check, byte| mix(check ^ u64::from(*byte)))
}

impl LogStore {
    fn append(&mut self, op: &Op, level: Level) -> Result<()> {
        let text = op.to_string();
        let mut record = (text.len() as u64).to_le_bytes().to_vec();
        record.extend_from_slice(&(check(text.as_bytes()) ^ self.end).to_le_bytes());
        record.extend_from_slice(text.as_bytes());
        self.log.write_at(self.end, &record)?;
        self.end += record.len() as u64;
        self.apply(op);
        if level == Level::Sync && self.mistake != Some(Mistake::SkipsSync) {
            self.log.sync_all()?;
        }
        Ok(())
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Batch(writes, _) => self.model.commit(Change::Writes(writes)),
            Op::Create(name) => self.model.commit(Change::Create(name)),
            Op::Drop(name) => self.model.commit(Change::Drop(name)),
            Op::Clear(name) => self.model.commit(Change::Clear(name)),
            _ => {}
        }
    }

    fn replay(&mut self) -> Result<()> {
        let mut bytes = vec![0; self.log.len()? as usize];
        self.log.read_exact_at(0, &mut bytes)?;
        while let Some((op, len)) = self.record(&bytes[self.end as usize..]) {
            self.apply(&op);
            self.end += len;
        }
        match self.mistake {
            Some(Mistake::AppendsAfterTornTail) => self.end = bytes.len() as u64,
            _ => {
                self.log.set_len(self.end)?;
                self.log.sync_all()?;
            }
        }
        Ok(())
    }

    fn record(&self, bytes: &[u8]) -> Option<(Op, u64)> {
        let len = u64::from_le_bytes(*bytes.first_chunk()?);
        let text = bytes.get(16..)?.get(..usize::try_from(len).ok()?)?;
        let expected = (check(text) ^ self.end).to_le_bytes();
        if bytes[8..16] != expected {
            return None;
        }
        Some((parse(std::str::from_utf8(text).ok()?).ok()?, len + 16))
    }
}

impl Store for LogStore {
    type Settings = Option<Mistake>;
    type Snapshot = Moment;
    type Scan = std::vec::IntoIter<Result<(Slice, Slice)>>;

    fn open(env: &Env, dir: &Path, mistake: &Option<Mistake>) -> Result<Self> {
        let path = dir.join("log");
        if !env.fs.exists(dir)? {
            env.fs.create_dir(dir)?;
        }
        let mut old = match env.fs.open(&path) {
            Ok(log) => Some(log),
            Err(error) if is_not_found(&error) => None,
            Err(error) => return Err(error),
        };
        let log = match old.take() {
            // Files open for reading only; the simulated disk does not mind.
            Some(log) => log,
            None => env.fs.create(&path)?,
        };
        if *mistake != Some(Mistake::SkipsDirectorySync) {
            env.fs.sync_dir(dir)?;
            env.fs.sync_dir(Path::new("/"))?;
        }
        let mut store = Self { log, end: 0, model: Model::default(), mistake: *mistake };
        store.replay()?;
        Ok(store)
    }

    fn close(self) -> Result<()> {
        self.log.sync_all()
    }

    fn keyspaces(&self) -> Vec<String> {
        self.model.keyspaces(self.model.now())
    }

    fn create_keyspace(&mut self, name: &str) -> Result<()> {
        self.append(&Op::Create(name.into()), Level::Sync)
    }

    fn drop_keyspace(&mut self, name: &str) -> Result<()> {
        self.append(&Op::Drop(name.into()), Level::Sync)
    }

    fn clear_keyspace(&mut self, name: &str) -> Result<()> {
        self.append(&Op::Clear(name.into()), Level::Sync)
    }

    fn write(&mut self, writes: &[Write], level: Level) -> Result<()> {
        if self.mistake == Some(Mistake::SplitsBatches) {
            return writes.iter().try_for_each(|write| self.append(&Op::Batch(vec![write.clone()], level), level));
        }
        self.append(&Op::Batch(writes.to_vec(), level), level)
    }

    fn get(&self, keyspace: &str, key: &[u8], at: Option<&Moment>) -> Result<Option<Slice>> {
        let at = at.copied().unwrap_or(self.model.now());
        Ok(self.model.get(keyspace, key, at).map(|value| value.bytes().into()))
    }

    fn scan(&self, keyspace: &str, span: &Span, at: Option<&Moment>) -> Result<Self::Scan> {
        let at = at.copied().unwrap_or(self.model.now());
        let pairs = self.model.scan(keyspace, span, at).into_iter();
        let pairs: Vec<_> = pairs.map(|(key, value)| Ok((key.into(), value.bytes().into()))).collect();
        Ok(pairs.into_iter())
    }

    fn snapshot(&self) -> Moment {
        self.model.now()
    }

    fn flush(&mut self) -> Result<()> {
        self.log.sync_all()
    }

    fn compact(&mut self) -> Result<()> {
        Ok(())
    }

    fn persist(&mut self, _level: Level) -> Result<()> {
        self.log.sync_all()
    }

    fn verify(&self) -> Result<()> {
        match self.log.len()? == self.end {
            true => Ok(()),
            false => Err(Error::corruption("bytes behind the end")),
        }
    }
}

const SCRIPT: &str = "
create a
insert sync a one 1x40
insert os a two 2x3000
create b
batch os a+one=3x9 b+one=4x600 a-two
kill
insert sync b two 5x20
insert memory a three 6x20
powerloss 3
remove sync a one
clear b
reopen
insert os b four 7x700
";

#[test]
fn a_right_store_survives_every_image() {
    let lives = record::<LogStore>(&parse_script(SCRIPT).expect("good"), &None, 1).expect("runs");
    assert_eq!(lives.len(), 3);
    let seen = sweep::<LogStore>(&lives, &None, &Sweep { compound_every: 5, failures_max: 5, ..Sweep::default() });
    assert!(seen.failures.is_empty(), "{seen}:\n{}", seen.failures.join("\n"));
    assert!(seen.images > 500 && seen.compound > 100, "{seen}");
}

#[test]
fn every_mistake_is_caught() {
    for mistake in MISTAKES {
        let settings = Some(mistake);
        let ops = parse_script(SCRIPT).expect("good");
        let caught = match record::<LogStore>(&ops, &settings, 1) {
            Err(text) => text,
            Ok(lives) => sweep::<LogStore>(&lives, &settings, &Sweep::default()).failures.concat(),
        };
        assert!(!caught.is_empty(), "{mistake:?} was not caught");
    }
}

#[test]
fn random_scripts_survive_as_well() {
    for seed in 0..3 {
        let mix = Mix { keys: 20, crash: 20, ..Mix::everything() };
        let mut generator = Generator::new(Rng::new(seed), mix);
        let ops: Vec<_> = [Op::Create("a".into())].into_iter().chain((0..60).map(|_| generator.next_op())).collect();
        let lives = record::<LogStore>(&ops, &None, seed).expect("runs");
        let seen = sweep::<LogStore>(&lives, &None, &Sweep::default());
        assert!(seen.failures.is_empty(), "seed {seed}, {seen}: {}", seen.failures.concat());
    }
}
