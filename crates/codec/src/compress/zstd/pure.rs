//! `structured-zstd`: Zstandard in Rust.

use super::check_unpacked;
use crate::compress::{Dictionary, ZstdLevel};
use sediment_base::{Error, Result};
use structured_zstd::{
    decoding::{DictionaryHandle, FrameDecoder},
    encoding::{CompressionLevel, EncoderDictionary, FrameCompressor},
};

/// Compresses block after block, and keeps its tables.
pub(in crate::compress) struct Encoder {
    frames: FrameCompressor,
}

impl Encoder {
    pub(in crate::compress) fn new(level: ZstdLevel, dictionary: Option<&Dictionary>) -> Result<Self> {
        let mut frames: FrameCompressor = FrameCompressor::new(CompressionLevel::from_level(i32::from(level.get())));
        if let Some(dictionary) = dictionary {
            let prepared = EncoderDictionary::from_serialized_or_raw_content(dictionary.bytes());
            frames.set_encoder_dictionary(prepared.map_err(|error| unusable(&error))?).map_err(|error| unusable(&error))?;
        }
        Ok(Self { frames })
    }

    /// Puts the compressed form into `stored`, which is empty.
    pub(in crate::compress) fn compress(&mut self, plain: &[u8], stored: &mut Vec<u8>) -> Result<()> {
        self.frames.compress_independent_frame_into(plain, stored);
        Ok(())
    }

    pub(in crate::compress) fn memory_bytes(&self) -> usize {
        self.frames.heap_size()
    }
}

/// Decompresses block after block, and keeps its tables.
pub(in crate::compress) struct Decoder {
    frames: FrameDecoder,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { frames: FrameDecoder::new() }
    }
}

impl Decoder {
    /// Fills `plain` with what `stored` unpacks to.
    #[cfg(not(feature = "zstd-c"))]
    pub(in crate::compress) fn decompress(
        &mut self,
        stored: &[u8],
        plain: &mut [u8],
        dictionary: Option<&Dictionary>,
    ) -> Result<()> {
        self.decompress_with(stored, plain, dictionary.map(Dictionary::prepared))
    }

    fn decompress_with(&mut self, stored: &[u8], plain: &mut [u8], dictionary: Option<&DecoderDictionary>) -> Result<()> {
        let decoded = match dictionary {
            None => self.frames.decode_all(stored, plain),
            Some(dictionary) => self.frames.decode_all_with_dict_handle(stored, plain, &dictionary.0),
        };
        check_unpacked(decoded, plain.len())
    }
}

/// A dictionary ready for decompression.
pub(in crate::compress) struct DecoderDictionary(DictionaryHandle);

impl DecoderDictionary {
    pub(in crate::compress) fn new(bytes: &[u8]) -> Result<Self> {
        DictionaryHandle::from_serialized_or_raw_content(bytes).map(Self).map_err(|error| unusable(&error))
    }

    pub(in crate::compress) fn memory_bytes(&self) -> usize {
        self.0.heap_size()
    }
}

fn unusable(error: &dyn std::fmt::Display) -> Error {
    Error::corruption(format!("a compression dictionary cannot be used: {error}"))
}

/// The twin of the other library.
#[cfg(all(test, feature = "zstd-c"))]
pub(super) fn decompress_once(stored: &[u8], plain: &mut [u8], dictionary: Option<&Dictionary>) -> Result<()> {
    let dictionary = dictionary.map(|dictionary| DecoderDictionary::new(dictionary.bytes())).transpose()?;
    Decoder::default().decompress_with(stored, plain, dictionary.as_ref())
}
