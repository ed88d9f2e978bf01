//! Every name of `lsm_tree::ecc` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::ecc::*;

fn r_s_d_a_t_a_s_h_a_r_d_s_keeps_its_shape() {
    let _: usize = RS_DATA_SHARDS;
}

fn r_s_p_a_r_i_t_y_s_h_a_r_d_s_keeps_its_shape() {
    let _: usize = RS_PARITY_SHARDS;
}

fn shard_bytes_keeps_its_shape() {
    let _: fn(usize, usize) -> usize = shard_bytes;
}

fn parity_len_keeps_its_shape() {
    let _: fn(usize, usize, usize) -> usize = parity_len;
}

fn encode_parity_keeps_its_shape() {
    let _: fn(&[u8], usize, usize) -> Result<Vec<u8>> = encode_parity;
}

fn try_recover_keeps_its_shape() {
    let _: fn(&[u8], &[u8], usize, usize, usize, fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>> = try_recover;
}
