//! What decompression needs beside the bytes, kept from block to block.

use super::zstd::Decoder;
use sediment_raw::sync::{Mutex, lock};
use std::fmt;

/// How many are kept: as many as threads that read at the same moment on most machines. More are made where they are needed, and go
/// afterwards.
const KEPT: usize = 8;

/// Decoders between two blocks. Shared; each is lent to one thread at a time.
#[derive(Default)]
pub struct Contexts {
    zstd: Mutex<Vec<Decoder>>,
}

impl Contexts {
    /// Lends a decoder for one block.
    pub(super) fn with_zstd<T>(&self, decode: impl FnOnce(&mut Decoder) -> T) -> T {
        let kept = lock(&self.zstd).pop();
        let mut decoder = kept.unwrap_or_default();
        let decoded = decode(&mut decoder);
        let mut all = lock(&self.zstd);
        if all.len() < KEPT {
            all.push(decoder);
        }
        decoded
    }
}

impl fmt::Debug for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contexts").field("zstd", &lock(&self.zstd).len()).finish()
    }
}
