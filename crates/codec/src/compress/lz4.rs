//! The LZ4 block format (Yann Collet, 2011), as `lz4_flex` reads and writes it.

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};
use sediment_base::{Error, Result};

/// The compressed form, if it has no more than `longest` bytes.
pub(super) fn compress(plain: &[u8], longest: usize) -> Option<Vec<u8>> {
    let mut stored = vec![0; get_maximum_output_size(plain.len())];
    let len = compress_into(plain, &mut stored).ok().filter(|len| *len <= longest)?;
    stored.truncate(len);
    Some(stored)
}

/// The plain form, which has `plain_len` bytes.
pub(super) fn decompress(stored: &[u8], plain_len: usize) -> Result<Vec<u8>> {
    // What LZ4 makes of a byte is bounded, so a length that nothing could have is refused before memory is taken for it.
    if plain_len / EXPANSION_MAX > stored.len() {
        return Err(Error::corruption("plain length of an LZ4 block").expected_found(stored.len(), plain_len));
    }
    let mut plain = vec![0; plain_len];
    match decompress_into(stored, &mut plain) {
        Ok(len) if len == plain_len => Ok(plain),
        Ok(len) => Err(Error::corruption("plain length of an LZ4 block").expected_found(len, plain_len)),
        Err(error) => Err(Error::corruption(format!("an LZ4 block cannot be unpacked: {error}"))),
    }
}

/// A byte of a match length stands for at most this many plain bytes.
const EXPANSION_MAX: usize = 255;
