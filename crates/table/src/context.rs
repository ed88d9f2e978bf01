//! What writers and readers of tables need from around them.

use crate::cache::BlockCache;
use sediment_base::{FileUuid, KeyOrder};
use sediment_env::{Fs, Random};
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
    /// Where blocks are kept once read.
    pub cache: Arc<BlockCache>,
}
