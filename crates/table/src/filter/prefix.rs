//! Filters over prefixes of keys: whether a table may hold a key that begins with one.

use super::{Encoded, Filter};
use crate::options::FilterKind;
use sediment_base::{PrefixExtractor, comparator::shared_prefix, prefix_extractor};
use sediment_codec::hash::key_hash;
use std::sync::Arc;

/// The prefix filter of one table, with the extractor that chose what is in it.
#[derive(Debug)]
pub(crate) struct PrefixFilter<F = Filter> {
    extractor: Arc<dyn PrefixExtractor>,
    filter: F,
    hash_seed: u64,
}

impl<F> PrefixFilter<F> {
    /// For a filter whose table names its extractor: `own` or one that comes along. `None` if neither has that name.
    pub(crate) fn new(filter: F, name: &str, hash_seed: u64, own: Option<&Arc<dyn PrefixExtractor>>) -> Option<Self> {
        let own = own.filter(|extractor| extractor.name() == name).cloned();
        let extractor = own.or_else(|| prefix_extractor::by_name(name))?;
        Some(Self { extractor, filter, hash_seed })
    }

    /// The longest of the prefixes that the filter knows of keys that begin with `shared`; empty where there is none.
    pub(crate) fn longest_in<'k>(&self, shared: &'k [u8]) -> &'k [u8] {
        let mut longest = 0;
        self.extractor.prefix_lens(shared, &mut |len| longest = longest.max(len));
        shared.get(..longest).unwrap_or_default()
    }

    /// The hash of a prefix, which is one of those that the filter knows.
    pub(crate) fn hash(&self, prefix: &[u8]) -> u64 {
        key_hash(self.hash_seed, prefix)
    }

    pub(crate) fn filter(&self) -> &F {
        &self.filter
    }
}

impl PrefixFilter {
    /// False only if no key has this prefix, which is one of those that the filter knows.
    fn may_contain(&self, prefix: &[u8]) -> bool {
        self.filter.may_contain(self.hash(prefix))
    }

    /// False only if the filter denies a prefix of this key, which is in the table.
    pub(crate) fn knows(&self, key: &[u8]) -> bool {
        let mut knows = true;
        self.extractor.prefix_lens(key, &mut |len| knows &= key.get(..len).is_none_or(|prefix| self.may_contain(prefix)));
        knows
    }
}

/// The prefixes of ascending keys, for a filter.
#[derive(Debug)]
pub(crate) struct PrefixHashes {
    extractor: Arc<dyn PrefixExtractor>,
    hash_seed: u64,
    hashes: Vec<u64>,
}

impl PrefixHashes {
    pub(crate) fn new(extractor: Arc<dyn PrefixExtractor>, hash_seed: u64) -> Self {
        Self { extractor, hash_seed, hashes: Vec::new() }
    }

    /// Adds the prefixes of `key` that `before`, the key added last, does not have. It is empty before the first.
    pub(crate) fn add(&mut self, before: &[u8], key: &[u8]) {
        let shared = shared_prefix(before, key);
        self.extractor.prefix_lens(key, &mut |len| {
            if len > shared
                && let Some(prefix) = key.get(..len)
            {
                self.hashes.push(key_hash(self.hash_seed, prefix));
            }
        });
    }

    /// How many prefixes were added.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// The filter over them.
    pub(crate) fn encode(&self, kind: FilterKind, bits_per_prefix: u8) -> Encoded {
        Filter::encode(kind, &self.hashes, bits_per_prefix)
    }

    /// Memory that it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>()
    }
}
