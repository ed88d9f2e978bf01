//! The region of runs of removed keys.
//!
//! ```text
//! seqno varint, count varint, then each: start, end (each with length varint)
//! ```
//!
//! When the table was written, nobody who reads above the seqno found a row of a key from a start up to, and without, its end: neither in
//! the table nor in what was there before it. No row of these keys, there or here, had a higher seqno, and each that is here and the newest
//! of its key is a tombstone. The runs ascend, and no key is in two. It is a hint, which hides only what is hidden in any case: a
//! reader that does not know it reads the rows.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use sediment_base::{Error, KeyOrder, RangeTombstone, RangeTombstones, Result, SeqNo, Slice, limits, seqno::SEQNO_MAX};
use sediment_codec::coding::{Reader, Writer};

/// What one takes at least.
const BYTES_MIN: usize = 4;

/// Runs of removed keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovedRuns {
    /// Who reads above finds nothing in them.
    pub seqno: SeqNo,
    /// From a key up to, and without, another.
    pub runs: Vec<(Slice, Slice)>,
}

impl RemovedRuns {
    /// As range tombstones right above the highest seqno of a row: what a walk passes over that reads there or higher.
    pub fn covers(&self, order: &KeyOrder) -> RangeTombstones {
        let seqno = self.seqno.saturating_add(1);
        let covers = self.runs.iter().map(|(start, end)| RangeTombstone { start: start.clone(), end: end.clone(), seqno });
        RangeTombstones::new(covers.collect(), order)
    }
}

/// The content of the region.
pub(crate) fn encode(removed: &RemovedRuns) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_varint(removed.seqno);
    out.put_varint(removed.runs.len() as u64);
    for (start, end) in &removed.runs {
        out.put_length_prefixed(start);
        out.put_length_prefixed(end);
    }
    out
}

/// Reads it, and checks that they are what a writer under this order writes.
pub(crate) fn decode(content: &[u8], order: &KeyOrder) -> Result<RemovedRuns> {
    let removed = read(content)?;
    if removed.seqno >= SEQNO_MAX {
        let error = Error::corruption("sequence number of runs of removed keys");
        return Err(error.expected_found(format!("below {SEQNO_MAX}"), removed.seqno));
    }
    let mut before: Option<&Slice> = None;
    for (start, end) in &removed.runs {
        let longest = start.len().max(end.len());
        if start.is_empty() || end.is_empty() || longest > limits::KEY_BYTES_MAX {
            let error = Error::corruption("length of a key of a run of removed keys");
            return Err(error.expected_found(format!("1..={}", limits::KEY_BYTES_MAX), start.len().min(end.len())));
        }
        if order.compare(start, end).is_ge() || before.is_some_and(|before| order.compare(before, start).is_gt()) {
            return Err(Error::corruption("runs of removed keys out of order"));
        }
        before = Some(end);
    }
    Ok(removed)
}

/// Reads it, whatever the order.
pub(crate) fn read(content: &[u8]) -> Result<RemovedRuns> {
    let mut reader = Reader::new(content);
    let (seqno, count) = (reader.varint()?, reader.varint()?);
    let most = content.len().checked_div(BYTES_MIN).unwrap_or(0);
    let mut runs = Vec::with_capacity(most.min(usize::try_from(count).unwrap_or(most)));
    for _ in 0..count {
        runs.push((reader.length_prefixed()?.into(), reader.length_prefixed()?.into()));
    }
    reader.expect_end()?;
    Ok(RemovedRuns { seqno, runs })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    fn removed(seqno: SeqNo, runs: &[(&str, &str)]) -> RemovedRuns {
        RemovedRuns { seqno, runs: runs.iter().map(|(start, end)| ((*start).into(), (*end).into())).collect() }
    }

    #[test]
    fn they_come_back_and_damage_is_refused() {
        let order = KeyOrder::bytewise();
        let made = removed(300, &[("a", "c"), ("c", "d"), ("m", "x")]);
        let bytes = encode(&made);
        assert_eq!(decode(&bytes, &order).unwrap(), made);
        assert!((0..bytes.len()).all(|cut| decode(&bytes[..cut], &order).is_err()));
        assert!(decode(&[&bytes[..], &[0]].concat(), &order).is_err());
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        let refused = |made: &RemovedRuns| decode(&encode(made), &KeyOrder::bytewise()).unwrap_err().to_string();
        assert!(refused(&removed(1, &[("b", "b")])).contains("out of order"));
        assert!(refused(&removed(1, &[("a", "c"), ("b", "d")])).contains("out of order"));
        assert!(refused(&removed(1, &[("m", "n"), ("a", "b")])).contains("out of order"));
        assert!(refused(&removed(1, &[("", "b")])).contains("length"));
        assert!(refused(&removed(1, &[("b", "")])).contains("length"));
        assert!(refused(&removed(1, &[("b", &"x".repeat(limits::KEY_BYTES_MAX + 1))])).contains("length"));
        assert!(refused(&removed(SEQNO_MAX, &[("a", "b")])).contains("sequence number"));
    }

    #[test]
    fn a_count_beyond_the_bytes_takes_no_memory() {
        let mut bytes = Vec::new();
        bytes.put_varint(7);
        bytes.put_varint(u64::MAX);
        assert!(decode(&bytes, &KeyOrder::bytewise()).is_err());
    }

    #[test]
    fn they_hide_what_is_at_or_below_their_seqno() {
        let order = KeyOrder::bytewise();
        let covers = removed(9, &[("b", "d")]).covers(&order);
        let cover = |key: &str| covers.cover(key.as_bytes(), SeqNo::MAX, &order);
        assert_eq!((cover("a"), cover("b"), cover("c"), cover("d")), (0, 10, 10, 0));
    }
}
