//! `WriteBatch`: several writes that become visible and durable together.

use crate::{api::Keyspace, options::Durability};
use sediment_base::Result;

/// Writes over any keyspaces of one database, committed all or none. Made by [`Db::batch`](crate::Db::batch).
#[derive(Debug)]
pub struct WriteBatch {}

impl WriteBatch {
    /// Adds an insert. Limits are checked by [`commit`](Self::commit).
    pub fn insert(&mut self, _keyspace: &Keyspace, _key: impl AsRef<[u8]>, _value: impl AsRef<[u8]>) -> &mut Self {
        unimplemented!()
    }

    /// Adds a remove.
    pub fn remove(&mut self, _keyspace: &Keyspace, _key: impl AsRef<[u8]>) -> &mut Self {
        unimplemented!()
    }

    /// How many writes it holds.
    pub fn len(&self) -> usize {
        unimplemented!()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        unimplemented!()
    }

    /// Chooses what the commit survives, instead of the database's default.
    #[must_use]
    pub fn durability(self, _durability: Durability) -> Self {
        unimplemented!()
    }

    /// Applies all writes, in order, at once.
    pub fn commit(self) -> Result<()> {
        unimplemented!()
    }
}
