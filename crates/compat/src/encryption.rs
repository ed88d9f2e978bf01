//! Encryption: names and shapes. Nothing is sealed or opened yet; who asks is told so.

pub mod aad;
pub mod aead;
pub mod block;
pub mod error;
pub mod key_chain;

pub use block::{
    DecryptedBlock, EncryptedBlockMetadata, decrypt_block, encrypt_block, parse_encrypted_block_metadata, reconstruct_block_aad,
};
pub use error::DecryptError;
pub use key_chain::{KeyChain, StaticKeyChain};

use crate::error::{Error, Result, unsupported};
use aad::BlockIdentity;
use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

/// Seals and opens bytes.
pub trait EncryptionProvider: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Seals.
    fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>>;

    /// By how much sealing lengthens at most.
    fn max_overhead(&self) -> u32;

    /// Whether blocks are bound to their place.
    fn supports_aad_block_path(&self) -> bool {
        false
    }

    /// Opens.
    fn decrypt(&self, ciphertext: &[u8]) -> Result<Vec<u8>>;

    /// Seals what is given away.
    fn encrypt_vec(&self, plaintext: Vec<u8>) -> Result<Vec<u8>> {
        self.encrypt(&plaintext)
    }

    /// Opens what is given away.
    fn decrypt_vec(&self, ciphertext: Vec<u8>) -> Result<Vec<u8>> {
        self.decrypt(&ciphertext)
    }

    /// Seals a block, bound to its place.
    fn encrypt_block_aad(
        &self,
        _plaintext: &[u8],
        _identity: &BlockIdentity,
        _compression_type: u8,
        _block_flags: u8,
    ) -> Result<Vec<u8>> {
        Err(Error::Encrypt("the provider binds no blocks"))
    }

    /// Opens a block that is bound to its place.
    fn decrypt_block_aad(&self, _ciphertext: &[u8], _identity: &BlockIdentity) -> Result<Vec<u8>> {
        Err(Error::Decrypt("the provider binds no blocks"))
    }
}

/// AES-256-GCM under one key.
pub struct Aes256GcmProvider(());

impl Aes256GcmProvider {
    /// By how much it lengthens: a nonce and a tag.
    pub const OVERHEAD: usize = 28;

    /// A provider with this key.
    pub fn new(_key: &[u8; 32]) -> Self {
        Self(())
    }

    /// The same. Another length than 32 is [`Error::Encrypt`].
    pub fn from_slice(key: &[u8]) -> Result<Self> {
        let key = key.try_into().map_err(|_| Error::Encrypt("a key of AES-256 has 32 bytes"))?;
        Ok(Self::new(key))
    }
}

impl fmt::Debug for Aes256GcmProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aes256GcmProvider")
    }
}

impl EncryptionProvider for Aes256GcmProvider {
    fn encrypt(&self, _plaintext: &[u8]) -> Result<Vec<u8>> {
        Err(unsupported("encryption"))
    }

    fn max_overhead(&self) -> u32 {
        Self::OVERHEAD as u32
    }

    fn decrypt(&self, _ciphertext: &[u8]) -> Result<Vec<u8>> {
        Err(unsupported("decryption"))
    }
}
