//! `Cursor`: the one contract of internal iteration.
//!
//! A cursor stands on a row or on none (before the first, after the last, or freshly made). Every move that fails leaves it in
//! error: it is then on no row, and each later move returns the same error again, so that a failed read can never look like
//! the end of the data. `key()` and `value()` live until the next move. Rows come in the order of
//! [`InternalKey::compare`](crate::InternalKey::compare), all versions of a key included.
//!
//! Moving past either end leaves the cursor on no row; `next` and `prev` may only be called on a row.

use crate::{error::Result, key::InternalKey, kind::RowFlags};

/// A position in an ordered sequence of rows. One caller at a time.
pub trait Cursor: Send {
    /// Whether the cursor stands on a row.
    fn is_valid(&self) -> bool;

    /// The row's key. Panics on no row.
    fn key(&self) -> InternalKey<'_>;

    /// The row's stored value: empty for tombstones, a reference where the flags say so. Panics on no row.
    fn value(&self) -> &[u8];

    /// The row's flags; only those that a reader needs to interpret the value.
    fn flags(&self) -> RowFlags {
        RowFlags::NONE
    }

    /// The row's digest under this seed of the key hash, if it came with one. It was made when the row was written, and was checked when the
    /// cursor came here; who passes the row on passes it on with it. Panics on no row.
    fn digest(&self, hash_seed: u64) -> Option<u32> {
        let _ = hash_seed;
        None
    }

    /// Moves to the first row.
    fn seek_to_first(&mut self) -> Result<()>;

    /// Moves to the last row.
    fn seek_to_last(&mut self) -> Result<()>;

    /// Moves to the first row at or after `target`.
    fn seek(&mut self, target: InternalKey<'_>) -> Result<()>;

    /// Moves to the last row before `target` (strictly).
    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()>;

    /// Moves to the row after. Panics on no row.
    fn next(&mut self) -> Result<()>;

    /// Moves to the row before. Panics on no row.
    fn prev(&mut self) -> Result<()>;
}
