//! The region of range tombstones.
//!
//! ```text
//! count varint, then each: start, end (each with length varint; empty where there is no bound), seqno varint
//! ```
//!
//! They come in the order of their starts, of equal ones the newest first. None is empty.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use sediment_base::{
    Error, KeyOrder, RangeTombstone, RangeTombstones, Result, limits, range::compare_starts, seqno::SEQNO_MAX,
};
use sediment_codec::coding::{Reader, Writer};

/// What one takes at least.
const BYTES_MIN: usize = 3;

/// The content of the region.
pub(crate) fn encode(tombstones: &RangeTombstones) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_varint(tombstones.len() as u64);
    for RangeTombstone { start, end, seqno } in tombstones.iter() {
        out.put_length_prefixed(start);
        out.put_length_prefixed(end);
        out.put_varint(*seqno);
    }
    out
}

/// Reads it, and checks that they are what a writer under this order writes.
pub(crate) fn decode(content: &[u8], order: &KeyOrder) -> Result<RangeTombstones> {
    let tombstones = read(content)?;
    for (index, tombstone) in tombstones.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| tombstones.get(before));
        check(tombstone, before, order)?;
    }
    Ok(RangeTombstones::new(tombstones, order))
}

/// Reads it, whatever the order.
pub(crate) fn read(content: &[u8]) -> Result<Vec<RangeTombstone>> {
    let mut reader = Reader::new(content);
    let count = reader.varint()?;
    let most = content.len().checked_div(BYTES_MIN).unwrap_or(0);
    let mut tombstones = Vec::with_capacity(most.min(usize::try_from(count).unwrap_or(most)));
    for _ in 0..count {
        let (start, end) = (reader.length_prefixed()?.into(), reader.length_prefixed()?.into());
        tombstones.push(RangeTombstone { start, end, seqno: reader.varint()? });
    }
    reader.expect_end()?;
    Ok(tombstones)
}

fn check(tombstone: &RangeTombstone, before: Option<&RangeTombstone>, order: &KeyOrder) -> Result<()> {
    let longest = tombstone.start.len().max(tombstone.end.len());
    if longest > limits::RANGE_BOUND_BYTES_MAX {
        let error = Error::corruption("length of a bound of a range tombstone");
        return Err(error.expected_found(format!("at most {}", limits::RANGE_BOUND_BYTES_MAX), longest));
    }
    if tombstone.seqno >= SEQNO_MAX {
        let error = Error::corruption("sequence number of a range tombstone");
        return Err(error.expected_found(format!("below {SEQNO_MAX}"), tombstone.seqno));
    }
    if tombstone.is_empty(order) {
        return Err(Error::corruption("a range tombstone covers nothing"));
    }
    let is_in_order = before.is_none_or(|before| {
        let starts = compare_starts(&before.start, &tombstone.start, order);
        starts.then(tombstone.seqno.cmp(&before.seqno)).is_le()
    });
    if is_in_order { Ok(()) } else { Err(Error::corruption("range tombstones out of order")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    fn tombstone(start: &str, end: &str, seqno: u64) -> RangeTombstone {
        RangeTombstone { start: start.into(), end: end.into(), seqno }
    }

    #[test]
    fn they_come_back_and_damage_is_refused() {
        let order = KeyOrder::bytewise();
        let made = vec![tombstone("b", "d", 7), tombstone("", "c", 9), tombstone("b", "", 8)];
        let set = RangeTombstones::new(made, &order);
        let bytes = encode(&set);
        let read: Vec<_> = decode(&bytes, &order).unwrap().iter().cloned().collect();
        assert_eq!(read, [tombstone("", "c", 9), tombstone("b", "", 8), tombstone("b", "d", 7)]);
        assert!((0..bytes.len()).all(|cut| decode(&bytes[..cut], &order).is_err()));
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        let order = KeyOrder::bytewise();
        let raw = |tombstones: &[RangeTombstone]| {
            let mut out = Vec::new();
            out.put_varint(tombstones.len() as u64);
            for RangeTombstone { start, end, seqno } in tombstones {
                out.put_length_prefixed(start);
                out.put_length_prefixed(end);
                out.put_varint(*seqno);
            }
            decode(&out, &order).map(|set| set.len()).map_err(|error| error.to_string())
        };
        assert_eq!(raw(&[tombstone("a", "b", 1), tombstone("a", "c", 1)]), Ok(2));
        assert!(raw(&[tombstone("b", "c", 1), tombstone("a", "c", 2)]).unwrap_err().contains("out of order"));
        assert!(raw(&[tombstone("b", "b", 1)]).unwrap_err().contains("covers nothing"));
        assert!(raw(&[tombstone("a", "b", SEQNO_MAX)]).unwrap_err().contains("sequence number"));
        let long = "x".repeat(limits::RANGE_BOUND_BYTES_MAX + 1);
        assert!(raw(&[tombstone("a", &long, 1)]).unwrap_err().contains("length"));
    }
}
