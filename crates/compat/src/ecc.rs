//! Parity over shards: sizes. Nothing is made or mended yet.

use crate::error::{Result, unsupported};

/// Shards of data by default.
pub const RS_DATA_SHARDS: usize = 4;
/// Shards of parity by default.
pub const RS_PARITY_SHARDS: usize = 2;

/// Bytes of a shard: its part of the payload, rounded up, and to an even number. Panics on no shards.
pub fn shard_bytes(payload_len: usize, data_shards: usize) -> usize {
    payload_len.div_ceil(data_shards).next_multiple_of(2)
}

/// Bytes of the parity of a payload. Panics on no shards of data.
pub fn parity_len(payload_len: usize, data_shards: usize, parity_shards: usize) -> usize {
    shard_bytes(payload_len, data_shards) * parity_shards
}

/// The parity of a payload. Not there yet.
pub fn encode_parity(_payload: &[u8], _data_shards: usize, _parity_shards: usize) -> Result<Vec<u8>> {
    Err(unsupported("making of parity"))
}

/// The payload, mended. Not there yet.
pub fn try_recover<F>(
    _data: &[u8],
    _parity: &[u8],
    _expected_payload_len: usize,
    _data_shards: usize,
    _parity_shards: usize,
    _xxh3_oracle: F,
) -> Result<Option<Vec<u8>>>
where
    F: FnMut(&[u8]) -> bool,
{
    Err(unsupported("mending by parity"))
}
