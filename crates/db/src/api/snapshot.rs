//! `Snapshot`: the whole database as it was at one moment.

use crate::api::{Iter, Keyspace};
use sediment_base::{Result, Slice};
use std::ops::RangeBounds;

/// Reads the database as it was when [`Db::snapshot`](crate::Db::snapshot) made it. Holds back the reclaiming of what it sees.
#[derive(Clone, Debug)]
pub struct Snapshot {}

impl Snapshot {
    /// The value of a key then.
    pub fn get(&self, _keyspace: &Keyspace, _key: impl AsRef<[u8]>) -> Result<Option<Slice>> {
        unimplemented!()
    }

    /// Whether a key was there.
    pub fn contains_key(&self, _keyspace: &Keyspace, _key: impl AsRef<[u8]>) -> Result<bool> {
        unimplemented!()
    }

    /// The keys within bounds, in order.
    pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, _keyspace: &Keyspace, _range: R) -> Iter {
        unimplemented!()
    }

    /// The keys that begin with `prefix`, in order.
    pub fn prefix(&self, _keyspace: &Keyspace, _prefix: impl AsRef<[u8]>) -> Iter {
        unimplemented!()
    }

    /// All keys of a keyspace, in order.
    pub fn iter(&self, _keyspace: &Keyspace) -> Iter {
        unimplemented!()
    }
}
