//! `Db` as the thing under test of the harness.

use crate::settings;
use sediment_base::{Error, Result, Slice};
use sediment_env::Env;
use sediment_testkit::store::{Action, Level, Span, Store, Write};
use sedimentdb::{Db, Durability, Iter, Keyspace, Options, Snapshot};
use std::{ops::Bound, path::Path};

/// A database driven by name.
pub(crate) struct DbStore {
    db: Db,
}

impl DbStore {
    fn keyspace(&self, name: &str) -> Result<Keyspace> {
        self.db.open_keyspace(name)?.ok_or_else(|| Error::invalid_input(format!("no keyspace {name}")))
    }
}

fn durability(level: Level) -> Durability {
    match level {
        Level::Memory => Durability::Memory,
        Level::Os => Durability::Os,
        Level::Sync => Durability::Sync,
    }
}

impl Store for DbStore {
    type Settings = Options;
    type Snapshot = Snapshot;
    type Scan = Iter;

    fn open(env: &Env, dir: &Path, settings: &Options) -> Result<Self> {
        Ok(Self { db: Db::builder(dir).options(settings.clone()).env(env.clone()).open()? })
    }

    fn close(self) -> Result<()> {
        self.db.close()
    }

    fn keyspaces(&self) -> Vec<String> {
        self.db.keyspace_names()
    }

    fn create_keyspace(&mut self, name: &str) -> Result<()> {
        match name {
            "extra" => self.db.create_keyspace_with(name, settings::of_keyspace(1)).map(drop),
            _ => self.db.create_keyspace_with(name, settings::appending()).map(drop),
        }
    }

    fn drop_keyspace(&mut self, name: &str) -> Result<()> {
        match self.db.drop_keyspace(name)? {
            true => Ok(()),
            false => Err(Error::invalid_input(format!("no keyspace {name}"))),
        }
    }

    fn clear_keyspace(&mut self, name: &str) -> Result<()> {
        self.keyspace(name)?.clear()
    }

    fn configure_keyspace(&mut self, name: &str, seed: u32) -> Result<()> {
        self.keyspace(name)?.set_options(settings::of_keyspace(seed.into()))
    }

    fn write(&mut self, writes: &[Write], level: Level) -> Result<()> {
        if let ([write], Level::Os) = (writes, level) {
            let keyspace = self.keyspace(&write.keyspace)?;
            return match &write.action {
                Action::Insert(key, value) => keyspace.insert(key, value.bytes()),
                Action::Remove(key) => keyspace.remove(key),
                Action::RemoveWeak(key) => keyspace.remove_weak(key),
                Action::Merge(key, value) => keyspace.merge(key, value.bytes()),
                Action::Erase(Span::Prefix(prefix)) => keyspace.remove_prefix(prefix),
                Action::Erase(Span::Range(low, high)) => keyspace.remove_range::<Vec<u8>, _>((low.clone(), high.clone())),
            };
        }
        let mut batch = self.db.batch();
        for write in writes {
            let keyspace = self.keyspace(&write.keyspace)?;
            match &write.action {
                Action::Insert(key, value) => batch.insert(&keyspace, key, value.bytes()),
                Action::Remove(key) => batch.remove(&keyspace, key),
                Action::RemoveWeak(key) => batch.remove_weak(&keyspace, key),
                Action::Merge(key, value) => batch.merge(&keyspace, key, value.bytes()),
                Action::Erase(Span::Prefix(prefix)) => batch.remove_prefix(&keyspace, prefix),
                Action::Erase(Span::Range(low, high)) => {
                    batch.remove_range::<Vec<u8>, _>(&keyspace, (low.clone(), high.clone()))
                }
            };
        }
        batch.durability(durability(level)).commit()
    }

    fn ingest(&mut self, writes: &[Write]) -> Result<()> {
        let keyspace = self.keyspace(&writes[0].keyspace)?;
        let mut ingest = keyspace.ingest()?;
        for write in writes {
            match &write.action {
                Action::Insert(key, value) => ingest.insert(key, value.bytes())?,
                Action::Remove(key) => ingest.remove(key)?,
                other => panic!("{other:?} cannot be ingested"),
            }
        }
        ingest.finish()
    }

    fn get(&self, keyspace: &str, key: &[u8], at: Option<&Snapshot>) -> Result<Option<Slice>> {
        let keyspace = self.keyspace(keyspace)?;
        let (found, lent, there) = match at {
            Some(snapshot) => (
                snapshot.get(&keyspace, key)?,
                snapshot.get_with(&keyspace, key, Slice::new)?,
                snapshot.contains_key(&keyspace, key)?,
            ),
            None => (keyspace.get(key)?, keyspace.get_with(key, Slice::new)?, keyspace.contains_key(key)?),
        };
        if found.is_some() != there || found != lent {
            return Err(Error::corruption("get, get_with and contains_key differ"));
        }
        Ok(found)
    }

    fn scan(&self, keyspace: &str, span: &Span, at: Option<&Snapshot>) -> Result<Iter> {
        let keyspace = self.keyspace(keyspace)?;
        Ok(match (span, at) {
            (Span::Prefix(prefix), None) => keyspace.prefix(prefix),
            (Span::Prefix(prefix), Some(snapshot)) => snapshot.prefix(&keyspace, prefix),
            (Span::Range(Bound::Unbounded, Bound::Unbounded), None) => keyspace.iter(),
            (Span::Range(Bound::Unbounded, Bound::Unbounded), Some(snapshot)) => snapshot.iter(&keyspace),
            (Span::Range(low, high), None) => keyspace.range::<Vec<u8>, _>((low.clone(), high.clone())),
            (Span::Range(low, high), Some(snapshot)) => snapshot.range::<Vec<u8>, _>(&keyspace, (low.clone(), high.clone())),
        })
    }

    fn snapshot(&self) -> Snapshot {
        self.db.snapshot()
    }

    fn flush(&mut self) -> Result<()> {
        self.db.flush()
    }

    fn compact(&mut self) -> Result<()> {
        self.db.compact()
    }

    fn persist(&mut self, level: Level) -> Result<()> {
        self.db.persist(durability(level))
    }

    fn verify(&self) -> Result<()> {
        match self.db.verify()?.faults.into_iter().next() {
            None => Ok(()),
            Some(fault) => Err(fault),
        }
    }
}
