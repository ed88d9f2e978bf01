//! Compaction filters.

use crate::{
    error::{Result, carry},
    seqno::SeqNo,
    slice::{UserKey, UserValue},
};
use sediment_base::{
    Slice as Bytes,
    compaction_filter::{FilterContext, FilterRow, Verdict as TreeVerdict},
};
use std::{fmt, panic::RefUnwindSafe, sync::Arc};

/// What becomes of a row.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Verdict {
    /// It stays.
    #[default]
    Keep,
    /// A tombstone takes its place.
    Remove,
    /// A weak tombstone takes its place.
    RemoveWeak,
    /// It has this value instead.
    ReplaceValue(UserValue),
    /// It goes without a trace, and an older row of its key comes to light.
    Destroy,
}

/// The compaction that a filter is made for.
#[derive(Debug)]
#[non_exhaustive]
pub struct Context {
    /// Whether its tables go to the deepest level in use.
    pub is_last_level: bool,
}

/// Makes a filter for each compaction.
pub trait Factory: Send + Sync + RefUnwindSafe {
    /// A name to be told apart by.
    fn name(&self) -> &str;

    /// The filter of one compaction.
    fn make_filter(&self, ctx: &Context) -> Box<dyn CompactionFilter>;
}

/// Judges the rows of one compaction: values and operands that stay otherwise, in key order, the newest of a key first.
pub trait CompactionFilter: Send {
    /// What is to become of a row. An error ends the compaction, which then changes nothing.
    fn filter_item(&mut self, item: ItemAccessor<'_>, ctx: &Context) -> Result<Verdict>;

    /// All rows were judged.
    fn finish(self: Box<Self>) {}
}

/// A row to be judged.
#[derive(Debug)]
pub struct ItemAccessor<'a> {
    key: &'a UserKey,
    seqno: SeqNo,
    value: &'a [u8],
}

impl<'a> ItemAccessor<'a> {
    /// Its key.
    pub fn key(&self) -> &'a UserKey {
        self.key
    }

    /// When it was written; 0 where nobody can tell any more.
    pub fn seqno(&self) -> SeqNo {
        self.seqno
    }

    /// Its value, or operand.
    pub fn value(&self) -> Result<UserValue> {
        Ok(UserValue::new(self.value))
    }

    /// Whether the value lies elsewhere: it never does.
    #[doc(hidden)]
    pub fn is_indirection(&self) -> bool {
        false
    }
}

/// The tree's factory for one of the caller's.
pub(crate) fn adapt(factory: &Arc<dyn Factory>) -> Arc<dyn sediment_base::CompactionFilterFactory> {
    Arc::new(Adapted(Arc::clone(factory)))
}

struct Adapted(Arc<dyn Factory>);

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl sediment_base::CompactionFilterFactory for Adapted {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn make(&self, context: &FilterContext) -> Option<Box<dyn sediment_base::CompactionFilter>> {
        let context = Context { is_last_level: context.is_last_level };
        Some(Box::new(AdaptedFilter { filter: self.0.make_filter(&context), context }))
    }
}

struct AdaptedFilter {
    filter: Box<dyn CompactionFilter>,
    context: Context,
}

impl sediment_base::CompactionFilter for AdaptedFilter {
    fn filter(&mut self, row: &FilterRow<'_>) -> sediment_base::Result<TreeVerdict> {
        let key = UserKey::wrap(Bytes::new(row.key));
        let item = ItemAccessor { key: &key, seqno: row.seqno, value: row.value };
        Ok(match self.filter.filter_item(item, &self.context).map_err(carry)? {
            Verdict::Keep => TreeVerdict::Keep,
            Verdict::Remove => TreeVerdict::Remove,
            Verdict::RemoveWeak => TreeVerdict::RemoveWeak,
            Verdict::ReplaceValue(value) => TreeVerdict::Replace(value.to_vec()),
            Verdict::Destroy => TreeVerdict::Destroy,
        })
    }

    fn finish(self: Box<Self>) {
        self.filter.finish();
    }
}
