//! What a table says about itself, and the part of it that a manifest keeps.

use sediment_base::{FileUuid, KeyRange, SeqNo, TableId};

/// What a manifest records of a table: enough to choose it, to plan with it, and to notice when its file is another one.
#[derive(Clone, Debug, PartialEq)]
pub struct TableMeta {
    /// Its number in the tree; names the file.
    pub id: TableId,
    /// The identity in its header.
    pub uuid: FileUuid,
    /// Length of the file.
    pub file_bytes: u64,
    /// The content root: a checksum over the checksums of all its frames.
    pub root: u64,
    /// Smallest and largest user key.
    pub range: KeyRange,
    /// Smallest sequence number of a row.
    pub min_seqno: SeqNo,
    /// Largest sequence number of a row.
    pub max_seqno: SeqNo,
    /// Rows of all kinds.
    pub rows: u64,
    /// Tombstones among them, weak ones included.
    pub tombstones: u64,
    /// Time of the oldest write inside, inherited through rewrites.
    pub oldest_write_us: u64,
}

/// What a table says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Properties {
    /// Rows of all kinds.
    pub rows: u64,
    /// Seed of the key hash that lookups must bring.
    pub hash_seed: u64,
}
