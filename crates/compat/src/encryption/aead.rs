//! Sealing in place.

use super::{
    aad::{AAD_LEN, SuiteId},
    error::DecryptError,
};
use crate::error::{Result, unsupported};

/// Bytes of a tag.
pub const TAG_LEN: usize = 16;

/// Seals; the tag. Not there yet.
pub fn encrypt_in_place(
    _suite: SuiteId,
    _key: &[u8; 32],
    _nonce: &[u8],
    _aad: &[u8; AAD_LEN],
    _plaintext: &mut [u8],
) -> Result<[u8; TAG_LEN]> {
    Err(unsupported("sealing in place"))
}

/// Opens. Not there yet.
pub fn decrypt_in_place(
    _suite: SuiteId,
    _key: &[u8; 32],
    _nonce: &[u8],
    _aad: &[u8; AAD_LEN],
    _tag: &[u8; TAG_LEN],
    _ciphertext: &mut [u8],
) -> std::result::Result<(), DecryptError> {
    Err(super::error::unsupported("opening in place"))
}
