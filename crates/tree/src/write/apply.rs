//! One row into the memtable that takes it.

use crate::super_version::SuperVersions;
use sediment_base::{Error, ErrorKind, InternalKey, Result, limits, seqno::SEQNO_MAX};

/// Refuses what no table could hold.
fn check_row(key: &InternalKey<'_>, value: &[u8]) -> Result<()> {
    let key_bytes = key.user_key.len();
    if key_bytes == 0 || key_bytes > limits::KEY_BYTES_MAX {
        let range = format!("1 to {} bytes", limits::KEY_BYTES_MAX);
        return Err(Error::invalid_input("length of a key").expected_found(range, key_bytes));
    }
    if value.len() > limits::VALUE_BYTES_MAX {
        let range = format!("up to {} bytes", limits::VALUE_BYTES_MAX);
        return Err(Error::invalid_input("length of a value").expected_found(range, value.len()));
    }
    if key.seqno >= SEQNO_MAX {
        return Err(Error::invalid_input("sequence number of a row").expected_found(format!("below {SEQNO_MAX}"), key.seqno));
    }
    Ok(())
}

/// Puts a row into the memtable that takes its seqno when it gets there.
pub(crate) fn apply(versions: &SuperVersions, key: InternalKey<'_>, value: &[u8]) -> Result<()> {
    check_row(&key, value)?;
    loop {
        match versions.load().memtable_for(key.seqno).insert(key, value) {
            // Closed in between: another is in place already.
            Err(error) if error.kind() == ErrorKind::Closed => {}
            result => return result,
        }
    }
}
