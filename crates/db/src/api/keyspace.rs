//! `Keyspace`: a named, ordered map of its own.

use crate::api::Iter;
use sediment_base::{Result, Slice};
use std::ops::RangeBounds;

/// A named map of the database. Cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Keyspace {}

impl Keyspace {
    /// Its name.
    pub fn name(&self) -> &str {
        unimplemented!()
    }

    /// Sets the value of a key.
    pub fn insert(&self, _key: impl AsRef<[u8]>, _value: impl AsRef<[u8]>) -> Result<()> {
        unimplemented!()
    }

    /// Removes a key; absent ones too.
    pub fn remove(&self, _key: impl AsRef<[u8]>) -> Result<()> {
        unimplemented!()
    }

    /// The value of a key.
    pub fn get(&self, _key: impl AsRef<[u8]>) -> Result<Option<Slice>> {
        unimplemented!()
    }

    /// Whether a key is there.
    pub fn contains_key(&self, _key: impl AsRef<[u8]>) -> Result<bool> {
        unimplemented!()
    }

    /// The keys within bounds, in order.
    pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, _range: R) -> Iter {
        unimplemented!()
    }

    /// The keys that begin with `prefix`, in order.
    pub fn prefix(&self, _prefix: impl AsRef<[u8]>) -> Iter {
        unimplemented!()
    }

    /// All keys, in order.
    pub fn iter(&self) -> Iter {
        unimplemented!()
    }

    /// Removes all keys at once.
    pub fn clear(&self) -> Result<()> {
        unimplemented!()
    }
}
