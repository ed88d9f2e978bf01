//! Internal to Sediment: bytes to bytes, no I/O.
//!
//! Everything that is stored passes through here on its way out and back: integers, checksums, the header of every file, the
//! frames of blocks, the records of logs. Each decoder takes any bytes and answers `Ok` or an error; none panics, and none
//! allocates more than the bytes that it was given justify. `docs/format.md` says what every byte means. This crate is public
//! because crates must be; the stable face is `sedimentdb`.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::panic))]

pub mod hash;

pub mod coding;

pub mod fields;

pub mod checksum;

pub mod header;

pub mod current;

pub mod compress;

pub mod seal;

pub mod frame;
