//! Tokens: what a scan in parts leaves behind so that it can be gone on with, in this process or another one.
//!
//! ```text
//! 0 sum u32: CRC-32C of database uuid, keyspace u32, and all that follows | 4 flags u8
//!   flags: 1 from the back | 2 at a snapshot | 4, 8 the lower bound is included, excluded | 16, 32 the upper bound
//!   seqno u64 of the snapshot | lower bound, length varint before it | upper bound likewise    (each where a flag says so)
//! ```
//!
//! Where a token belongs is not stored in it, but its sum begins there: one from elsewhere is refused as a damaged one is. Callers may keep
//! tokens for as long as they like: a change of the format needs another flag.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use sediment_base::{Error, FileUuid, KeyspaceId, Result, SeqNo, Slice};
use sediment_codec::{
    checksum,
    coding::{Reader, Writer},
};
use sediment_tree::Direction;
use std::ops::Bound;

const BACKWARD: u8 = 1;
const AT_SNAPSHOT: u8 = 2;
/// Where the two flags of each bound are.
const LOWER_SHIFT: u32 = 2;
const UPPER_SHIFT: u32 = 4;
const INCLUDED: u8 = 1;
const EXCLUDED: u8 = 2;
const KNOWN: u8 = 0b11_1111;

/// Where a token belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenHome {
    pub(crate) database: FileUuid,
    pub(crate) keyspace: KeyspaceId,
}

/// What is left of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) direction: Direction,
    /// The moment of a scan of a snapshot; none where each part reads its own present.
    pub(crate) at: Option<SeqNo>,
    pub(crate) rest: (Bound<Slice>, Bound<Slice>),
}

impl Token {
    /// The bytes that a caller keeps.
    pub(crate) fn encode(&self, home: TokenHome) -> Vec<u8> {
        let direction = if self.direction == Direction::Backward { BACKWARD } else { 0 };
        let at = self.at.map_or(0, |_| AT_SNAPSHOT);
        let (lower, upper) = (flags_of(&self.rest.0) << LOWER_SHIFT, flags_of(&self.rest.1) << UPPER_SHIFT);
        let mut body = vec![direction | at | lower | upper];
        if let Some(seqno) = self.at {
            body.put_u64(seqno);
        }
        for bound in [&self.rest.0, &self.rest.1] {
            if let Bound::Included(key) | Bound::Excluded(key) = bound {
                body.put_length_prefixed(key);
            }
        }
        let mut out = Vec::new();
        out.put_u32(home.sum(&body));
        out.put_bytes(&body);
        out
    }

    /// Reads the bytes of a token of this home. `InvalidInput` for any others.
    pub(crate) fn decode(bytes: &[u8], home: TokenHome) -> Result<Self> {
        Self::read(bytes, home)
            .map_err(|error| Error::invalid_input("not a token of a scan of this keyspace").with_source(error))
    }

    fn read(bytes: &[u8], home: TokenHome) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let sum = reader.u32()?;
        let body = reader.rest();
        if !checksum::matches(sum, home.sum(body)) {
            return Err(reader.error("checksum"));
        }
        let mut body = Reader::new(body);
        let flags = body.u8()?;
        if flags & !KNOWN != 0 {
            return Err(body.error("flags"));
        }
        let direction = if flags & BACKWARD == 0 { Direction::Forward } else { Direction::Backward };
        let at = if flags & AT_SNAPSHOT == 0 { None } else { Some(body.u64()?) };
        let rest = (bound(&mut body, flags >> LOWER_SHIFT)?, bound(&mut body, flags >> UPPER_SHIFT)?);
        body.expect_end()?;
        Ok(Self { direction, at, rest })
    }
}

impl TokenHome {
    fn sum(self, body: &[u8]) -> u32 {
        let home = checksum::crc32c(checksum::crc32c(0, &self.database.0), &self.keyspace.0.to_le_bytes());
        checksum::crc32c(home, body)
    }
}

fn flags_of(bound: &Bound<Slice>) -> u8 {
    match bound {
        Bound::Unbounded => 0,
        Bound::Included(_) => INCLUDED,
        Bound::Excluded(_) => EXCLUDED,
    }
}

fn bound(reader: &mut Reader<'_>, flags: u8) -> Result<Bound<Slice>> {
    match flags & (INCLUDED | EXCLUDED) {
        0 => Ok(Bound::Unbounded),
        INCLUDED => reader.length_prefixed().map(|key| Bound::Included(key.into())),
        EXCLUDED => reader.length_prefixed().map(|key| Bound::Excluded(key.into())),
        _ => Err(reader.error("flags of a bound")),
    }
}

#[cfg(test)]
mod tests;
