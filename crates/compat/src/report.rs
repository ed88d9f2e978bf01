//! What reading all of a tree has found.

use crate::{
    checksum::Checksum,
    descriptor_table::TableId,
    error::{Error, of_tree},
    tree::Tree,
};
use sediment_base::filename::parse_number;
use std::{fmt, io, path::PathBuf, time::Duration};

/// What is wrong with a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum IntegrityError {
    /// A table is damaged.
    SstFileCorrupted {
        /// Its number.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
        /// What was stored.
        expected: Checksum,
        /// Of what is there.
        got: Checksum,
    },
    /// A file of values is damaged.
    BlobFileCorrupted {
        /// Its number.
        blob_file_id: u64,
        /// Where it lies.
        path: PathBuf,
        /// What was stored.
        expected: Checksum,
        /// Of what is there.
        got: Checksum,
    },
    /// Whatever else is wrong with it, damage included: the source says what, and where.
    IoError {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        error: io::Error,
    },
}

/// What is wrong with files.
#[derive(Debug)]
#[non_exhaustive]
pub struct IntegrityReport {
    /// Tables that were read.
    pub sst_files_checked: usize,
    /// Files of values that were read.
    pub blob_files_checked: usize,
    /// What is wrong.
    pub errors: Vec<IntegrityError>,
}

/// What is wrong with a block.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlockVerifyError {
    /// Something is wrong with a table: the source says what, and where.
    SstFileUnreadable {
        /// Its number.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        error: Error,
    },
    /// The head of a block is damaged.
    HeaderCorrupted {
        /// The table.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A block is damaged.
    DataCorrupted {
        /// The table.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// Bytes of the block.
        data_length: u32,
        /// What was stored.
        expected: Checksum,
        /// Of what is there.
        got: Checksum,
    },
    /// A block cannot be read.
    DataReadError {
        /// The table.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// Bytes of the block.
        data_length: u32,
        /// What is wrong.
        error: Error,
    },
    /// The list of a table's parts is damaged.
    TocCorrupted {
        /// The table.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
        /// Which part.
        section_name: Vec<u8>,
        /// Where in it.
        section_offset: u64,
        /// What is wrong.
        reason: String,
    },
}

/// What is strange about a table.
#[derive(Debug)]
#[non_exhaustive]
pub enum BlockVerifyWarning {
    /// Its parity is not known.
    UnrecognizedEcc {
        /// Its number.
        table_id: TableId,
        /// Where it lies.
        path: PathBuf,
    },
}

/// What is wrong with blocks.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BlockVerifyReport {
    /// Tables that were read.
    pub sst_files_scanned: usize,
    /// Data blocks in them.
    pub blocks_scanned: usize,
    /// What is wrong.
    pub errors: Vec<BlockVerifyError>,
    /// What is strange.
    pub warnings: Vec<BlockVerifyWarning>,
}

/// How a tree is read.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Threads. Without effect: the one that asks reads.
    pub parallelism: usize,
    /// A rest between tables. Without effect.
    pub throttle: Option<Duration>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { parallelism: 1, throttle: None }
    }
}

impl VerifyOptions {
    /// With so many threads.
    #[must_use]
    pub const fn parallelism(mut self, workers: usize) -> Self {
        self.parallelism = workers;
        self
    }

    /// With this rest between tables.
    #[must_use]
    pub const fn throttle(mut self, delay: Duration) -> Self {
        self.throttle = Some(delay);
        self
    }
}

impl IntegrityReport {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }

    /// Files that were read.
    pub fn files_checked(&self) -> usize {
        self.sst_files_checked + self.blob_files_checked
    }

    pub(crate) fn of(tree: &Tree) -> Self {
        let (tables, _, faults) = read(tree);
        let of_fault = |(path, fault): (PathBuf, sediment_base::Error)| {
            let error = match of_tree(fault) {
                Error::Io(error) => error,
                other => io::Error::other(other),
            };
            IntegrityError::IoError { path, error }
        };
        Self { sst_files_checked: tables, blob_files_checked: 0, errors: faults.into_iter().map(of_fault).collect() }
    }
}

impl BlockVerifyReport {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether something is strange.
    pub fn has_warnings(&self) -> bool {
        !self.warnings.is_empty()
    }

    pub(crate) fn of(tree: &Tree, _options: &VerifyOptions) -> Self {
        let (tables, blocks, faults) = read(tree);
        let of_fault = |(path, fault)| Self::unreadable(path, of_tree(fault));
        Self {
            sst_files_scanned: tables,
            blocks_scanned: blocks,
            errors: faults.into_iter().map(of_fault).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn unreadable(path: PathBuf, error: Error) -> BlockVerifyError {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(parse_number);
        BlockVerifyError::SstFileUnreadable { table_id: name.unwrap_or_default(), path, error }
    }
}

/// Reads all of a tree: tables, blocks, and what is wrong where.
fn read(tree: &Tree) -> (usize, usize, Vec<(PathBuf, sediment_base::Error)>) {
    let placed = |fault: sediment_base::Error| (fault.location().map(|place| place.file).unwrap_or_default(), fault);
    match tree.tree.verify() {
        Ok(report) => (report.tables as usize, report.blocks as usize, report.faults.into_iter().map(placed).collect()),
        Err(fault) => (0, 0, vec![placed(fault)]),
    }
}

impl fmt::Display for IntegrityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SstFileCorrupted { table_id, path, expected, got } => {
                write!(f, "table {table_id} in {} is damaged: expected {expected}, found {got}", path.display())
            }
            Self::BlobFileCorrupted { blob_file_id, path, expected, got } => {
                write!(f, "file of values {blob_file_id} in {} is damaged: expected {expected}, found {got}", path.display())
            }
            Self::IoError { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for IntegrityError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::IoError { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for BlockVerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SstFileUnreadable { table_id, path, error } => write!(f, "table {table_id} in {}: {error}", path.display()),
            other => write!(f, "{other:?}"),
        }
    }
}

impl std::error::Error for BlockVerifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::SstFileUnreadable { error, .. } | Self::DataReadError { error, .. } => Some(error),
            _ => None,
        }
    }
}
