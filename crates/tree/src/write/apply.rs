//! One row or range tombstone into the memtable that takes it.

use crate::{memtable::Memtable, super_version::SuperVersions};
use sediment_base::{Error, ErrorKind, InternalKey, RangeTombstone, Result, SeqNo, limits, seqno::SEQNO_MAX};
use sediment_codec::hash::key_hash;
use sediment_raw::epoch::Pin;

/// Puts a row into the memtable that takes its seqno when it gets there; bytes of that memtable, as of its last count.
pub(crate) fn apply(versions: &SuperVersions, key: InternalKey<'_>, value: &[u8]) -> Result<u64> {
    check(&key, value)?;
    let hash = key_hash(versions.home.hash_seed, key.user_key);
    put(versions, key.seqno, |memtable, pin| {
        memtable.insert_hashed(key, hash, value, pin)?;
        Ok(memtable.counted_bytes())
    })
}

/// Asks for the memory that the next row of a key begins with.
#[inline]
pub(crate) fn expect(versions: &SuperVersions, key: &[u8]) {
    let now = versions.load();
    now.active.prefetch(key_hash(versions.home.hash_seed, key), now.pin());
}

/// Puts a range tombstone there. One that covers nothing is not written.
pub(crate) fn apply_range(versions: &SuperVersions, tombstone: &RangeTombstone) -> Result<()> {
    if check_range(versions, tombstone)? {
        put(versions, tombstone.seqno, |memtable, _| memtable.remove_range(tombstone.clone()))?;
    }
    Ok(())
}

/// Refuses what no table could hold; whether it covers anything.
pub(crate) fn check_range(versions: &SuperVersions, tombstone: &RangeTombstone) -> Result<bool> {
    for bound in [&tombstone.start, &tombstone.end] {
        if bound.len() > limits::RANGE_BOUND_BYTES_MAX {
            let range = format!("up to {} bytes", limits::RANGE_BOUND_BYTES_MAX);
            return Err(Error::invalid_input("length of a bound").expected_found(range, bound.len()));
        }
    }
    check_seqno(tombstone.seqno)?;
    Ok(!tombstone.is_empty(&versions.options.order))
}

/// Refuses what no table could hold.
pub(crate) fn check(key: &InternalKey<'_>, value: &[u8]) -> Result<()> {
    let key_bytes = key.user_key.len();
    if key_bytes == 0 || key_bytes > limits::KEY_BYTES_MAX {
        let range = format!("1 to {} bytes", limits::KEY_BYTES_MAX);
        return Err(Error::invalid_input("length of a key").expected_found(range, key_bytes));
    }
    if value.len() > limits::VALUE_BYTES_MAX {
        let range = format!("up to {} bytes", limits::VALUE_BYTES_MAX);
        return Err(Error::invalid_input("length of a value").expected_found(range, value.len()));
    }
    check_seqno(key.seqno)
}

fn check_seqno(seqno: SeqNo) -> Result<()> {
    if seqno < SEQNO_MAX {
        return Ok(());
    }
    Err(Error::invalid_input("sequence number of a row").expected_found(format!("below {SEQNO_MAX}"), seqno))
}

#[inline]
fn put<T>(versions: &SuperVersions, seqno: SeqNo, insert: impl Fn(&Memtable, &Pin) -> Result<T>) -> Result<T> {
    loop {
        let now = versions.load();
        match insert(now.memtable_for(seqno), now.pin()) {
            // Closed in between: another is in place already.
            Err(error) if error.kind() == ErrorKind::Closed => {}
            result => return result,
        }
    }
}
