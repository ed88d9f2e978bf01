//! The interface of the `lsm_tree` family over [`sediment_tree`]: an existing caller changes one line of its `Cargo.toml`.
//!
//! A thin translation, with no engine of its own. What it does otherwise than the family, and what is not there yet, stands in the
//! crate's README.
//!
//! ```
//! use lsm_tree::{AbstractTree, Config, SequenceNumberCounter};
//!
//! # fn main() -> lsm_tree::Result<()> {
//! let folder = lsm_tree::get_tmp_folder();
//! let (seqno, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
//! let tree = Config::new(&folder, seqno.clone(), visible.clone()).open()?;
//!
//! let now = seqno.next();
//! tree.insert("a", "hello", now);
//! visible.fetch_max(now + 1);
//! assert_eq!(tree.get("a", visible.get())?.as_deref(), Some(&b"hello"[..]));
//! # Ok(())
//! # }
//! ```

pub mod hash;

pub mod io;

mod checksum;

mod compression;

mod error;

mod zstd;

mod slice;

pub mod util;

mod seqno;

mod value;

mod format_version;

mod comparator;

mod merge_operator;

mod prefix_extractor;

mod filter;

pub mod fs;

mod cache;

mod descriptor_table;

pub mod heal_hints;

pub mod ecc;

pub mod encryption;

pub mod runtime_config;

pub mod config;

mod metrics;

mod memtable;

#[doc(hidden)]
pub mod blob;

mod version;

pub mod compaction;

mod batch;

mod guard;

mod scan_since;

mod tree;

mod report;

mod abstract_tree;

mod ingestion;

pub mod repair;

mod any_tree;

pub mod verify;

pub mod inspect;

/// Numbers about files of values.
#[doc(hidden)]
pub mod blob_tree {
    pub use crate::blob::{FragmentationEntry, FragmentationMap};
}

/// Parts of tables.
#[doc(hidden)]
pub mod table {
    /// What tables name.
    pub mod writer {
        pub use crate::blob::LinkedFile;
    }
}

pub use abstract_tree::{AbstractTree, CheckpointInfo};
pub use any_tree::{AnyTree, BlobTree};
pub use batch::WriteBatch;
pub use blob::BlobFile;
pub use cache::Cache;
pub use comparator::{DefaultUserComparator, SharedComparator, UserComparator};
pub use compression::CompressionType;
pub use config::{Config, KvSeparationOptions, TreeType};
pub use descriptor_table::DescriptorTable;
pub use encryption::{Aes256GcmProvider, EncryptionProvider};
pub use error::{Error, Result};
pub use format_version::FormatVersion;
pub use guard::IterGuard as Guard;
pub use ingestion::AnyIngestion;
pub use memtable::{Memtable, MemtableId};
pub use merge_operator::MergeOperator;
pub use metrics::Metrics;
pub use prefix_extractor::PrefixExtractor;
pub use repair::RepairReport;
pub use scan_since::ScanSinceEvent;
pub use seqno::{MAX_SEQNO, SeqNo, SequenceNumberCounter, SequenceNumberGenerator, SharedSequenceNumberGenerator};
pub use slice::{KvPair, Slice, UserKey, UserValue};
pub use tree::Tree;
pub use value::{PinnableSlice, ValueType};
pub use zstd::ZstdDictionary;

#[doc(hidden)]
pub use blob::HashMap;
#[doc(hidden)]
pub use checksum::Checksum;
#[doc(hidden)]
pub use descriptor_table::{GlobalTableId, TableId, TreeId};
#[doc(hidden)]
pub use guard::{BlobGuard, BoxedIterator, IterGuardImpl, StandardGuard};
#[doc(hidden)]
pub use ingestion::{BlobIngestion, Ingestion};
#[doc(hidden)]
pub use value::{Block, InternalKey, InternalValue};
#[doc(hidden)]
pub use version::{KeyRange, Level, Run, SuperVersion, Table, TableMetadata, Version, VersionHistory};

/// An empty directory for a test, removed when the handle goes; below the one that the variable `LSMT_TMP_FOLDER` names, if there is
/// one. Panics where none can be made.
#[doc(hidden)]
pub fn get_tmp_folder() -> tempfile::TempDir {
    let made = match std::env::var_os("LSMT_TMP_FOLDER") {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    made.expect("a temporary directory can be made")
}

/// How many bytes two keys have in common at their beginning.
#[doc(hidden)]
pub fn longest_shared_prefix_length(a: &[u8], b: &[u8]) -> usize {
    sediment_base::comparator::shared_prefix(a, b)
}
