//! The public handles. No logic: each method hands over to the room that has it.

mod batch;
mod core;
mod database;
mod ingest;
mod iter;
mod keyspace;
mod lent;
mod snapshot;
mod verify;

pub use batch::WriteBatch;
pub use database::{Db, DbBuilder};
pub use ingest::Ingest;
pub use iter::Iter;
pub use keyspace::Keyspace;
pub use snapshot::Snapshot;
pub use verify::VerifyReport;
