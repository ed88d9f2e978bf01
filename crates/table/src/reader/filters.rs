//! Which filters an open table has, and in memory or not.

use super::{
    Looked, PointRead, Reach, ReadCounts, Table,
    filter_pages::FilterPages,
    tail::{Parts, Tail, is_paged},
};
use crate::{
    cache::Heat,
    context::TableContext,
    filter::{Filter, PrefixFilter},
    options::Residency,
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
    /// What of them is not a part of the end of the file, which is read at once: bytes that were read, and memory.
    pub(super) read_bytes: u64,
    pub(super) memory_bytes: u64,
}

impl Filters {
    /// Reads what is to be in memory of the filters of a table with these parts.
    pub(super) fn open(context: &TableContext, tail: &Tail, file: &Arc<dyn File>, parts: &Parts) -> Result<Self> {
        let mut filters = Self::default();
        if parts.fence.blocks() == 0 {
            return Ok(filters);
        }
        if let Some(locator) = Table::locator_within(context, tail, &**file, parts)? {
            filters.filter = Some(Filter::Locator(locator));
            (filters.read_bytes, filters.memory_bytes) = (tail.locator_bytes(), tail.locator_bytes());
        } else {
            match filters.held(context, tail, file, Region::Filter)? {
                Some(Held::Resident(filter)) => filters.filter = Some(filter),
                Some(Held::Paged(pages)) => filters.pages = Some(pages),
                None => {}
            }
        }
        let prefixes = filters.held(context, tail, file, Region::PrefixFilter)?;
        filters.prefixes = prefixes.and_then(|held| parts.prefix_filter(held, context));
        Ok(filters)
    }

    fn held(&mut self, context: &TableContext, tail: &Tail, file: &Arc<dyn File>, id: Region) -> Result<Option<Held>> {
        let Some(region) = tail.footer.region(id) else { return Ok(None) };
        let is_resident = !is_paged(region)
            || match context.filter_residency {
                Residency::Resident => true,
                Residency::Paged => false,
                Residency::ByBudget => context.budget.has_room_for_metadata(self.memory_bytes + region.plain_bytes),
            };
        if is_resident {
            if is_paged(region) {
                self.read_bytes += region.bytes;
                self.memory_bytes += region.plain_bytes;
            }
            return Ok(tail.filter(&**file, id)?.map(Held::Resident));
        }
        let pages = FilterPages::open(context, tail, file, region)?;
        context.stats.add(Counter::FiltersLeftOut, 1);
        self.read_bytes += pages.head_read_bytes();
        self.memory_bytes += pages.memory_bytes() as u64;
        Ok(Some(Held::Paged(Box::new(pages))))
    }
}

impl Parts {
    /// The filter of prefixes, for who knows its extractor.
    pub(crate) fn prefix_filter<F>(&self, filter: F, context: &TableContext) -> Option<PrefixFilter<F>> {
        let (name, seed) = (&self.properties.prefix_extractor, self.properties.hash_seed);
        PrefixFilter::new(filter, name, seed, context.prefix_extractor.as_ref())
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
