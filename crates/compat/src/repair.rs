//! `RepairReport`: what a repair has done.

use std::path::PathBuf;

/// What a repair has done.
#[derive(Debug)]
pub struct RepairReport {
    /// Tables that are in the tree.
    pub recovered: usize,
    /// Files that were set aside.
    pub unreadable: usize,
    /// Where they were, and why.
    pub unreadable_files: Vec<(PathBuf, String)>,
    /// How.
    pub method: &'static str,
    /// What to know besides.
    pub warnings: Vec<&'static str>,
}
