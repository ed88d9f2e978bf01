//! `WriteBatch`: writes that become visible at once.

use crate::{
    memtable::ROW_BYTES,
    slice::{UserKey, UserValue},
};
use sediment_base::Kind;
use std::collections::BTreeMap;

/// Writes of one tree under one number.
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    writes: Vec<(Kind, UserKey, UserValue)>,
}

impl WriteBatch {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one with room for so many writes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { writes: Vec::with_capacity(capacity) }
    }

    /// Gives a key a value.
    pub fn insert<K: Into<UserKey>, V: Into<UserValue>>(&mut self, key: K, value: V) {
        self.writes.push((Kind::Value, key.into(), value.into()));
    }

    /// Removes a key.
    pub fn remove<K: Into<UserKey>>(&mut self, key: K) {
        self.writes.push((Kind::Tombstone, key.into(), UserValue::empty()));
    }

    /// Removes a key that was written once since it was last gone.
    pub fn remove_weak<K: Into<UserKey>>(&mut self, key: K) {
        self.writes.push((Kind::WeakTombstone, key.into(), UserValue::empty()));
    }

    /// Merges an operand into a key.
    pub fn merge<K: Into<UserKey>, V: Into<UserValue>>(&mut self, key: K, value: V) {
        self.writes.push((Kind::Operand, key.into(), value.into()));
    }

    /// How many writes.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Forgets all writes.
    pub fn clear(&mut self) {
        self.writes.clear();
    }

    /// Bytes that its rows take, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.writes.iter().map(|(_, key, value)| (key.len() + value.len()) as u64 + ROW_BYTES).sum()
    }

    /// Whether a key is written in two ways.
    pub(crate) fn is_mixed(&self) -> bool {
        let mut kinds = BTreeMap::new();
        self.writes.iter().any(|(kind, key, _)| *kinds.entry(&**key).or_insert(*kind) != *kind)
    }

    /// The same for the tree.
    pub(crate) fn of_tree(self) -> sediment_tree::WriteBatch {
        let mut batch = sediment_tree::WriteBatch::new();
        for (kind, key, value) in self.writes {
            let (key, value) = (key.unwrap(), value.unwrap());
            match kind {
                Kind::Value => batch.insert(key, value),
                Kind::Tombstone => batch.remove(key),
                Kind::WeakTombstone => batch.remove_weak(key),
                Kind::Operand => batch.merge(key, value),
            }
        }
        batch
    }
}
