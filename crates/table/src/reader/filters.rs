//! Which filters an open table has, and in memory or not.

use super::{
    Looked, PointRead, Reach, ReadCounts, Table,
    filter_pages::FilterPages,
    tail::{Apart, Tail, is_paged},
};
use crate::{
    cache::Heat,
    context::TableContext,
    filter::{Filter, PrefixFilter},
    properties::Properties,
};
use sediment_base::{Result, stats::Counter};
use sediment_codec::seal::Region;
use sediment_env::File;
use std::sync::Arc;

/// A filter, where its table has it.
#[derive(Debug)]
pub(super) enum Held {
    /// In memory.
    Resident(Filter),
    /// In the file.
    Paged(Box<FilterPages>),
}

/// What the table keeps of its filters.
#[derive(Debug, Default)]
pub(super) struct Filters {
    /// The filter of keys, if it is in memory.
    pub(super) filter: Option<Filter>,
    /// If it is not.
    pub(super) pages: Option<Box<FilterPages>>,
    pub(super) prefixes: Option<PrefixFilter<Held>>,
}

impl Filters {
    /// Reads what is to be in memory of the filters of a table with these properties.
    pub(super) fn open(
        context: &TableContext,
        tail: &Tail,
        file: &Arc<dyn File>,
        properties: &Properties,
        apart: &mut Apart,
    ) -> Result<Self> {
        let mut filters = Self::default();
        if properties.blocks == 0 {
            return Ok(filters);
        }
        if let Some(locator) = Table::locator_within(context, tail, &**file, properties)? {
            filters.filter = Some(Filter::Locator(locator));
            apart.read_bytes += tail.locator_bytes();
            apart.memory_bytes += tail.locator_bytes();
        } else {
            match Held::open(context, tail, file, Region::Filter, apart)? {
                Some(Held::Resident(filter)) => filters.filter = Some(filter),
                Some(Held::Paged(pages)) => filters.pages = Some(pages),
                None => {}
            }
        }
        let prefixes = Held::open(context, tail, file, Region::PrefixFilter, apart)?;
        filters.prefixes = prefixes.and_then(|held| properties.prefix_filter(held, context));
        Ok(filters)
    }
}

impl Held {
    fn open(context: &TableContext, tail: &Tail, file: &Arc<dyn File>, id: Region, apart: &mut Apart) -> Result<Option<Self>> {
        let Some(region) = tail.footer.region(id) else { return Ok(None) };
        if !is_paged(region) {
            return Ok(tail.filter(&**file, id)?.map(Self::Resident));
        }
        if context.is_resident(context.filter_residency, apart.memory_bytes + region.plain_bytes) {
            apart.read_bytes += region.bytes;
            apart.memory_bytes += region.plain_bytes;
            return Ok(tail.filter(&**file, id)?.map(Self::Resident));
        }
        let pages = FilterPages::open(context, tail, file, region)?;
        context.stats.add(Counter::FiltersLeftOut, 1);
        apart.read_bytes += pages.head_read_bytes();
        apart.memory_bytes += pages.memory_bytes() as u64;
        Ok(Some(Self::Paged(Box::new(pages))))
    }
}

impl Properties {
    /// The filter of prefixes of a table with these, for who knows its extractor.
    pub(crate) fn prefix_filter<F>(&self, filter: F, context: &TableContext) -> Option<PrefixFilter<F>> {
        PrefixFilter::new(filter, &self.prefix_extractor, self.hash_seed, context.prefix_extractor.as_ref())
    }
}

impl Table {
    /// False only if no row has a user key with this hash. Reads a page of the filter where that is in pages and not in memory; no caller
    /// holds an epoch pin.
    pub fn may_contain(&self, hash: u64) -> Result<bool> {
        match (&self.filter, &self.filter_pages) {
            (Some(filter), _) => Ok(filter.may_contain(hash)),
            (None, Some(pages)) => Ok(self.of_this_file(pages.may_contain(hash, Reach::All, Heat::Scan))?.unwrap_or(true)),
            (None, None) => Ok(true),
        }
    }

    /// What the filter says of a hash at once: `None` without a filter, where it is a locator, or in pages.
    pub fn filter_answer(&self, hash: u64) -> Option<bool> {
        let filter = self.filter.as_ref().filter(|filter| !matches!(filter, Filter::Locator(_)));
        filter.map(|filter| filter.may_contain(hash))
    }

    /// False only if no row has a user key that begins with `shared`. A table without a prefix filter, or one that knows no prefix of it, may
    /// hold any; else its answer is counted. Reads as [`Table::may_contain`].
    pub fn may_contain_prefix(&self, shared: &[u8]) -> Result<bool> {
        let Some(prefixes) = &self.prefix_filter else { return Ok(true) };
        let prefix = prefixes.longest_in(shared);
        if prefix.is_empty() {
            return Ok(true);
        }
        let hash = prefixes.hash(prefix);
        let may_contain = match prefixes.filter() {
            Held::Resident(filter) => filter.may_contain(hash),
            Held::Paged(pages) => self.of_this_file(pages.may_contain(hash, Reach::All, Heat::Scan))?.unwrap_or(true),
        };
        let stats = self.stats.local();
        stats.add(Counter::PrefixFilterChecks, 1);
        stats.add_some(Counter::PrefixFilterNegatives, u64::from(!may_contain));
        Ok(may_contain)
    }

    /// Whether the filter of keys is in pages, and not in memory.
    pub fn has_filter_pages(&self) -> bool {
        self.filter_pages.is_some()
    }

    /// As [`Table::look`] of a table whose filter is in these pages, as far as that knows: `None` if the fence has to be asked.
    #[inline(never)]
    pub(super) fn look_paged(
        &self,
        pages: &FilterPages,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
    ) -> Result<Option<Looked>> {
        let answer = self.of_this_file(pages.may_contain(read.hash, read.reach, Heat::Point))?;
        counts.filter_checks += u64::from(answer.is_some());
        counts.filter_negatives += u64::from(answer == Some(false));
        Ok(match answer {
            None => Some(Looked::OutOfReach),
            Some(false) => Some(Looked::Absent),
            Some(true) => None,
        })
    }
}
