//! Sealed blocks that stand alone.

use super::{
    aad::{AAD_LEN, BlockIdentity, EncryptionContext, SuiteId},
    error::{DecryptError, unsupported},
    key_chain::KeyChain,
};

/// What a sealed block says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptedBlockMetadata {
    /// The format.
    pub format_version: u8,
    /// Which key.
    pub key_epoch: u8,
    /// What it is.
    pub block_type: u8,
    /// Which cipher.
    pub suite_id: SuiteId,
    /// How it was compressed.
    pub compression_type: u8,
    /// Its dictionary.
    pub dict_id: u32,
    /// Its window.
    pub window_log: u8,
    /// What else it has.
    pub block_flags: u8,
    /// Its nonce.
    pub nonce: [u8; 12],
    /// Its tag.
    pub aead_tag: [u8; 16],
    /// Bytes that are sealed.
    pub ciphertext_len: usize,
}

/// A block that was opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DecryptedBlock {
    /// What was sealed.
    pub plaintext: Vec<u8>,
    /// How it was compressed.
    pub compression_type: u8,
    /// Its dictionary.
    pub dict_id: u32,
    /// Its window.
    pub window_log: u8,
    /// What else it has.
    pub block_flags: u8,
}

/// Reads what a sealed block says. Not there yet.
pub fn parse_encrypted_block_metadata(_bytes: &[u8]) -> Result<EncryptedBlockMetadata, DecryptError> {
    Err(unsupported("reading of sealed blocks"))
}

/// What a sealed block is bound to. Not there yet.
pub fn reconstruct_block_aad(_bytes: &[u8], _table_id: u64) -> Result<[u8; AAD_LEN], DecryptError> {
    Err(unsupported("what a sealed block is bound to"))
}

/// Seals a block. Not there yet.
pub fn encrypt_block(
    _plaintext: &[u8],
    _identity: &BlockIdentity,
    _ctx: &EncryptionContext,
    _key_chain: &dyn KeyChain,
) -> crate::error::Result<Vec<u8>> {
    Err(crate::error::unsupported("sealing of blocks"))
}

/// Opens a block. Not there yet.
pub fn decrypt_block(
    _bytes: &[u8],
    _identity: &BlockIdentity,
    _key_chain: &dyn KeyChain,
) -> Result<DecryptedBlock, DecryptError> {
    Err(unsupported("opening of blocks"))
}
