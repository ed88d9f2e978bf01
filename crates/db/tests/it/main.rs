//! The database, through its public face.

mod batches;
mod disks;
mod durability;
mod files;
mod golden;
mod keyspaces;
mod limits;
mod no_space;
mod opening;
mod poisoning;
mod recovery;
mod second_life;
mod snapshots;
