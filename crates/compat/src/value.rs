//! What a row is: its kind, its key, its value.

use crate::{
    seqno::SeqNo,
    slice::{Slice, UserKey, UserValue},
};
use sediment_base::Kind;
use sediment_tree::RawRow;
use std::cmp::Ordering;

/// What a row does to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ValueType {
    /// The key has this value.
    Value = 0,
    /// The key is gone.
    Tombstone = 1,
    /// The key is gone; it was written once since it was last gone.
    WeakTombstone = 2,
    /// An input of the merge operator.
    MergeOperand = 3,
    /// The value lies elsewhere.
    Indirection = 4,
}

impl ValueType {
    /// Whether the key is gone.
    pub fn is_tombstone(self) -> bool {
        matches!(self, Self::Tombstone | Self::WeakTombstone)
    }

    /// Whether it is an input of the merge operator.
    pub fn is_merge_operand(self) -> bool {
        self == Self::MergeOperand
    }
}

impl From<ValueType> for u8 {
    fn from(kind: ValueType) -> Self {
        kind as Self
    }
}

impl TryFrom<u8> for ValueType {
    type Error = ();

    fn try_from(tag: u8) -> Result<Self, ()> {
        let all = [Self::Value, Self::Tombstone, Self::WeakTombstone, Self::MergeOperand, Self::Indirection];
        all.get(usize::from(tag)).copied().ok_or(())
    }
}

impl From<Kind> for ValueType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Value => Self::Value,
            Kind::Tombstone => Self::Tombstone,
            Kind::WeakTombstone => Self::WeakTombstone,
            Kind::Operand => Self::MergeOperand,
        }
    }
}

/// A row's full key. By user key, then the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalKey {
    /// The caller's bytes.
    pub user_key: UserKey,
    /// When it was written.
    pub seqno: SeqNo,
    /// What it does.
    pub value_type: ValueType,
}

impl InternalKey {
    /// A key of these parts.
    pub fn new<K: Into<UserKey>>(user_key: K, seqno: SeqNo, value_type: ValueType) -> Self {
        Self { user_key: user_key.into(), seqno, value_type }
    }
}

impl Ord for InternalKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.user_key.cmp(&other.user_key).then(other.seqno.cmp(&self.seqno))
    }
}

impl PartialOrd for InternalKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A row as it lies in a memtable or table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalValue {
    /// Its key.
    pub key: InternalKey,
    /// Its value; empty for tombstones.
    pub value: UserValue,
}

impl InternalValue {
    /// A row of this key.
    pub fn new<V: Into<UserValue>>(key: InternalKey, value: V) -> Self {
        Self { key, value: value.into() }
    }

    /// A row of these parts.
    pub fn from_components<K: Into<UserKey>, V: Into<UserValue>>(
        user_key: K,
        value: V,
        seqno: SeqNo,
        value_type: ValueType,
    ) -> Self {
        Self::new(InternalKey::new(user_key, seqno, value_type), value)
    }

    /// A tombstone.
    pub fn new_tombstone<K: Into<UserKey>>(key: K, seqno: SeqNo) -> Self {
        Self::from_components(key, Slice::empty(), seqno, ValueType::Tombstone)
    }

    /// A weak tombstone.
    pub fn new_weak_tombstone<K: Into<UserKey>>(key: K, seqno: SeqNo) -> Self {
        Self::from_components(key, Slice::empty(), seqno, ValueType::WeakTombstone)
    }

    /// An input of the merge operator.
    pub fn new_merge_operand<K: Into<UserKey>, V: Into<UserValue>>(key: K, operand: V, seqno: SeqNo) -> Self {
        Self::from_components(key, operand, seqno, ValueType::MergeOperand)
    }

    /// Whether the key is gone.
    pub fn is_tombstone(&self) -> bool {
        self.key.value_type.is_tombstone()
    }
}

impl From<RawRow> for InternalValue {
    fn from(row: RawRow) -> Self {
        Self::from_components(Slice::wrap(row.key), Slice::wrap(row.value), row.seqno, row.kind.into())
    }
}

/// What a pinned value would hold on to. The tree's values own their bytes or share them by count, so it holds nothing.
#[derive(Clone, Debug, Default)]
pub struct Block(());

/// A value that may keep the memory alive in which it lies.
#[derive(Clone, Debug)]
pub enum PinnableSlice {
    /// It lies in a block.
    Pinned {
        /// The block.
        _block: Block,
        /// The value.
        value: Slice,
    },
    /// It owns its bytes, or shares them.
    Owned(UserValue),
}

impl PinnableSlice {
    /// A value in a block.
    pub fn pinned(block: Block, value: Slice) -> Self {
        Self::Pinned { _block: block, value }
    }

    /// A value of its own.
    pub fn owned(value: UserValue) -> Self {
        Self::Owned(value)
    }

    /// Whether it lies in a block.
    pub fn is_pinned(&self) -> bool {
        matches!(self, Self::Pinned { .. })
    }

    /// Its bytes.
    pub fn value(&self) -> &[u8] {
        match self {
            Self::Pinned { value, .. } | Self::Owned(value) => value,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.value().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.value().is_empty()
    }

    /// The value alone.
    pub fn into_value(self) -> UserValue {
        match self {
            Self::Pinned { value, .. } | Self::Owned(value) => value,
        }
    }
}

impl AsRef<[u8]> for PinnableSlice {
    fn as_ref(&self) -> &[u8] {
        self.value()
    }
}

impl From<PinnableSlice> for UserValue {
    fn from(pinnable: PinnableSlice) -> Self {
        pinnable.into_value()
    }
}

impl PartialEq<[u8]> for PinnableSlice {
    fn eq(&self, other: &[u8]) -> bool {
        self.value() == other
    }
}

impl PartialEq<&[u8]> for PinnableSlice {
    fn eq(&self, other: &&[u8]) -> bool {
        self.value() == *other
    }
}
