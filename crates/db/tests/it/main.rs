//! The database, through its public face.

mod batches;
mod compaction_filters;
mod compression;
mod crash;
mod damage;
mod disks;
mod durability;
mod entry_checksums;
mod faults;
mod fifo;
mod files;
mod filters;
mod full_disk;
mod golden;
mod keyspace_settings;
mod keyspaces;
mod kill;
mod limits;
mod listeners;
mod model;
mod no_space;
mod opening;
mod operations;
mod parallel;
#[cfg(planted_bugs)]
mod planted;
mod poisoning;
mod rate;
mod reads;
mod recovery;
mod second_life;
mod settings;
mod snapshots;
mod statistics;
mod store;
mod threads;
