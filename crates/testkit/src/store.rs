//! `Store`: what a thing under test can do, in the smallest words that the harness needs.
//!
//! The integration tests of a crate implement it for their own handle. Keyspaces go by name, values are plain bytes, and every
//! failure is a [`sediment_base::Error`]. One caller at a time.

mod moves;

pub use moves::{Move, walk};

use sediment_base::{Result, Slice};
use sediment_env::Env;
use std::{fmt, ops::Bound, path::Path};

/// How long an acknowledged write lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Until the process dies.
    Memory,
    /// Through the death of the process.
    Os,
    /// Through power loss.
    Sync,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The keyspace's name.
    pub keyspace: String,
    /// What it does there.
    pub action: Action,
}

/// What a write does. Keys are never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Gives a key a value.
    Insert(Vec<u8>, Value),
    /// Removes a key.
    Remove(Vec<u8>),
    /// Removes a key, in the weak way.
    RemoveWeak(Vec<u8>),
    /// Appends to the value of a key, or gives it one.
    Merge(Vec<u8>, Value),
    /// Removes all keys of a span.
    Erase(Span),
}

impl Action {
    /// The key, if it is about one.
    pub fn key(&self) -> Option<&[u8]> {
        match self {
            Self::Insert(key, _) | Self::Remove(key) | Self::RemoveWeak(key) | Self::Merge(key, _) => Some(key),
            Self::Erase(_) => None,
        }
    }
}

impl Write {
    /// Gives a key a value.
    pub fn insert(keyspace: impl Into<String>, key: impl Into<Vec<u8>>, value: Value) -> Self {
        Self { keyspace: keyspace.into(), action: Action::Insert(key.into(), value) }
    }

    /// Removes a key.
    pub fn remove(keyspace: impl Into<String>, key: impl Into<Vec<u8>>) -> Self {
        Self { keyspace: keyspace.into(), action: Action::Remove(key.into()) }
    }
}

/// What a key holds: values one behind the other, because merges append.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Value>);

impl Text {
    /// The bytes themselves.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.bytes()).collect()
    }
}

impl From<Value> for Text {
    fn from(value: Value) -> Self {
        Self(vec![value])
    }
}

/// A value told by what it is made from, so that a script stays readable: `17x300` is 300 bytes grown from 17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    /// What the bytes grow from; different in every write of a run, so that a stale value shows.
    pub tag: u64,
    /// How many bytes.
    pub len: u32,
}

impl Value {
    /// The bytes themselves. The second half repeats the first, so that compression has something to find.
    pub fn bytes(self) -> Vec<u8> {
        let mut state = crate::seed::Rng::new(self.tag);
        let mut bytes = self.tag.to_le_bytes().to_vec();
        while bytes.len() < (self.len as usize).div_ceil(2) {
            bytes.extend_from_slice(&state.next_u64().to_le_bytes());
        }
        while bytes.len() < self.len as usize {
            bytes.extend_from_within(..);
        }
        bytes.truncate(self.len as usize);
        bytes
    }
}

/// The keys that a scan covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// From one bound to another, which may be out of order.
    Range(Bound<Vec<u8>>, Bound<Vec<u8>>),
    /// All keys that begin with these bytes.
    Prefix(Vec<u8>),
}

impl Span {
    /// Every key.
    pub fn all() -> Self {
        Self::Range(Bound::Unbounded, Bound::Unbounded)
    }

    /// Whether a key lies in it.
    pub fn contains(&self, key: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => key.starts_with(prefix),
            Self::Range(low, high) => {
                let above = match low {
                    Bound::Included(low) => key >= low.as_slice(),
                    Bound::Excluded(low) => key > low.as_slice(),
                    Bound::Unbounded => true,
                };
                above
                    && match high {
                        Bound::Included(high) => key <= high.as_slice(),
                        Bound::Excluded(high) => key < high.as_slice(),
                        Bound::Unbounded => true,
                    }
            }
        }
    }
}

