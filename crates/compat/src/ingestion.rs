//! Ingestion: sorted rows straight into tables.

use crate::{
    error::{Error, Result, invalid, of_tree},
    slice::{UserKey, UserValue},
    tree::Tree,
};
use sediment_base::ErrorKind;

/// Sorted rows on their way into a tree.
#[derive(Debug)]
pub struct Ingestion<'a> {
    tree: &'a Tree,
    rows: sediment_tree::Ingestion,
}

/// The same for a tree whose large values lie apart.
#[derive(Debug)]
pub struct BlobIngestion<'a>(Ingestion<'a>);

/// Sorted rows on their way into a tree. Dropped unfinished, it leaves nothing.
#[derive(Debug)]
pub enum AnyIngestion<'a> {
    /// Values lie with their keys.
    Standard(Ingestion<'a>),
    /// Large ones lie apart.
    Blob(BlobIngestion<'a>),
}

impl<'a> AnyIngestion<'a> {
    pub(crate) fn new(tree: &'a Tree, is_blob: bool) -> Self {
        let ingestion = Ingestion { tree, rows: tree.begin_ingestion() };
        if is_blob { Self::Blob(BlobIngestion(ingestion)) } else { Self::Standard(ingestion) }
    }

    /// Gives a key a value. Keys ascend in the order of the tree, each once: another is an error of kind `InvalidInput`, and harmless.
    pub fn write<K: Into<UserKey>, V: Into<UserValue>>(&mut self, key: K, value: V) -> Result<()> {
        self.rows().insert(&key.into(), &value.into()).map_err(refused)
    }

    /// Removes a key. As [`AnyIngestion::write`] in all else.
    pub fn write_tombstone<K: Into<UserKey>>(&mut self, key: K) -> Result<()> {
        self.rows().remove(&key.into()).map_err(refused)
    }

    /// Removes a key that was written once since it was last gone. As [`AnyIngestion::write`] in all else.
    pub fn write_weak_tombstone<K: Into<UserKey>>(&mut self, key: K) -> Result<()> {
        self.rows().remove_weak(&key.into()).map_err(refused)
    }

    /// Shows all rows at once: newer than all that was written before, older than all that comes.
    pub fn finish(self) -> Result<()> {
        let (Self::Standard(ingestion) | Self::Blob(BlobIngestion(ingestion))) = self;
        ingestion.tree.finish_ingestion(ingestion.rows)
    }

    fn rows(&mut self) -> &mut sediment_tree::Ingestion {
        let (Self::Standard(ingestion) | Self::Blob(BlobIngestion(ingestion))) = self;
        &mut ingestion.rows
    }
}

fn refused(error: sediment_base::Error) -> Error {
    if error.kind() == ErrorKind::InvalidInput && error.message().starts_with("keys to ingest must ascend") {
        return invalid(format!("next key in ingestion must be ordered after last key by configured comparator: {error}"));
    }
    of_tree(error)
}
