//! `CompactionFilter`: the caller's say in which rows a compaction keeps.
//!
//! What expires, or belongs to nobody any more, need not be read, found out and removed by the caller: a compaction reads it anyway and
//! asks. A [`CompactionFilterFactory`] is set up once and makes a filter for each compaction, or for each portion of one.

use crate::{error::Result, kind::Kind, seqno::SeqNo};
use std::fmt;

/// Makes a filter for each compaction. Chosen by its name.
///
/// ```
/// # use sediment_base::{
/// #     Result,
/// #     compaction_filter::{CompactionFilter, CompactionFilterFactory, FilterContext, FilterRow, Verdict},
/// # };
/// /// Values begin with the second in which they expire, in eight big-endian bytes.
/// #[derive(Debug)]
/// struct Expiry;
///
/// struct ExpiredBy([u8; 8]);
///
/// impl CompactionFilterFactory for Expiry {
///     fn name(&self) -> &str {
///         "expiry"
///     }
///
///     fn make(&self, context: &FilterContext) -> Option<Box<dyn CompactionFilter>> {
///         Some(Box::new(ExpiredBy((context.now_us / 1_000_000).to_be_bytes())))
///     }
/// }
///
/// impl CompactionFilter for ExpiredBy {
///     fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict> {
///         let is_expired = row.value.get(..8).is_some_and(|expiry| expiry <= &self.0[..]);
///         Ok(if is_expired { Verdict::Remove } else { Verdict::Keep })
///     }
/// }
/// ```
pub trait CompactionFilterFactory: Send + Sync + fmt::Debug {
    /// A name to be chosen by.
    fn name(&self) -> &str;

    /// The filter of one compaction; `None` where it is to keep everything. A large one can be divided by key into portions that are done
    /// side by side: then each has a filter of its own, all are made before any is asked, and each knows only its own keys.
    fn make(&self, context: &FilterContext) -> Option<Box<dyn CompactionFilter>>;
}

/// Judges the rows of one compaction, or of one portion of it, in key order, the newest of a key first. Every row of a key is in one portion.
///
/// It is shown rows that stay otherwise: values and operands, neither removed nor superseded, and none that an open snapshot
/// sees. A row can come again with the next compaction, or never, where none is due. So a filter is for what may go, not for what
/// must not be seen: readers still see a row that has expired and was not compacted yet.
pub trait CompactionFilter: Send {
    /// What is to become of a row. An error ends the compaction, which then changes nothing, and in the background of a database
    /// all writing: what cannot be judged is to be kept.
    fn filter(&mut self, row: &FilterRow<'_>) -> Result<Verdict>;

    /// All rows were judged, and what stays is written. The compaction can still fail to be installed; one that failed or was cancelled
    /// before does not call this. Of a compaction in portions one can fail after others have ended.
    fn finish(self: Box<Self>) {}
}

/// The compaction that a filter is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterContext {
    /// Whether no table lies in a deeper level than those that are made.
    pub is_last_level: bool,
    /// The wall clock, in microseconds since 1970.
    pub now_us: u64,
}

/// A row to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterRow<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// When it was written; 0 where nobody can tell any more.
    pub seqno: SeqNo,
    /// [`Kind::Value`] or [`Kind::Operand`].
    pub kind: Kind,
    /// Its value, or operand.
    pub value: &'a [u8],
}

/// What becomes of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    #[default]
    Keep,
    /// The key is removed as of this row: nothing of it that is older is seen either.
    Remove,
    /// The same by a weak tombstone: for keys that are written once.
    RemoveWeak,
    /// It has this value, or operand, instead.
    Replace(Vec<u8>),
    /// It goes without a trace, and an older row of the key that is still there comes to light again. Cheaper than
    /// [`Verdict::Remove`] where there is none.
    Destroy,
}