/// How a scan is read part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// From the front, or from the back.
    pub is_forward: bool,
    /// Pairs in a part, at most.
    pub rows: u32,
    /// Work for a part: rows looked at, about so many at most.
    pub steps: u32,
}

/// An open store. Dropping it without [`Store::close`] is a process that dies as kindly as it can.
pub trait Store: Sized {
    /// How it is opened: sizes and switches, never a recovery mode.
    type Settings: Clone + fmt::Debug + Send + Sync;
    /// A pinned moment.
    type Snapshot;
    /// A scan in progress, movable from both ends.
    type Scan: DoubleEndedIterator<Item = Result<(Slice, Slice)>>;

    /// Opens the store in `dir`, making it where there is none, with the default recovery.
    fn open(env: &Env, dir: &Path, settings: &Self::Settings) -> Result<Self>;

    /// Ends it cleanly: everything written before is there at the next open, after power loss too.
    fn close(self) -> Result<()>;

    /// The names of its keyspaces, ascending.
    fn keyspaces(&self) -> Vec<String>;

    /// Makes a keyspace that is not there; durable on return.
    fn create_keyspace(&mut self, name: &str) -> Result<()>;

    /// Drops a keyspace with all its keys; durable on return.
    fn drop_keyspace(&mut self, name: &str) -> Result<()>;

    /// Removes all keys of a keyspace; durable on return.
    fn clear_keyspace(&mut self, name: &str) -> Result<()>;

    /// Gives a keyspace other settings, drawn from `seed`; durable on return. No answer may depend on them.
    fn configure_keyspace(&mut self, name: &str, seed: u32) -> Result<()>;

    /// Applies all writes or none, in order: later ones of the same key win. A merge appends.
    fn write(&mut self, writes: &[Write], level: Level) -> Result<()>;

    /// Applies inserts and removes of one keyspace, their keys ascending, all or none, past the log; durable on return.
    fn ingest(&mut self, writes: &[Write]) -> Result<()>;

    /// The value of a key, now or at a snapshot.
    fn get(&self, keyspace: &str, key: &[u8], at: Option<&Self::Snapshot>) -> Result<Option<Slice>>;

    /// The values of several keys of one moment, in the order of the keys. Here as of a store that has nothing better than `get`; the
    /// same is true of the reads that follow, by `scan`.
    fn multi_get(&self, keyspace: &str, keys: &[Vec<u8>], at: Option<&Self::Snapshot>) -> Result<Vec<Option<Slice>>> {
        keys.iter().map(|key| self.get(keyspace, key, at)).collect()
    }

    /// The pair that a cursor stands on after each of these moves, made one after another from before the first pair.
    fn moves(&self, keyspace: &str, moves: &[Move], at: Option<&Self::Snapshot>) -> Result<Vec<Option<(Slice, Slice)>>> {
        let pairs: Vec<_> = self.scan(keyspace, &Span::all(), at)?.collect::<Result<_>>()?;
        Ok(walk(&pairs, |pair| &pair.0, moves).into_iter().map(|pair| pair.cloned()).collect())
    }

    /// The pairs in a span, from one end to the other, read in parts of so many pairs and so much work.
    fn parts(&self, keyspace: &str, span: &Span, parts: Parts, at: Option<&Self::Snapshot>) -> Result<Vec<(Slice, Slice)>> {
        let scan = self.scan(keyspace, span, at)?;
        if parts.is_forward { scan.collect() } else { scan.rev().collect() }
    }

    /// The pairs in a span, now or at a snapshot.
    fn scan(&self, keyspace: &str, span: &Span, at: Option<&Self::Snapshot>) -> Result<Self::Scan>;

    /// Pins this moment.
    fn snapshot(&self) -> Self::Snapshot;

    /// Moves everything in memory into tables; everything written before is durable on return.
    fn flush(&mut self) -> Result<()>;

    /// Compacts everything.
    fn compact(&mut self) -> Result<()>;

    /// Raises everything written before to this level.
    fn persist(&mut self, level: Level) -> Result<()>;

    /// Reads every stored byte and reports the first fault as an error.
    fn verify(&self) -> Result<()>;
}
