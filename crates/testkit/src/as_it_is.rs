//! `AsItIs`: a codec that does nothing.

use sediment_base::{BlockCodec, Error, Result};

/// Leaves blocks as they are: so the dense form is stored, and can be changed byte by byte.
#[derive(Clone, Copy, Debug)]
pub struct AsItIs;

impl BlockCodec for AsItIs {
    fn id(&self) -> u8 {
        128
    }

    fn name(&self) -> &str {
        "as it is"
    }

    fn compress(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(plain);
        Ok(())
    }

    fn decompress(&self, stored: &[u8], plain: &mut [u8]) -> Result<()> {
        if stored.len() != plain.len() {
            return Err(Error::corruption("length of a block as it is"));
        }
        plain.copy_from_slice(stored);
        Ok(())
    }
}
