//! Values that lie apart: names and shapes. No tree has such yet.

use crate::checksum::Checksum;
use rustc_hash::FxBuildHasher;
use std::{
    hash::{Hash, Hasher},
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The map of the standard library with a quick hash.
pub type HashMap<K, V> = std::collections::HashMap<K, V, FxBuildHasher>;

/// A file of values.
#[derive(Clone, Debug)]
pub struct BlobFile(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    id: u64,
    checksum: Checksum,
    path: PathBuf,
    len: u64,
}

impl BlobFile {
    /// Its number.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Over all of it.
    pub fn checksum(&self) -> Checksum {
        self.0.checksum
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// How many values.
    #[allow(clippy::len_without_is_empty, reason = "no file is without values")]
    pub fn len(&self) -> u64 {
        self.0.len
    }
}

impl PartialEq for BlobFile {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for BlobFile {}

impl Hash for BlobFile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

/// The files of values of a version.
#[derive(Clone, Debug, Default)]
pub struct BlobFileList(Vec<BlobFile>);

impl BlobFileList {
    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &BlobFile> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What of a file of values nothing names any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentationEntry {
    /// Values.
    pub len: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that they take on disk.
    pub on_disk_bytes: u64,
}

impl FragmentationEntry {
    /// From its numbers.
    pub fn new(len: usize, bytes: u64, on_disk_bytes: u64) -> Self {
        Self { len, bytes, on_disk_bytes }
    }
}

/// What nothing names any more, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FragmentationMap(HashMap<u64, FragmentationEntry>);

impl Deref for FragmentationMap {
    type Target = HashMap<u64, FragmentationEntry>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What a table names of a file of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedFile {
    /// The file.
    pub blob_file_id: u64,
    /// Bytes of values.
    pub bytes: u64,
    /// Bytes that they take on disk.
    pub on_disk_bytes: u64,
    /// Values.
    pub len: usize,
}
