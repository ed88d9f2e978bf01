//! The library of C, through the crate `zstd`.

use super::check_unpacked;
use crate::compress::{Dictionary, ZstdLevel};
use sediment_base::{Error, Result};
use zstd::zstd_safe::{CCtx, CDict, DCtx, DDict, compress_bound, get_error_name};

/// Compresses block after block, and keeps its tables.
pub(in crate::compress) struct Encoder {
    context: CCtx<'static>,
    level: i32,
    dictionary: Option<CDict<'static>>,
}

impl Encoder {
    pub(in crate::compress) fn new(level: ZstdLevel, dictionary: Option<&Dictionary>) -> Result<Self> {
        let level = i32::from(level.get());
        let context = CCtx::try_create().ok_or_else(no_memory)?;
        let prepare = |dictionary: &Dictionary| CDict::try_create(dictionary.bytes(), level).ok_or_else(no_memory);
        Ok(Self { context, level, dictionary: dictionary.map(prepare).transpose()? })
    }

    /// Puts the compressed form into `stored`, which is empty.
    pub(in crate::compress) fn compress(&mut self, plain: &[u8], stored: &mut Vec<u8>) -> Result<()> {
        stored.resize(compress_bound(plain.len()), 0);
        let compressed = match &self.dictionary {
            None => self.context.compress(stored.as_mut_slice(), plain, self.level),
            Some(dictionary) => self.context.compress_using_cdict(stored.as_mut_slice(), plain, dictionary),
        };
        let fault = |code| Error::invalid_input(format!("a block cannot be compressed: {}", get_error_name(code)));
        stored.truncate(compressed.map_err(fault)?);
        Ok(())
    }

    pub(in crate::compress) fn memory_bytes(&self) -> usize {
        self.context.sizeof().saturating_add(self.dictionary.as_ref().map_or(0, CDict::sizeof))
    }
}

/// Decompresses block after block, and keeps its tables.
pub(in crate::compress) struct Decoder {
    context: Option<DCtx<'static>>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { context: DCtx::try_create() }
    }
}

impl Decoder {
    /// Fills `plain` with what `stored` unpacks to.
    pub(in crate::compress) fn decompress(
        &mut self,
        stored: &[u8],
        plain: &mut [u8],
        dictionary: Option<&Dictionary>,
    ) -> Result<()> {
        let context = self.context.as_mut().ok_or_else(no_memory)?;
        let decoded = match dictionary {
            None => context.decompress(plain, stored),
            Some(dictionary) => context.decompress_using_ddict(plain, stored, &dictionary.prepared().0),
        };
        check_unpacked(decoded.map_err(get_error_name), plain.len())
    }
}

/// A dictionary ready for decompression.
pub(in crate::compress) struct DecoderDictionary(DDict<'static>);

impl DecoderDictionary {
    pub(in crate::compress) fn new(bytes: &[u8]) -> Result<Self> {
        let unusable = || Error::corruption("a compression dictionary cannot be used");
        DDict::try_create(bytes).map(Self).ok_or_else(unusable)
    }

    pub(in crate::compress) fn memory_bytes(&self) -> usize {
        self.0.sizeof()
    }
}

fn no_memory() -> Error {
    Error::new(sediment_base::ErrorKind::Io, "no memory for compression")
}
