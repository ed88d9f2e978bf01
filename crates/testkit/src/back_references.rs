//! A codec for blocks that does not come with Sediment: what was said before is named by how far back it was.

use sediment_base::{BlockCodec, Error, Result};
use std::collections::HashMap;

/// Literals and matches in turn: how many literals, they, how long a match is, and how far back, two bytes each.
#[derive(Clone, Copy, Debug)]
pub struct BackReferences;

const MATCH_MIN: usize = 6;

impl BlockCodec for BackReferences {
    fn id(&self) -> u8 {
        200
    }

    fn name(&self) -> &str {
        "back references"
    }

    fn compress(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let (mut seen, mut at, mut literals) = (HashMap::new(), 0, 0);
        while at + MATCH_MIN <= plain.len() {
            let earlier = seen.insert(&plain[at..at + MATCH_MIN], at).filter(|earlier| at - earlier <= usize::from(u16::MAX));
            let Some(earlier) = earlier else {
                at += 1;
                continue;
            };
            let len = plain[at..].iter().zip(&plain[earlier..]).take_while(|(a, b)| a == b).count().min(usize::from(u16::MAX));
            put(out, &plain[literals..at], len, at - earlier);
            at += len;
            literals = at;
        }
        put(out, &plain[literals..], 0, 0);
        Ok(())
    }

    fn decompress(&self, stored: &[u8], plain: &mut [u8]) -> Result<()> {
        let damaged = || Error::corruption("back references");
        let (mut rest, mut at) = (stored, 0);
        while let Some((count, after)) = rest.split_first_chunk::<4>() {
            let count = u32::from_le_bytes(*count) as usize;
            let (literals, after) = after.split_at_checked(count).ok_or_else(damaged)?;
            let (tail, after) = after.split_first_chunk::<4>().ok_or_else(damaged)?;
            plain.get_mut(at..at + count).ok_or_else(damaged)?.copy_from_slice(literals);
            at += count;
            let (len, back) =
                (usize::from(u16::from_le_bytes([tail[0], tail[1]])), usize::from(u16::from_le_bytes([tail[2], tail[3]])));
            if back > at || at + len > plain.len() || (len > 0 && back == 0) {
                return Err(damaged());
            }
            (at..at + len).for_each(|to| plain[to] = plain[to - back]);
            at += len;
            rest = after;
        }
        if at == plain.len() && rest.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

fn put(out: &mut Vec<u8>, literals: &[u8], len: usize, back: usize) {
    out.extend((literals.len() as u32).to_le_bytes());
    out.extend(literals);
    out.extend((len as u16).to_le_bytes());
    out.extend((back as u16).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_again_is_stored_once_and_comes_back() {
        let plain = b"what was said again and again was said before".repeat(9);
        let mut stored = Vec::new();
        BackReferences.compress(&plain, &mut stored).unwrap();
        assert!(stored.len() < 100, "{}", stored.len());
        let mut read = vec![0; plain.len()];
        BackReferences.decompress(&stored, &mut read).unwrap();
        assert_eq!(read, plain);
        for cut in 0..stored.len() {
            // What is cut off may be an empty end.
            assert!(BackReferences.decompress(&stored[..cut], &mut read).is_err() || read == plain);
        }
    }
}
