//! What writers and readers of tables need from around them.

use crate::{cache::BlockCache, options::Residency};
use sediment_base::{BlockCodec, Error, FileUuid, KeyOrder, MemoryBudget, PrefixExtractor, Result, Stats};
use sediment_env::{Fs, Park, Random, ThreadPark};
use std::sync::Arc;

/// The surroundings of the tables of one tree. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TableContext {
    /// Where the files are.
    pub fs: Arc<dyn Fs>,
    /// Source of file uuids.
    pub random: Arc<dyn Random>,
    /// The database that new files belong to.
    pub db_uuid: FileUuid,
    /// The order of user keys.
    pub order: KeyOrder,
    /// Asks prefix filters that were built with it. Those that come along are known without.
    pub prefix_extractor: Option<Arc<dyn PrefixExtractor>>,
    /// Codecs that do not come along, for tables that were written with them.
    pub codecs: Arc<[Arc<dyn BlockCodec>]>,
    /// Where blocks are kept once read.
    pub cache: Arc<BlockCache>,
    /// Where readers wait for a block that another reads.
    pub park: Arc<dyn Park>,
    /// Counts what readers do.
    pub stats: Arc<Stats>,
    /// Is charged for what open tables keep in memory, and for the buffers of rewrites.
    pub budget: Arc<MemoryBudget>,
    /// Whether tables that are opened keep long filters in memory.
    pub filter_residency: Residency,
    /// Whether they keep long fences there.
    pub fence_residency: Residency,
}

impl TableContext {
    /// Surroundings with statistics of their own and the budget of the cache, whose readers are threads of the operating
    /// system.
    pub fn new(fs: Arc<dyn Fs>, random: Arc<dyn Random>, db_uuid: FileUuid, order: KeyOrder, cache: Arc<BlockCache>) -> Self {
        let budget = Arc::clone(cache.budget());
        let park = Arc::new(ThreadPark::new());
        let (prefix_extractor, codecs, stats) = (None, Arc::default(), Arc::default());
        let residency = Residency::default();
        Self {
            fs,
            random,
            db_uuid,
            order,
            prefix_extractor,
            codecs,
            cache,
            park,
            stats,
            budget,
            filter_residency: residency,
            fence_residency: residency,
        }
    }

    /// Whether a table that is being opened keeps metadata in memory of which this says where they are to be; so many bytes with what it has
    /// already.
    pub(crate) fn is_resident(&self, residency: Residency, bytes: u64) -> bool {
        match residency {
            Residency::Resident => true,
            Residency::Paged => false,
            Residency::ByBudget => self.budget.has_room_for_metadata(bytes),
        }
    }

    /// The codec of this name, if it does not come along.
    pub(crate) fn codec(&self, name: &str) -> Result<Option<Arc<dyn BlockCodec>>> {
        if name.is_empty() {
            return Ok(None);
        }
        let codec = self.codecs.iter().find(|codec| codec.name() == name).cloned();
        let missing =
            || Error::unsupported(format!("the table is compressed with the codec {name:?}: open it with that codec"));
        codec.ok_or_else(missing).map(Some)
    }
}
