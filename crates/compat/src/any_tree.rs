//! The three names of a tree.

use crate::{
    abstract_tree::{AbstractTree, sealed::Sealed},
    config::Config,
    error::Result,
    heal_hints::HealHints,
    ingestion::AnyIngestion,
    repair::RepairReport,
    runtime_config::RuntimeConfig,
    scan_since::ScanSinceEvent,
    seqno::SeqNo,
    tree::Tree,
};
use std::sync::Arc;

/// A tree whose large values lie apart. None is opened yet.
#[derive(Clone, Debug)]
pub struct BlobTree {
    #[doc(hidden)]
    pub index: Tree,
}

/// A tree, whichever it is. Cheap to clone; the clones are one tree.
#[derive(Clone, Debug)]
pub enum AnyTree {
    /// Values lie with their keys.
    Standard(Tree),
    /// Large ones lie apart.
    Blob(BlobTree),
}

impl Sealed for Tree {
    #[inline]
    fn standard(&self) -> &Tree {
        self
    }
}

impl Sealed for BlobTree {
    #[inline]
    fn standard(&self) -> &Tree {
        &self.index
    }
}

impl Sealed for AnyTree {
    #[inline]
    fn standard(&self) -> &Tree {
        match self {
            Self::Standard(tree) => tree,
            Self::Blob(tree) => &tree.index,
        }
    }
}

impl AbstractTree for Tree {}

impl AbstractTree for BlobTree {}

impl AbstractTree for AnyTree {}

impl AnyTree {
    /// Begins to write sorted rows straight into tables.
    pub fn ingestion(&self) -> Result<AnyIngestion<'_>> {
        Ok(AnyIngestion::new(self.standard(), matches!(self, Self::Blob(_))))
    }
}

impl Tree {
    /// Begins to write sorted rows straight into tables.
    pub fn ingestion(&self) -> Result<AnyIngestion<'_>> {
        Ok(AnyIngestion::new(self, false))
    }
}

impl BlobTree {
    /// Begins to write sorted rows straight into tables.
    pub fn ingestion(&self) -> Result<AnyIngestion<'_>> {
        Ok(AnyIngestion::new(&self.index, true))
    }
}

macro_rules! on_the_others {
    ($($name:ident),*) => {$(
        impl $name {
            /// As [`Tree::scan_since_seqno`].
            pub fn scan_since_seqno(&self, target_seqno: SeqNo) -> Result<impl Iterator<Item = ScanSinceEvent> + use<>> {
                self.standard().scan_since_seqno(target_seqno)
            }

            /// As [`Tree::update_runtime_config`].
            pub fn update_runtime_config<F>(&self, mutator: F) -> Result<()>
            where
                F: FnOnce(&mut RuntimeConfig),
            {
                self.standard().update_runtime_config(mutator)
            }

            /// As [`Tree::runtime_config`].
            pub fn runtime_config(&self) -> Arc<RuntimeConfig> {
                self.standard().runtime_config()
            }

            /// As [`Tree::heal_hints`].
            pub fn heal_hints(&self) -> Arc<HealHints> {
                self.standard().heal_hints()
            }
        }
    )*};
}

on_the_others!(BlobTree, AnyTree);

impl From<Tree> for AnyTree {
    fn from(tree: Tree) -> Self {
        Self::Standard(tree)
    }
}

impl From<BlobTree> for AnyTree {
    fn from(tree: BlobTree) -> Self {
        Self::Blob(tree)
    }
}

impl TryFrom<AnyTree> for Tree {
    type Error = &'static str;

    fn try_from(tree: AnyTree) -> std::result::Result<Self, &'static str> {
        match tree {
            AnyTree::Standard(tree) => Ok(tree),
            AnyTree::Blob(_) => Err("its large values lie apart"),
        }
    }
}

impl TryFrom<AnyTree> for BlobTree {
    type Error = &'static str;

    fn try_from(tree: AnyTree) -> std::result::Result<Self, &'static str> {
        match tree {
            AnyTree::Blob(tree) => Ok(tree),
            AnyTree::Standard(_) => Err("its values lie with their keys"),
        }
    }
}

impl Config {
    /// Opens the tree, or makes it where there is none. One process, and one handle, at a time: a second is an error of kind `WouldBlock`.
    pub fn open(self) -> Result<AnyTree> {
        Tree::open(self).map(AnyTree::Standard)
    }

    /// Makes a manifest anew from what tables there are. Not there yet.
    pub fn repair(&self) -> Result<RepairReport> {
        Err(crate::error::unsupported("repair"))
    }
}
