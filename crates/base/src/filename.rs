//! The name of every file in our directories: print and parse, in one place.
//!
//! ```text
//! tree:      CURRENT  manifest-<gen>  tables/<id>  blobs/<id>     lost/  LOCK  .creating-<hex>/
//! database:  CURRENT  catalog-<gen>   wal/<id>     trees/<id>/…   lost/  LOCK  .creating-<hex>/  RESERVE  STATS
//! ```
//!
//! Numbers are plain decimal without leading zeros, so every name has one spelling and parsing is the inverse of printing.

use crate::{
    id::{BlobFileId, Generation, TableId, TreeId, WalId},
    limits::ID_END,
};
use std::{fmt, path::Path, path::PathBuf};

/// Names the newest generation; replaced atomically.
pub const CURRENT: &str = "CURRENT";
/// Held by the process that has the directory open; never unlinked.
pub const LOCK: &str = "LOCK";
/// Space that is kept for going on when the disk is full. Holds nothing.
pub const RESERVE: &str = "RESERVE";
/// What a running database tells about itself. Nothing reads it but people and their programs.
pub const STATS: &str = "STATS";
/// Where table files live.
pub const TABLES_DIR: &str = "tables";
/// Where files of separated values live.
pub const BLOBS_DIR: &str = "blobs";
/// Where log files live.
pub const WAL_DIR: &str = "wal";
/// Where the trees of a database live.
pub const TREES_DIR: &str = "trees";
/// Where files go that nothing names, until they are proven to be garbage.
pub const LOST_DIR: &str = "lost";

const MANIFEST_PREFIX: &str = "manifest-";
const CATALOG_PREFIX: &str = "catalog-";
const CREATING_PREFIX: &str = ".creating-";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// An entry directly inside the directory of a tree or a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileName {
    /// `CURRENT`
    Current,
    /// `LOCK`
    Lock,
    /// `RESERVE`
    Reserve,
    /// `STATS`
    Stats,
    /// `manifest-<gen>`
    Manifest(Generation),
    /// `catalog-<gen>`
    Catalog(Generation),
    /// `tables/`, `blobs/`, `wal/`, `trees/` or `lost/`
    Folder(&'static str),
    /// `.creating-<hex>`: a first creation that is under way, or was cut short.
    Creating(u64),
    /// `<name>.tmp`: a file that was to replace `<name>` and did not come to it.
    Temporary(String),
}

impl FileName {
    /// Reads a directory entry; `None` for a name that is not ours.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix(MANIFEST_PREFIX) {
            return parse_number(number).map(|number| Self::Manifest(Generation(number)));
        }
        if let Some(number) = name.strip_prefix(CATALOG_PREFIX) {
            return parse_number(number).map(|number| Self::Catalog(Generation(number)));
        }
        if let Some(hex) = name.strip_prefix(CREATING_PREFIX) {
            let number = u64::from_str_radix(hex, 16).ok()?;
            return (format!("{number:016x}") == hex).then_some(Self::Creating(number));
        }
        if let Some(target) = name.strip_suffix(TEMPORARY_SUFFIX) {
            return (!target.is_empty()).then(|| Self::Temporary(target.into()));
        }
        let folder = [TABLES_DIR, BLOBS_DIR, WAL_DIR, TREES_DIR, LOST_DIR].into_iter().find(|folder| *folder == name);
        match name {
            CURRENT => Some(Self::Current),
            LOCK => Some(Self::Lock),
            RESERVE => Some(Self::Reserve),
            STATS => Some(Self::Stats),
            _ => folder.map(Self::Folder),
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str(CURRENT),
            Self::Lock => f.write_str(LOCK),
            Self::Reserve => f.write_str(RESERVE),
            Self::Stats => f.write_str(STATS),
            Self::Manifest(generation) => write!(f, "{MANIFEST_PREFIX}{generation}"),
            Self::Catalog(generation) => write!(f, "{CATALOG_PREFIX}{generation}"),
            Self::Folder(name) => f.write_str(name),
            Self::Creating(number) => write!(f, "{CREATING_PREFIX}{number:016x}"),
            Self::Temporary(target) => write!(f, "{target}{TEMPORARY_SUFFIX}"),
        }
    }
}

/// Path of a table within the directory of its tree.
pub fn table(dir: &Path, id: TableId) -> PathBuf {
    dir.join(TABLES_DIR).join(id.to_string())
}

/// Path of a blob file within the directory of its tree.
pub fn blob(dir: &Path, id: BlobFileId) -> PathBuf {
    dir.join(BLOBS_DIR).join(id.to_string())
}

/// Path of a log file within the directory of its database.
pub fn wal(dir: &Path, id: WalId) -> PathBuf {
    dir.join(WAL_DIR).join(id.to_string())
}

/// Directory of a tree within the directory of its database.
pub fn tree(dir: &Path, id: TreeId) -> PathBuf {
    dir.join(TREES_DIR).join(id.to_string())
}

/// Path of a manifest within the directory of its tree.
pub fn manifest(dir: &Path, generation: Generation) -> PathBuf {
    dir.join(FileName::Manifest(generation).to_string())
}

/// Path of a catalog within the directory of its database.
pub fn catalog(dir: &Path, generation: Generation) -> PathBuf {
    dir.join(FileName::Catalog(generation).to_string())
}

/// The number that names a table, blob file, log file or tree; `None` for anything else, also for a number that is no id.
pub fn parse_number(name: &str) -> Option<u64> {
    let number: u64 = name.parse().ok()?;
    (number < ID_END && number.to_string() == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_has_one_spelling() {
        let names = [
            "CURRENT",
            "LOCK",
            "RESERVE",
            "STATS",
            "manifest-7",
            "catalog-12",
            "wal",
            "lost",
            ".creating-00000000000000ff",
            "CURRENT.tmp",
        ];
        for name in names {
            assert_eq!(FileName::parse(name).expect(name).to_string(), name);
        }
        for foreign in ["", "manifest-", "manifest-07", "manifest-+7", ".creating-ff", "current", ".tmp", "notes.txt"] {
            assert_eq!(FileName::parse(foreign), None, "{foreign}");
        }
        assert_eq!((parse_number("18"), parse_number("018"), parse_number("-1")), (Some(18), None, None));
        assert_eq!(parse_number(&ID_END.to_string()), None);
    }
}
