//! The vocabulary of Sediment: what the words mean, in types.
//!
//! No I/O, no threads. Start with `docs/glossary.md`; each module here is one word of it. This crate is public because
//! crates must be; the stable face is `sedimentdb`.

pub mod limits;

pub mod error;

pub mod slice;

pub mod id;

pub mod filename;

pub mod seqno;

pub mod kind;

pub mod comparator;

pub mod key;

pub mod range;

pub mod tombstone;

pub mod prefix_extractor;

pub mod merge_operator;

pub mod compaction_filter;

pub mod block_codec;

pub mod cursor;

pub mod budget;

pub mod stats;

pub mod event;

pub mod planted;

pub use block_codec::BlockCodec;
pub use budget::{Account, MemoryBudget};
pub use compaction_filter::{CompactionFilter, CompactionFilterFactory};
pub use comparator::{Bytewise, Comparator, KeyOrder};
pub use cursor::Cursor;
pub use error::{Error, ErrorKind, Location, Result};
pub use event::{EventListener, Listeners};
pub use id::{BlobFileId, FileUuid, Generation, KeyspaceId, TableId, TreeId, WalId};
pub use key::InternalKey;
pub use kind::{Kind, RowFlags};
pub use merge_operator::MergeOperator;
pub use prefix_extractor::PrefixExtractor;
pub use range::KeyRange;
pub use seqno::SeqNo;
pub use slice::Slice;
pub use stats::Stats;
pub use tombstone::{RangeTombstone, RangeTombstones};
