//! Every name of `lsm_tree::encryption::aead` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::encryption::aead::*;

fn t_a_g_l_e_n_keeps_its_shape() {
    let _: usize = TAG_LEN;
}

fn encrypt_in_place_keeps_its_shape() {
    let _: fn(SuiteId, &[u8; 32], &[u8], &[u8; 23], &mut [u8]) -> Result<[u8; 16]> = encrypt_in_place;
}

fn decrypt_in_place_keeps_its_shape() {
    let _: fn(SuiteId, &[u8; 32], &[u8], &[u8; 23], &[u8; 16], &mut [u8]) -> std::result::Result<(), DecryptError> =
        decrypt_in_place;
}
