//! What a verification found.

use sediment_base::Error;

/// What [`Db::verify`](crate::Db::verify) found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VerifyReport {
    /// Files read.
    pub files: u64,
    /// Blocks read.
    pub blocks: u64,
    /// Rows read.
    pub rows: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Everything that is wrong; empty for a sound database.
    pub faults: Vec<Error>,
}
