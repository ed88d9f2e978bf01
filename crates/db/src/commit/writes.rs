//! The writes of one commit, encoded as they come.

use crate::{
    catalog::KeyspaceState,
    wal::{Op, OpKind, check_limits, put_op},
};
use sediment_base::{Error, Kind, Result, Slice, limits, range::prefix_bounds};
use smallvec::SmallVec;
use std::{ops::Bound, sync::Arc};

/// The keyspaces of a commit: one, mostly.
pub(crate) type KeyspacesOf = SmallVec<[Arc<KeyspaceState>; 1]>;

/// What a row takes in a record beside its key and value, at most.
const ROW_OVERHEAD_BYTES: usize = 16;

/// Rows for the log's record, and the keyspaces that they name.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    payload: Vec<u8>,
    count: u32,
    /// Of keys and values.
    data_bytes: u64,
    keyspaces: KeyspacesOf,
    has_values: bool,
    /// The first row that breaks a limit; reported when it is committed.
    error: Option<Error>,
}

/// The writes of one commit, complete.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) payload: Vec<u8>,
    pub(crate) count: u32,
    /// Of keys and values.
    pub(crate) data_bytes: u64,
    pub(crate) keyspaces: KeyspacesOf,
    /// Whether it only frees space, in time.
    pub(crate) only_removes: bool,
}

impl Writes {
    /// Adds a write.
    pub(crate) fn push(&mut self, keyspace: &Arc<KeyspaceState>, kind: OpKind, key: &[u8], value: &[u8]) {
        let op = Op { keyspace: keyspace.id(), kind, key, value };
        let fits = check_limits(&op).and_then(|()| self.check_size(key.len() + value.len()));
        let fits = if kind == OpKind::Row(Kind::Operand) { fits.and_then(|()| keyspace.check_merge()) } else { fits };
        if let Err(error) = fits {
            self.error.get_or_insert(error);
            return;
        }
        if !self.keyspaces.iter().rev().any(|known| Arc::ptr_eq(known, keyspace)) {
            self.keyspaces.push(Arc::clone(keyspace));
        }
        self.has_values |= matches!(kind, OpKind::Row(Kind::Value | Kind::Operand));
        self.payload.reserve(key.len() + value.len() + ROW_OVERHEAD_BYTES);
        put_op(&mut self.payload, op);
        self.count += 1;
        self.data_bytes += (key.len() + value.len()) as u64;
    }

    /// Adds a remove of all keys within bounds.
    pub(crate) fn remove_range(&mut self, keyspace: &Arc<KeyspaceState>, (start, end): (Bound<Slice>, Bound<Slice>)) {
        let is_foreseeable = !matches!((&start, &end), (Bound::Excluded(_), _) | (_, Bound::Included(_)));
        if !is_foreseeable && !keyspace.is_bytewise() {
            let name = keyspace.name();
            return self.refuse(Error::invalid_input(format!(
                "keyspace {name:?} has an order of its own: a range to remove includes its start and excludes its end"
            )));
        }
        let start = match start {
            Bound::Unbounded => Slice::default(),
            Bound::Included(start) => start,
            Bound::Excluded(start) => next_key(&start),
        };
        let end = match end {
            Bound::Unbounded => Slice::default(),
            // Before the first key there is none.
            Bound::Excluded(end) if end.is_empty() => return,
            Bound::Excluded(end) => end,
            Bound::Included(end) => next_key(&end),
        };
        self.push(keyspace, OpKind::RemoveRange, &start, &end);
    }

    /// Adds a remove of all keys that begin with a prefix.
    pub(crate) fn remove_prefix(&mut self, keyspace: &Arc<KeyspaceState>, prefix: &[u8]) {
        match keyspace.check_prefixes() {
            Ok(()) => self.remove_range(keyspace, prefix_bounds(prefix)),
            Err(error) => self.refuse(error),
        }
    }

    /// Refuses a write, and with it the batch.
    pub(crate) fn refuse(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Rows so far; a refused one counts not.
    pub(crate) fn count(&self) -> usize {
        self.count as usize
    }

    /// The whole of it, if no row was refused.
    pub(crate) fn finish(self) -> Result<Encoded> {
        let Self { payload, count, data_bytes, keyspaces, has_values, error } = self;
        error.map_or(Ok(Encoded { payload, count, data_bytes, keyspaces, only_removes: !has_values }), Err)
    }

    fn check_size(&self, bytes: usize) -> Result<()> {
        let max = limits::BATCH_BYTES_MAX;
        if self.count == u32::MAX || self.payload.len() + bytes + ROW_OVERHEAD_BYTES > max {
            return Err(Error::invalid_input(format!("a batch holds at most {max} bytes and {} rows", u32::MAX)));
        }
        Ok(())
    }
}

/// The key right behind this one in the order of bytes.
fn next_key(key: &[u8]) -> Slice {
    Slice::from([key, &[0]].concat().as_slice())
}
