//! Reads every byte of a tree and reports every fault.

use sediment_base::Error;

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// Table files read.
    pub tables: u64,
    /// Data blocks in them.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes among them that are padding.
    pub unused_bytes: u64,
    /// What is wrong. Empty for a sound tree.
    pub faults: Vec<Error>,
}
