//! The catalog: which keyspaces there are, under which names, in which trees.
//!
//! The log is ahead of it: a change is a record in the log first, synced, and then in the catalog; replay applies what the
//! catalog lacks. So a catalog that cannot be written for now (a full disk) loses nothing, as long as the log keeps the change.

mod change;
mod file;
mod format;
mod keyspaces;
mod settings;

pub(crate) use change::{KeyspaceChange, check_name};
pub(crate) use file::{Catalog, CatalogContext, dump_catalog};
pub(crate) use keyspaces::{Incarnation, KeyspaceState, Keyspaces};
