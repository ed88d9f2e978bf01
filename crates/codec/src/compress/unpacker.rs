//! The decompressing side: one for each open file.

use super::{Codec, Contexts, Dictionary, Packed, lz4};
use sediment_base::{BlockCodec, Error, Result};
use std::{borrow::Cow, sync::Arc};

/// Decompresses the blocks of one file. Cheap to clone; shared by all who read it.
#[derive(Clone, Debug, Default)]
pub struct Unpacker {
    contexts: Arc<Contexts>,
    dictionary: Option<Arc<Dictionary>>,
    other: Option<Arc<dyn BlockCodec>>,
}

impl Unpacker {
    /// For a file that has this dictionary, and whose blocks were written with this codec of others.
    pub fn new(contexts: Arc<Contexts>, dictionary: Option<Arc<Dictionary>>, other: Option<Arc<dyn BlockCodec>>) -> Self {
        Self { contexts, dictionary, other }
    }

    /// The dictionary.
    pub fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.dictionary.as_ref()
    }

    /// The plain form of `stored`, which must have exactly `plain_len` bytes.
    pub fn unpack<'a>(&self, packed: Packed, stored: &'a [u8], plain_len: usize) -> Result<Cow<'a, [u8]>> {
        self.check(packed, stored, plain_len)?;
        if packed.codec == Codec::None {
            return Ok(Cow::Borrowed(stored));
        }
        let mut plain = vec![0; plain_len];
        self.fill(packed, stored, &mut plain)?;
        Ok(Cow::Owned(plain))
    }

    /// Fills `plain` with the plain form of `stored`, which must have exactly its length.
    pub fn unpack_into(&self, packed: Packed, stored: &[u8], plain: &mut [u8]) -> Result<()> {
        self.check(packed, stored, plain.len())?;
        self.fill(packed, stored, plain)
    }

    /// Refuses a length that nothing could have, before memory is taken for it, and what this reader has no means for.
    pub fn check(&self, packed: Packed, stored: &[u8], plain_len: usize) -> Result<()> {
        let own = self.dictionary.as_ref().map_or(0, |dictionary| dictionary.id());
        let Packed { codec, dictionary } = packed;
        if dictionary != 0 && (codec != Codec::Zstd || dictionary != own) {
            let error = Error::corruption("a block was compressed with a dictionary that its file does not have");
            return Err(error.expected_found(format!("{own:08x}"), format!("{dictionary:08x}")));
        }
        let fits = match codec {
            Codec::None => stored.len() == plain_len,
            Codec::Lz4 => plain_len / lz4::EXPANSION_MAX <= stored.len(),
            Codec::Zstd => plain_len / super::zstd::EXPANSION_MAX <= stored.len(),
            Codec::Other(id) => match &self.other {
                Some(other) if other.id() == id => true,
                _ => return Err(not_given(id)),
            },
        };
        if fits {
            return Ok(());
        }
        Err(Error::corruption(format!("plain length of a block, {codec:?}")).expected_found(stored.len(), plain_len))
    }

    fn fill(&self, packed: Packed, stored: &[u8], plain: &mut [u8]) -> Result<()> {
        match packed.codec {
            Codec::None => {
                plain.copy_from_slice(stored);
                Ok(())
            }
            Codec::Lz4 => lz4::decompress(stored, plain),
            Codec::Zstd => {
                let dictionary = self.dictionary.as_ref().filter(|_| packed.dictionary != 0);
                self.contexts.with_zstd(|decoder| decoder.decompress(stored, plain, dictionary.map(|dictionary| &**dictionary)))
            }
            Codec::Other(id) => match &self.other {
                Some(other) => other.decompress(stored, plain),
                None => Err(not_given(id)),
            },
        }
    }
}

#[cold]
fn not_given(id: u8) -> Error {
    Error::unsupported(format!("the block was compressed with codec {id}, which this program did not bring"))
}
