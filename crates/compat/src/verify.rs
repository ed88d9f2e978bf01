//! Reading all of a tree.

pub use crate::report::{
    BlockVerifyError, BlockVerifyReport, BlockVerifyWarning, IntegrityError, IntegrityReport, VerifyOptions,
};
use crate::{
    abstract_tree::AbstractTree,
    error::{Result, of_tree, unsupported},
};
use std::path::Path;

/// Reads every byte of every table, and says what is wrong.
pub fn verify_integrity(tree: &impl AbstractTree) -> IntegrityReport {
    IntegrityReport::of(tree.standard())
}

/// Reads every block of every table, and says what is wrong.
pub fn verify_block_checksums(tree: &impl AbstractTree) -> BlockVerifyReport {
    verify_block_checksums_with(tree, &VerifyOptions::default())
}

/// The same, in this way.
pub fn verify_block_checksums_with(tree: &impl AbstractTree, options: &VerifyOptions) -> BlockVerifyReport {
    BlockVerifyReport::of(tree.standard(), options)
}

/// Checks rows that have checksums of their own, and on the way to them whatever else lies in the tables: the first thing that is wrong.
pub fn verify_kv_checksums(tree: &impl AbstractTree) -> Result<()> {
    let report = tree.standard().tree.verify().map_err(of_tree)?;
    report.faults.into_iter().next().map_or(Ok(()), |fault| Err(of_tree(fault)))
}

/// Reads a table of no tree. Not there yet: the report has one error that says so.
pub fn verify_sst_file(path: &Path) -> BlockVerifyReport {
    let error = BlockVerifyReport::unreadable(path.to_path_buf(), unsupported("verification of a table alone"));
    BlockVerifyReport { errors: vec![error], ..BlockVerifyReport::default() }
}
