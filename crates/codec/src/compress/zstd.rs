//! Zstandard (Yann Collet; RFC 8878): one frame a block, with its content size and without a checksum of its own.
//!
//! Two libraries do it: `structured-zstd` in Rust, and with the feature `zstd-c` that of C in its place. Either reads what the other
//! wrote, so nothing on disk tells which it was.

// With the feature, what is in Rust trains dictionaries, and serves the tests as the twin.
#[cfg_attr(feature = "zstd-c", allow(dead_code, reason = "the tests compare both"))]
mod pure;

#[cfg(feature = "zstd-c")]
mod c;

#[cfg(feature = "zstd-c")]
pub(super) use c::{Decoder, DecoderDictionary, Encoder};
#[cfg(not(feature = "zstd-c"))]
pub(super) use pure::{Decoder, DecoderDictionary, Encoder};

use sediment_base::{Error, Result};

/// A block of four bytes stands for at most 128 KiB.
pub(super) const EXPANSION_MAX: usize = 32 << 10;

/// Refuses a block that was not unpacked, or not to so many bytes.
fn check_unpacked<E: std::fmt::Display>(unpacked: std::result::Result<usize, E>, plain_len: usize) -> Result<()> {
    match unpacked {
        Ok(len) if len == plain_len => Ok(()),
        Ok(len) => Err(Error::corruption("plain length of a zstd block").expected_found(len, plain_len)),
        Err(error) => Err(Error::corruption(format!("a zstd block cannot be unpacked: {error}"))),
    }
}

#[cfg(all(test, feature = "zstd-c"))]
mod tests;
