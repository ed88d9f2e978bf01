//! Every name of `lsm_tree::encryption` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::encryption::*;

fn encrypted_block_metadata_keeps_its_shape() {
    field!(EncryptedBlockMetadata::format_version: u8);
    field!(EncryptedBlockMetadata::key_epoch: u8);
    field!(EncryptedBlockMetadata::block_type: u8);
    field!(EncryptedBlockMetadata::suite_id: SuiteId);
    field!(EncryptedBlockMetadata::compression_type: u8);
    field!(EncryptedBlockMetadata::dict_id: u32);
    field!(EncryptedBlockMetadata::window_log: u8);
    field!(EncryptedBlockMetadata::block_flags: u8);
    field!(EncryptedBlockMetadata::nonce: [u8; 12]);
    field!(EncryptedBlockMetadata::aead_tag: [u8; 16]);
    field!(EncryptedBlockMetadata::ciphertext_len: usize);
    has!(EncryptedBlockMetadata: Clone);
    has!(EncryptedBlockMetadata: std::fmt::Debug);
    has!(EncryptedBlockMetadata: Eq);
    has!(EncryptedBlockMetadata: PartialEq);
}

fn parse_encrypted_block_metadata_keeps_its_shape() {
    let _: fn(&[u8]) -> std::result::Result<EncryptedBlockMetadata, DecryptError> = parse_encrypted_block_metadata;
}

fn reconstruct_block_aad_keeps_its_shape() {
    let _: fn(&[u8], u64) -> std::result::Result<[u8; 23], DecryptError> = reconstruct_block_aad;
}

fn encrypt_block_keeps_its_shape() {
    let _: fn(&[u8], &BlockIdentity, &EncryptionContext, &dyn KeyChain) -> Result<Vec<u8>> = encrypt_block;
}

fn decrypted_block_keeps_its_shape() {
    field!(DecryptedBlock::plaintext: Vec<u8>);
    field!(DecryptedBlock::compression_type: u8);
    field!(DecryptedBlock::dict_id: u32);
    field!(DecryptedBlock::window_log: u8);
    field!(DecryptedBlock::block_flags: u8);
    has!(DecryptedBlock: Clone);
    has!(DecryptedBlock: std::fmt::Debug);
}

fn decrypt_block_keeps_its_shape() {
    let _: fn(&[u8], &BlockIdentity, &dyn KeyChain) -> std::result::Result<DecryptedBlock, DecryptError> = decrypt_block;
}

fn decrypt_error_keeps_its_shape() {
    let _: fn(&'static str) -> DecryptError = DecryptError::MalformedMetadataFrame;
    let _: fn(&'static str) -> DecryptError = DecryptError::MalformedBodyFrame;
    let _: fn(&DecryptError) = |of| {
        if let DecryptError::UnsupportedFormatVersion { header_byte } = of {
            let _: &u8 = header_byte;
        }
    };
    let _: fn(&DecryptError) = |of| {
        if let DecryptError::UnsupportedSuite { suite_id } = of {
            let _: &u8 = suite_id;
        }
    };
    let _: fn(&DecryptError) = |of| {
        if let DecryptError::UnknownKeyEpoch { key_epoch } = of {
            let _: &u8 = key_epoch;
        }
    };
    let _: fn(&DecryptError) = |of| {
        if let DecryptError::SuiteMismatch { expected, actual } = of {
            let _: &u8 = expected;
            let _: &u8 = actual;
        }
    };
    let _: DecryptError = DecryptError::AeadVerificationFailed;
    has!(DecryptError: std::fmt::Debug);
    has!(DecryptError: std::fmt::Display);
    has!(DecryptError: std::error::Error);
}

fn key_chain_keeps_its_shape<S: KeyChain>() {
    let _: fn(&S, u8) -> Option<&[u8; 32]> = KeyChain::key;
}

fn static_key_chain_keeps_its_shape() {
    let _: fn() -> StaticKeyChain = StaticKeyChain::new;
    let _: fn(StaticKeyChain, u8, [u8; 32]) -> StaticKeyChain = StaticKeyChain::with_key;
    let _: fn(&StaticKeyChain) -> usize = StaticKeyChain::len;
    let _: fn(&StaticKeyChain) -> bool = StaticKeyChain::is_empty;
    has!(StaticKeyChain: Clone);
    has!(StaticKeyChain: std::fmt::Debug);
    has!(StaticKeyChain: Default);
    has!(StaticKeyChain: KeyChain);
}
