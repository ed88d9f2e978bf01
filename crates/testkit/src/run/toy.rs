//! A store that is one map, on a "disk" that is its settings: to test the harness itself.

use crate::store::{Action, Level, Span, Store, Write};
use sediment_base::{Error, Result, Slice};
use sediment_env::Env;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

type Data = BTreeMap<String, (u64, BTreeMap<Vec<u8>, Vec<u8>>)>;

/// Where it keeps its data, and the mistake that it makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) data: Arc<Mutex<(u64, Data)>>,
    pub(crate) mistake: Option<Mistake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Every so many removes, one does nothing.
    KeepsARemovedKey,
    /// A scan from the back skips its second pair.
    SkipsBackwards,
    /// Opening loses keys that begin with `user:00`.
    LosesAtReopen,
}

/// The store.
pub(crate) struct Toy {
    disk: Disk,
    removes: u64,
}

impl Toy {
    fn data(&self) -> std::sync::MutexGuard<'_, (u64, Data)> {
        self.disk.data.lock().expect("one caller")
    }
}

impl Store for Toy {
    type Settings = Disk;
    type Snapshot = Data;
    type Scan = std::vec::IntoIter<Result<(Slice, Slice)>>;

    fn open(_env: &Env, _dir: &Path, disk: &Disk) -> Result<Self> {
        let toy = Self { disk: disk.clone(), removes: 0 };
        if disk.mistake == Some(Mistake::LosesAtReopen) {
            let keyspaces = &mut toy.data().1;
            keyspaces.values_mut().for_each(|(_, rows)| rows.retain(|key, _| !key.starts_with(b"user:00")));
        }
        Ok(toy)
    }

    fn close(self) -> Result<()> {
        Ok(())
    }

    fn keyspaces(&self) -> Vec<String> {
        self.data().1.keys().cloned().collect()
    }

    fn create_keyspace(&mut self, name: &str) -> Result<()> {
        let mut data = self.data();
        data.0 += 1;
        let id = data.0;
        data.1.insert(name.into(), (id, BTreeMap::new()));
        Ok(())
    }

    fn drop_keyspace(&mut self, name: &str) -> Result<()> {
        self.data().1.remove(name);
        Ok(())
    }

    fn clear_keyspace(&mut self, name: &str) -> Result<()> {
        self.data().1.get_mut(name).expect("the runner asks only for what exists").1.clear();
        Ok(())
    }

    fn configure_keyspace(&mut self, _name: &str, _seed: u32) -> Result<()> {
        Ok(())
    }

    fn write(&mut self, writes: &[Write], _level: Level) -> Result<()> {
        for write in writes {
            self.removes += u64::from(matches!(write.action, Action::Remove(_)));
            let forget = self.disk.mistake == Some(Mistake::KeepsARemovedKey) && self.removes.is_multiple_of(50);
            let mut data = self.data();
            let rows = &mut data.1.get_mut(&write.keyspace).ok_or_else(|| Error::invalid_input("no keyspace"))?.1;
            match &write.action {
                Action::Insert(key, value) => drop(rows.insert(key.clone(), value.bytes())),
                Action::Remove(_) if forget => {}
                Action::Remove(key) | Action::RemoveWeak(key) => drop(rows.remove(key)),
                Action::Merge(key, value) => rows.entry(key.clone()).or_default().extend(value.bytes()),
                Action::Erase(span) => rows.retain(|key, _| !span.contains(key)),
            }
        }
        Ok(())
    }

    fn ingest(&mut self, writes: &[Write]) -> Result<()> {
        self.write(writes, Level::Sync)
    }

    fn get(&self, keyspace: &str, key: &[u8], at: Option<&Data>) -> Result<Option<Slice>> {
        let now = self.data();
        let rows = rows(&now.1, keyspace, at);
        Ok(rows.and_then(|rows| rows.get(key)).map(|value| Slice::new(value)))
    }

    fn scan(&self, keyspace: &str, span: &Span, at: Option<&Data>) -> Result<Self::Scan> {
        let now = self.data();
        let rows = rows(&now.1, keyspace, at).into_iter().flatten();
        let pairs = rows.filter(|(key, _)| span.contains(key)).map(|(key, value)| Ok((key[..].into(), value[..].into())));
        let mut pairs: Vec<_> = pairs.collect();
        if self.disk.mistake == Some(Mistake::SkipsBackwards) && pairs.len() > 20 {
            drop(pairs.remove(pairs.len() - 2));
        }
        Ok(pairs.into_iter())
    }

    fn snapshot(&self) -> Data {
        self.data().1.clone()
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn compact(&mut self) -> Result<()> {
        Ok(())
    }

    fn persist(&mut self, _level: Level) -> Result<()> {
        Ok(())
    }

    fn verify(&self) -> Result<()> {
        Ok(())
    }
}

fn rows<'a>(now: &'a Data, keyspace: &str, at: Option<&'a Data>) -> Option<&'a BTreeMap<Vec<u8>, Vec<u8>>> {
    let (id, rows) = now.get(keyspace)?;
    match at {
        None => Some(rows),
        Some(then) => then.get(keyspace).filter(|(then, _)| then == id).map(|(_, rows)| rows),
    }
}
