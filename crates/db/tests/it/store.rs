//! `Db` as the thing under test of the harness.

use crate::settings;
use sediment_base::{Error, Result, Slice, range::prefix_bounds};
use sediment_env::Env;
use sediment_testkit::store::{Action, Level, Move, Parts, Span, Store, Write};
use sedimentdb::{Db, Direction, Durability, Iter, Keyspace, Options, ScanLimits, Snapshot};
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

fn owned_bounds(bounds: (Bound<Slice>, Bound<Slice>)) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let owned = |bound: Bound<Slice>| bound.map(|key| key.to_vec());
    (owned(bounds.0), owned(bounds.1))
}

/// What else can be asked about a span must agree with its pairs.
fn check_facts(
    keyspace: &Keyspace,
    at: Option<&Snapshot>,
    span: &Span,
    pairs: &[(Slice, Slice)],
    is_forward: bool,
) -> Result<()> {
    let differ = |what: &str| Err(Error::corruption(format!("{what} and a scan differ")));
    if let Span::Prefix(prefix) = span {
        let found = match at {
            Some(snapshot) => snapshot.contains_prefix(keyspace, prefix)?,
            None => keyspace.contains_prefix(prefix)?,
        };
        if found == pairs.is_empty() {
            return differ("contains_prefix");
        }
    }
    if !matches!(span, Span::Range(Bound::Unbounded, Bound::Unbounded)) {
        return Ok(());
    }
    let (ends, len, is_empty, keys) = match at {
        Some(snapshot) => (
            (snapshot.first(keyspace)?, snapshot.last(keyspace)?),
            snapshot.len(keyspace)?,
            snapshot.is_empty(keyspace)?,
            snapshot.iter(keyspace).keys(),
        ),
        None => ((keyspace.first()?, keyspace.last()?), keyspace.len()?, keyspace.is_empty()?, keyspace.iter().keys()),
    };
    let (front, back) = if is_forward { (pairs.first(), pairs.last()) } else { (pairs.last(), pairs.first()) };
    if ends != (front.cloned(), back.cloned()) {
        return differ("first or last");
    }
    if len != pairs.len() as u64 || is_empty != pairs.is_empty() || keys.count() != pairs.len() {
        return differ("len, is_empty or keys");
    }
    if at.is_none() && keyspace.approximate_len()? < len {
        return differ("approximate_len");
    }
    Ok(())
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
        let (found, lent, there, len) = match at {
            Some(snapshot) => (
                snapshot.get(&keyspace, key)?,
                snapshot.get_with(&keyspace, key, Slice::new)?,
                snapshot.contains_key(&keyspace, key)?,
                snapshot.size_of(&keyspace, key)?,
            ),
            None => {
                let (found, lent) = (keyspace.get(key)?, keyspace.get_with(key, Slice::new)?);
                (found, lent, keyspace.contains_key(key)?, keyspace.size_of(key)?)
            }
        };
        if found.is_some() != there || found != lent || len != found.as_ref().map(|value| value.len()) {
            return Err(Error::corruption("get, get_with, contains_key and size_of differ"));
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

    fn multi_get(&self, keyspace: &str, keys: &[Vec<u8>], at: Option<&Snapshot>) -> Result<Vec<Option<Slice>>> {
        let keyspace = self.keyspace(keyspace)?;
        match at {
            Some(snapshot) => snapshot.multi_get(&keyspace, keys),
            None => keyspace.multi_get(keys),
        }
    }

    fn moves(&self, keyspace: &str, moves: &[Move], at: Option<&Snapshot>) -> Result<Vec<Option<(Slice, Slice)>>> {
        let keyspace = self.keyspace(keyspace)?;
        let mut cursor = at.map_or_else(|| keyspace.cursor(), |snapshot| snapshot.cursor(&keyspace));
        let mut go = |to: &Move| {
            let is_moved = match to {
                Move::First => cursor.seek_to_first(),
                Move::Last => cursor.seek_to_last(),
                Move::AtOrAfter(key) => cursor.seek(key),
                Move::AtOrBefore(key) => cursor.seek_back(key),
                Move::Next => cursor.next(),
                Move::Prev => cursor.prev(),
            }?;
            let pair = cursor.key().zip(cursor.value()).map(|(key, value)| (Slice::new(key), Slice::new(value)));
            if pair.is_some() == is_moved {
                Ok(pair)
            } else {
                Err(Error::corruption("what a move says and where it leads differ"))
            }
        };
        moves.iter().map(&mut go).collect()
    }

    fn parts(&self, keyspace: &str, span: &Span, parts: Parts, at: Option<&Snapshot>) -> Result<Vec<(Slice, Slice)>> {
        let keyspace = self.keyspace(keyspace)?;
        let direction = if parts.is_forward { Direction::Forward } else { Direction::Backward };
        let limits = ScanLimits { rows: parts.rows.into(), steps: parts.steps.into(), ..ScanLimits::default() };
        let bounds = match span {
            Span::Range(low, high) => (low.clone(), high.clone()),
            Span::Prefix(prefix) => owned_bounds(prefix_bounds(prefix)),
        };
        let mut part = match at {
            Some(snapshot) => snapshot.scan_part(&keyspace, bounds, direction, limits)?,
            None => keyspace.scan_part(bounds, direction, limits)?,
        };
        let mut pairs = Vec::new();
        loop {
            let before = pairs.len();
            for pair in part.by_ref() {
                pairs.push(pair?);
            }
            if pairs.len() - before > parts.rows as usize {
                return Err(Error::corruption("a part gave more rows than it may"));
            }
            let Some(token) = part.token() else { break };
            part = match at {
                Some(snapshot) => snapshot.next_part(&keyspace, token, limits)?,
                None => keyspace.next_part(token, limits)?,
            };
        }
        check_facts(&keyspace, at, span, &pairs, parts.is_forward).map(|()| pairs)
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
