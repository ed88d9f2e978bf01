//! What a row is: its kind and its flags, with the tags they have on disk.

use crate::error::{Error, Result};

/// What a row does to its key. DO NOT CHANGE THE VALUES: they are stored in tables, logs and memtables. Tags 4 to 7 are spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The key has this value.
    Value = 0,
    /// The key is gone; hides everything older.
    Tombstone = 1,
    /// The key is gone; it was written exactly once since it was last gone.
    WeakTombstone = 2,
    /// An input of the merge operator, to be folded onto what is older.
    Operand = 3,
}

impl Kind {
    /// The bits that a tag has.
    pub const TAG_BITS: u8 = 7;

    /// Reads a tag; an unknown one is from a newer version.
    #[inline]
    pub fn from_tag(tag: u8) -> Result<Self> {
        match tag {
            0 => Ok(Self::Value),
            1 => Ok(Self::Tombstone),
            2 => Ok(Self::WeakTombstone),
            3 => Ok(Self::Operand),
            _ => Err(Error::unsupported(format!("row kind {tag} is unknown to this version; upgrade Sediment"))),
        }
    }

    /// The tag on disk.
    #[inline]
    pub fn tag(self) -> u8 {
        self as u8
    }

    /// Whether the newest visible row of this kind makes its key absent.
    #[inline]
    pub fn is_tombstone(self) -> bool {
        matches!(self, Self::Tombstone | Self::WeakTombstone)
    }
}

/// Properties of a row beside its kind: bits 3 to 7 of the byte whose low three bits are the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowFlags(pub u8);

impl RowFlags {
    /// The row has the same user key as the row before it in its block.
    pub const SAME_KEY: Self = Self(1 << 3);
    /// A newer row of the same key lies in the same table: a reader above the block's newest seqno may skip this one.
    pub const OBSOLETE: Self = Self(1 << 4);
    /// The value is a reference into a blob file. Orthogonal to the kind: an operand can be separated too.
    pub const BLOB: Self = Self(1 << 5);
    /// The record carries an expiry time.
    pub const EXPIRY: Self = Self(1 << 6);
    /// The record carries a digest of its own.
    pub const DIGEST: Self = Self(1 << 7);
    /// No flag.
    pub const NONE: Self = Self(0);

    /// What of the byte of kind and flags the digest of a row covers: what it does and how its value is read, and not what depends on
    /// the place where it lies.
    #[inline]
    pub fn digested(tag: u8) -> u8 {
        tag & (Kind::TAG_BITS | Self::BLOB.0)
    }

    /// Whether all flags of `other` are set.
    #[inline]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[inline]
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
