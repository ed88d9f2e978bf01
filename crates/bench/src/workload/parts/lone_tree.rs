//! A tree by itself: no log, no threads, nothing flushed or compacted unless it is told.

use super::Parts;
use crate::failure::Result;
use sediment_base::{FileUuid, SeqNo};
use sediment_table::BlockCache;
use sediment_tree::{FlushContext, Retention, Tree, TreeOptions};
use sedimentdb::Env;
use std::{ops::ControlFlow, sync::Arc};
use tempfile::TempDir;

/// A tree, and the place of its files.
#[derive(Debug)]
pub(super) struct LoneTree {
    pub(super) tree: Tree,
    _place: TempDir,
}

impl LoneTree {
    /// An empty one, with so much room for blocks in memory.
    pub(super) fn new(parts: &Parts, cache_bytes: u64) -> Result<Self> {
        let place = parts.place()?;
        let options = TreeOptions::new(Arc::new(BlockCache::new(cache_bytes)));
        let tree = Tree::create(&Env::system(), &place.path().join("tree"), FileUuid::default(), options)?;
        Ok(Self { tree, _place: place })
    }

    /// Makes one run of what is in memory, which has seqnos up to `last`.
    pub(super) fn flush(&self, last: SeqNo) -> Result<()> {
        self.tree.seal(last);
        self.tree.flush(&FlushContext {
            retention: Retention::newest(last + 1),
            now_us: 0,
            through: SeqNo::MAX,
            covered: None,
            before_publish: &|_| Ok(()),
            on_slice: &|_| ControlFlow::Continue(()),
        })?;
        Ok(())
    }
}
