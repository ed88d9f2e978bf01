//! The write-ahead log: every commit is a record here before it is anywhere else.
//!
//! Files `wal/<id>` form a chain: each names the one before it and how far that one was durable. One is written at a time; a
//! new one begins when it is full, after a failed append, and at the first write after opening. Invariants:
//!
//! * seqnos in the log are contiguous, over files too;
//! * a file is written only after its birth (header, first record, directory) is synced, and is synced further only after those
//!   before it, unless these are not needed any more;
//! * what a process found and is not known to be durable is repeated in the first file that it writes, and not removed before;
//! * after a failed append or sync nothing is appended to that file;
//! * every record says how far its file was known to be durable, so that replay can tell a torn tail from a loss.
//!
//! Start with `log.rs`: the way of a record into the log.

mod chain;
mod crowd;
mod dump;
mod fatal;
mod file_list;
mod files;
mod format;
mod log;
mod lots;
mod order;
mod prepared;
mod reader;
mod submitted;
mod survey;
mod sync;
mod upkeep;
mod watch;
mod writer;

pub(crate) use dump::dump_log;
pub(crate) use fatal::Fatal;
pub(crate) use files::{WalDir, read_whole};
pub(crate) use format::{Anchor, Entry, Op, OpKind, RecordKind, check_limits, for_each_op, put_op};
pub(crate) use log::{Log, Placed, Watch};
pub(crate) use lots::{Lots, wait_briefly};
pub(crate) use prepared::Prepared;
pub(crate) use reader::{Logged, Recovered, replay};
