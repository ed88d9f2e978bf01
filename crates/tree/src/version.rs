//! What is on disk: levels of runs of tables, the edits that change them, and the manifest that keeps the edits.

use sediment_base::Generation;

/// How far a manifest is durable: the anchor that a log may keep of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManifestPosition {
    /// The generation that `CURRENT` names.
    pub generation: Generation,
    /// Its length up to the end of the last durable record.
    pub length: u64,
}
