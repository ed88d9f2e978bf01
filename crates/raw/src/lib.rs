//! Internal to Sediment: the only unsafe code.
//!
//! Safe APIs around the few mechanisms that safe Rust cannot express: stable addresses under concurrent appends, a lock-free
//! point index, an ordered set that is read while it is written, epoch-based reclamation, a header and its bytes in one counted
//! allocation, short bytes in place of a pointer, SIMD kernels, mapped files. It knows nothing of LSM trees. Every `unsafe` block
//! says why it is sound; the concurrent parts run under loom, all of it under Miri. This crate is public because crates must be;
//! the stable face is `sedimentdb`.

pub mod sync;

pub mod simd;

pub mod epoch;

pub mod slab;

pub mod small_bytes;

pub mod slots;

pub mod ratchet;

pub mod lead;

pub mod fork_mark;

pub mod mapped;

mod pages;

pub mod spares;

#[cfg(all(test, not(loom)))]
mod random;

pub mod arena;

pub mod chain;

pub mod hash_index;

pub mod ordered;
