//! The order of a memtable's keys.

use sediment_base::KeyOrder;
use sediment_raw::arena::{Arena, Record, RecordId};
use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock},
};

/// All keys in order, each with the first record of it. Shared.
pub(super) struct Keys {
    order: KeyOrder,
    records: RwLock<BTreeMap<OrderedKey, RecordId>>,
}

impl Keys {
    pub(super) fn new(order: KeyOrder) -> Self {
        Self { order, records: RwLock::default() }
    }

    pub(super) fn insert(&self, user_key: &[u8], record: Record<'_>) {
        self.records.write().unwrap_or_else(PoisonError::into_inner).insert(self.key(user_key), record.id());
    }

    /// The first key, or the first at or after a bound.
    pub(super) fn first<'a>(&self, arena: &'a Arena, from: Bound<&[u8]>) -> Option<Record<'a>> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let bounds = (from.map(|key| self.key(key)), Bound::Unbounded);
        records.range(bounds).next().map(|(_, id)| arena.record(*id))
    }

    /// The last key, or the last before a bound.
    pub(super) fn last<'a>(&self, arena: &'a Arena, to: Bound<&[u8]>) -> Option<Record<'a>> {
        let records = self.records.read().unwrap_or_else(PoisonError::into_inner);
        let bounds = (Bound::Unbounded, to.map(|key| self.key(key)));
        records.range(bounds).next_back().map(|(_, id)| arena.record(*id))
    }

    fn key(&self, user_key: &[u8]) -> OrderedKey {
        OrderedKey { order: self.order.clone(), user_key: user_key.into() }
    }
}

struct OrderedKey {
    order: KeyOrder,
    user_key: Box<[u8]>,
}

impl Ord for OrderedKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.user_key, &other.user_key)
    }
}

impl PartialOrd for OrderedKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OrderedKey {
    fn eq(&self, other: &Self) -> bool {
        self.user_key == other.user_key
    }
}

impl Eq for OrderedKey {}
