//! `WriteBatch`: writes of one tree that become visible at once, under one seqno.

use super::apply::{apply, check};
use crate::super_version::SuperVersions;
use sediment_base::{Error, InternalKey, Kind, Result, SeqNo, Slice};
use std::collections::{HashMap, hash_map::Entry};

/// Writes that share a seqno: readers see all of them or none.
///
/// As they share it, their order says nothing. So of several values for one key the last counts, several operands of one key are
/// folded into one at once, and a key that is written in two ways refuses the batch.
#[derive(Clone, Debug, Default)]
pub struct WriteBatch {
    writes: Vec<(Kind, Slice, Slice)>,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives a key a value.
    pub fn insert(&mut self, key: impl Into<Slice>, value: impl Into<Slice>) {
        self.writes.push((Kind::Value, key.into(), value.into()));
    }

    /// Removes a key.
    pub fn remove(&mut self, key: impl Into<Slice>) {
        self.writes.push((Kind::Tombstone, key.into(), Slice::default()));
    }

    /// Removes a key that was inserted once since it was last gone.
    pub fn remove_weak(&mut self, key: impl Into<Slice>) {
        self.writes.push((Kind::WeakTombstone, key.into(), Slice::default()));
    }

    /// Merges an operand into a key.
    pub fn merge(&mut self, key: impl Into<Slice>, operand: impl Into<Slice>) {
        self.writes.push((Kind::Operand, key.into(), operand.into()));
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
}

/// What becomes of one key.
struct Write<'a> {
    kind: Kind,
    key: &'a [u8],
    values: Vec<&'a [u8]>,
}

/// Applies a batch, or nothing of it if it is refused.
pub(crate) fn apply_batch(versions: &SuperVersions, batch: &WriteBatch, seqno: SeqNo) -> Result<()> {
    let operator = versions.options.merge_operator.as_ref();
    let mut rows = Vec::with_capacity(batch.len());
    for Write { kind, key, values } in by_key(batch)? {
        let value = match &values[..] {
            [.., last] if kind != Kind::Operand => Slice::new(last),
            [only] => Slice::new(only),
            operands => match operator.and_then(|operator| operator.fold_operands(key, operands)) {
                Some(operand) => operand.into(),
                None => return Err(unfoldable()),
            },
        };
        check(&InternalKey::new(key, seqno, kind), &value)?;
        rows.push((kind, key, value));
    }
    rows.iter().try_for_each(|(kind, key, value)| apply(versions, InternalKey::new(key, seqno, *kind), value).map(drop))
}

/// One entry for each key, in the order of their first writes.
fn by_key(batch: &WriteBatch) -> Result<Vec<Write<'_>>> {
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let mut all: Vec<Write<'_>> = Vec::new();
    for (kind, key, value) in &batch.writes {
        match places.entry(key) {
            Entry::Vacant(place) => {
                place.insert(all.len());
                all.push(Write { kind: *kind, key, values: vec![value] });
            }
            Entry::Occupied(place) => {
                let write = &mut all[*place.get()];
                if write.kind != *kind {
                    return Err(mixed(key, write.kind, *kind));
                }
                write.values.push(value);
            }
        }
    }
    Ok(all)
}

#[cold]
fn mixed(key: &[u8], first: Kind, second: Kind) -> Error {
    let key = key.escape_ascii();
    Error::invalid_input(format!("a batch writes key \"{key}\" as {first:?} and as {second:?}: put them into two batches"))
}

#[cold]
fn unfoldable() -> Error {
    Error::invalid_input("a batch has several operands of one key, and the merge operator cannot fold operands")
}
