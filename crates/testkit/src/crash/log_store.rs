//! A store that is one log of printed operations: small enough to be right, and to be wrong on purpose.

use crate::{
    model::{Change, Model, Moment},
    ops::{Op, parse},
    seed::mix,
    store::{Level, Span, Store, Write},
};
use sediment_base::{Error, ErrorKind, Result, Slice};
use sediment_env::{Env, File, atomic_file, fs::is_not_found};
use std::{path::Path, sync::Arc, thread};

/// The store.
pub(crate) struct LogStore {
    log: Arc<dyn File>,
    end: u64,
    model: Model,
    mistake: Option<Mistake>,
    poisoned: Option<Error>,
}

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    SkipsSync,
    SkipsDirectorySync,
    AppendsAfterTornTail,
    SplitsBatches,
    RetriesFailedSync,
    PanicsAtItsEnd,
}

pub(crate) const MISTAKES: [Mistake; 4] =
    [Mistake::SkipsSync, Mistake::SkipsDirectorySync, Mistake::AppendsAfterTornTail, Mistake::SplitsBatches];

fn check(bytes: &[u8]) -> u64 {
    bytes.iter().fold(7, |check, byte| mix(check ^ u64::from(*byte)))
}

impl LogStore {
    fn append(&mut self, op: &Op, level: Level) -> Result<()> {
        if let Some(cause) = &self.poisoned {
            return Err(cause.clone().with_kind(ErrorKind::Poisoned));
        }
        let appended = self.try_append(op, level);
        if self.mistake != Some(Mistake::RetriesFailedSync) {
            self.poisoned = appended.as_ref().err().cloned();
        }
        appended
    }

    fn sync(&mut self) -> Result<()> {
        if let Some(cause) = &self.poisoned {
            return Err(cause.clone().with_kind(ErrorKind::Poisoned));
        }
        let synced = self.log.sync_all();
        self.poisoned = synced.as_ref().err().cloned();
        synced
    }

    fn try_append(&mut self, op: &Op, level: Level) -> Result<()> {
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
            Op::Configure(name, seed) => self.model.commit(Change::Configure(name, *seed)),
            _ => {}
        }
    }

    fn replay(&mut self, env: &Env) -> Result<()> {
        let mut bytes = vec![0; self.log.len()? as usize];
        self.log.read_exact_at(0, &mut bytes)?;
        while let Some((op, len)) = self.record(&bytes[self.end as usize..]) {
            self.apply(&op);
            self.end += len;
        }
        if self.mistake == Some(Mistake::AppendsAfterTornTail) {
            self.end = bytes.len() as u64;
        } else {
            // What was read may never have reached the disk, and never will through this file.
            atomic_file::replace(&*env.fs, self.log.path(), &bytes[..self.end as usize])?;
            self.log = env.fs.open(self.log.path())?;
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

impl Drop for LogStore {
    fn drop(&mut self) {
        let panics = self.mistake == Some(Mistake::PanicsAtItsEnd) && self.poisoned.is_some() && !thread::panicking();
        assert!(!panics, "a thread of the store has panicked");
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
        let mut store = Self { log, end: 0, model: Model::default(), mistake: *mistake, poisoned: None };
        store.replay(env)?;
        Ok(store)
    }

    fn close(mut self) -> Result<()> {
        self.sync()
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

    fn configure_keyspace(&mut self, name: &str, seed: u32) -> Result<()> {
        self.append(&Op::Configure(name.into(), seed), Level::Sync)
    }

    fn write(&mut self, writes: &[Write], level: Level) -> Result<()> {
        if self.mistake == Some(Mistake::SplitsBatches) {
            return writes.iter().try_for_each(|write| self.append(&Op::Batch(vec![write.clone()], level), level));
        }
        self.append(&Op::Batch(writes.to_vec(), level), level)
    }

    fn ingest(&mut self, writes: &[Write]) -> Result<()> {
        self.append(&Op::Batch(writes.to_vec(), Level::Sync), Level::Sync)
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
        self.sync()
    }

    fn compact(&mut self) -> Result<()> {
        Ok(())
    }

    fn persist(&mut self, _level: Level) -> Result<()> {
        self.sync()
    }

    fn verify(&self) -> Result<()> {
        match self.log.len()? == self.end {
            true => Ok(()),
            false => Err(Error::corruption("bytes behind the end")),
        }
    }
}
