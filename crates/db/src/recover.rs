//! A directory becomes an open database.
//!
//! Lock, catalog, trees, then the log in seqno order: each record goes to the tree of its keyspace, unless the tree's mark says
//! that its tables hold it, or the keyspace was dropped or cleared since. Nothing is written; what is left over (files that
//! nothing names, changes that the catalog lacks) is noted for the first write.

mod create;
mod leftovers;
mod replay;

pub(crate) use create::{Found, begin, create_all, lock, look};
pub(crate) use leftovers::Leftovers;
pub(crate) use replay::{Opened, open};
