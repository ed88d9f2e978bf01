//! Every name of `lsm_tree::encryption::aad` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::encryption::aad::*;

fn block_identity_keeps_its_shape() {
    field!(BlockIdentity::table_id: u64);
    field!(BlockIdentity::block_type: BlockType);
    field!(BlockIdentity::dict_id: u32);
    field!(BlockIdentity::window_log: u8);
    has!(BlockIdentity: Clone);
    has!(BlockIdentity: Copy);
    has!(BlockIdentity: std::fmt::Debug);
}

fn block_type_keeps_its_shape() {
    let _: BlockType = BlockType::Data;
    let _: BlockType = BlockType::Index;
    let _: BlockType = BlockType::Filter;
    let _: BlockType = BlockType::Meta;
    let _: BlockType = BlockType::RangeTombstone;
    let _: BlockType = BlockType::Manifest;
    let _: BlockType = BlockType::ManifestFooter;
    let _: BlockType = BlockType::BlockLayout;
    has!(BlockType: Clone);
    has!(BlockType: Copy);
    has!(BlockType: std::fmt::Debug);
    has!(BlockType: Eq);
    has!(BlockType: PartialEq);
    has!(BlockType: TryFrom<u8>);
}

fn a_a_d_l_e_n_keeps_its_shape() {
    let _: usize = AAD_LEN;
}

fn m_a_g_i_c_m_e_t_a_d_a_t_a_l_e_keeps_its_shape() {
    let _: [u8; 4] = MAGIC_METADATA_LE;
}

fn f_o_r_m_a_t_v_e_r_s_i_o_n_v1_keeps_its_shape() {
    let _: u8 = FORMAT_VERSION_V1;
}

fn h_e_a_d_e_r_b_y_t_e_v1_keeps_its_shape() {
    let _: u8 = HEADER_BYTE_V1;
}

fn suite_id_keeps_its_shape() {
    let _: SuiteId = SuiteId::Aes256Gcm;
    let _: SuiteId = SuiteId::ChaCha20Poly1305;
    let _: fn(SuiteId) -> usize = SuiteId::nonce_len;
    let _: fn(SuiteId) -> u8 = SuiteId::as_byte;
    has!(SuiteId: Clone);
    has!(SuiteId: Copy);
    has!(SuiteId: std::fmt::Debug);
    has!(SuiteId: Eq);
    has!(SuiteId: std::hash::Hash);
    has!(SuiteId: PartialEq);
    has!(SuiteId: TryFrom<u8>);
}

fn encryption_context_keeps_its_shape() {
    field!(EncryptionContext::header_byte: u8);
    field!(EncryptionContext::key_epoch: u8);
    field!(EncryptionContext::suite_id: SuiteId);
    field!(EncryptionContext::compression_type: u8);
    field!(EncryptionContext::block_flags: u8);
    let _: fn(u8, SuiteId, u8, u8) -> EncryptionContext = EncryptionContext::v1;
    has!(EncryptionContext: Clone);
    has!(EncryptionContext: Copy);
    has!(EncryptionContext: std::fmt::Debug);
    has!(EncryptionContext: Eq);
    has!(EncryptionContext: PartialEq);
}

fn build_keeps_its_shape() {
    let _: fn(&EncryptionContext, &BlockIdentity) -> [u8; 23] = build;
}
