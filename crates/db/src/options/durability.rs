//! What an acknowledged commit survives.

/// What a commit that has returned survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// A clean close. The record may wait in the process until a later commit, [`Db::persist`](crate::Db::persist), flush or
    /// close takes it along.
    Memory,
    /// The death of the process: the record was handed to the operating system.
    #[default]
    Os,
    /// Loss of power: the record was synced.
    Sync,
}
