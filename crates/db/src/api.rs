//! The public handles. No logic: each method hands over to the room that has it.

mod batch;
mod core;
mod cursor;
mod database;
mod ingest;
mod iter;
mod keys;
mod keyspace;
mod lent;
mod part;
mod snapshot;
mod verify;

pub use batch::WriteBatch;
pub use cursor::Cursor;
pub use database::{Db, DbBuilder};
pub use ingest::Ingest;
pub use iter::Iter;
pub use keys::Keys;
pub use keyspace::Keyspace;
pub use part::ScanPart;
pub use snapshot::Snapshot;
pub use verify::VerifyReport;
