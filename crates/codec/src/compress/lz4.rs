//! The LZ4 block format (Yann Collet, 2011), as `lz4_flex` reads and writes it.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};
use sediment_base::{Error, Result};

/// A byte of a match length stands for at most this many plain bytes.
pub(super) const EXPANSION_MAX: usize = 255;

/// Puts the compressed form into `stored`, which is empty; it stays so where there is none.
pub(super) fn compress(plain: &[u8], stored: &mut Vec<u8>) {
    stored.resize(get_maximum_output_size(plain.len()), 0);
    let len = compress_into(plain, stored).unwrap_or(0);
    stored.truncate(len);
}

/// Fills `plain` with what `stored` unpacks to.
pub(super) fn decompress(stored: &[u8], plain: &mut [u8]) -> Result<()> {
    match decompress_into(stored, plain) {
        Ok(len) if len == plain.len() => Ok(()),
        Ok(len) => Err(Error::corruption("plain length of an LZ4 block").expected_found(len, plain.len())),
        Err(error) => Err(Error::corruption(format!("an LZ4 block cannot be unpacked: {error}"))),
    }
}
