//! The compressing side: one for each file in the making.

use super::{Codec, Dictionary, Method, lz4, zstd::Encoder};
use sediment_base::Result;
use std::{fmt, sync::Arc};

/// What compression must save at least, as a part of the plain bytes; a block that saves less is stored as it is, and read without
/// the work.
const SAVED_PART_MIN: usize = 8;

/// Compresses block after block in one way.
#[derive(Default)]
pub struct Packer {
    method: Method,
    dictionary: Option<Arc<Dictionary>>,
    /// Made with the first block that needs it.
    zstd: Option<Encoder>,
    scratch: Vec<u8>,
}

/// How a block was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// The codec, which is [`Codec::None`] where compression would save little.
    pub codec: Codec,
    /// Which dictionary it used; 0 for none.
    pub dictionary: u32,
}

impl Packer {
    /// Compresses as `method` says. A dictionary serves Zstandard alone.
    pub fn new(method: Method, dictionary: Option<Arc<Dictionary>>) -> Self {
        let dictionary = dictionary.filter(|_| matches!(method, Method::Zstd(_)));
        Self { method, dictionary, zstd: None, scratch: Vec::new() }
    }

    /// The way.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What it compresses with.
    pub fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.dictionary.as_ref()
    }

    /// Memory that it holds, its dictionary not counted.
    pub fn memory_bytes(&self) -> usize {
        self.scratch.capacity().saturating_add(self.zstd.as_ref().map_or(0, Encoder::memory_bytes))
    }

    /// Puts the stored form of the bytes of `out` from `start` on in their place.
    pub fn pack_from(&mut self, start: usize, out: &mut Vec<u8>) -> Result<Packed> {
        let plain = out.get(start..).unwrap_or_default();
        let Some((packed, stored)) = self.pack(plain, plain.len())? else { return Ok(Packed::default()) };
        out.truncate(start);
        out.extend_from_slice(stored);
        Ok(packed)
    }

    /// The stored form of `plain`, where it is shorter by enough than the `bytes_instead` that would be stored without it.
    pub fn pack(&mut self, plain: &[u8], bytes_instead: usize) -> Result<Option<(Packed, &[u8])>> {
        let longest = bytes_instead.saturating_sub(bytes_instead.div_ceil(SAVED_PART_MIN));
        if longest == 0 || plain.is_empty() {
            return Ok(None);
        }
        self.scratch.clear();
        match &self.method {
            Method::None => return Ok(None),
            Method::Lz4 => lz4::compress(plain, &mut self.scratch),
            Method::Zstd(level) => {
                let encoder = match &mut self.zstd {
                    Some(encoder) => encoder,
                    None => self.zstd.insert(Encoder::new(*level, self.dictionary.as_deref())?),
                };
                encoder.compress(plain, &mut self.scratch)?;
            }
            Method::Other(codec) => codec.compress(plain, &mut self.scratch)?,
        }
        if self.scratch.is_empty() || self.scratch.len() > longest {
            return Ok(None);
        }
        let dictionary = self.dictionary.as_ref().map_or(0, |dictionary| dictionary.id());
        Ok(Some((Packed { codec: self.method.codec(), dictionary }, &self.scratch)))
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packer").field("method", &self.method).field("dictionary", &self.dictionary).finish_non_exhaustive()
    }
}
