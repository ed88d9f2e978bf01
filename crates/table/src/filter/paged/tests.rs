//! Filters in pages against the same in memory.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::*;
use crate::{
    filter::{
        Filter,
        hard::{hash, sets},
    },
    options::FilterKind,
};
use sediment_raw::slab::{Buffer, Pool};

fn content(bytes: &[u8]) -> Content {
    Buffer::copied(&Pool::new(), bytes).share((), 0..bytes.len()).part(0..bytes.len())
}

/// A filter in memory, and the same in pages.
struct Pair {
    whole: Filter,
    paged: PagedFilter,
    rest: Vec<u8>,
}

impl Pair {
    fn new(kind: FilterKind, hashes: &[u64], bits: u8) -> Self {
        let encoded = Filter::encode(kind, hashes, bits);
        let frames: Vec<&[u8]> = encoded.frames().collect();
        assert_eq!(frames.concat(), encoded.content);
        assert_eq!(frames.len() > 1, encoded.content.len() > PAGE_BYTES);
        let (head, rest) = encoded.content.split_at(encoded.head_bytes);
        let paged = PagedFilter::decode(encoded.kind, content(head), encoded.content.len()).unwrap();
        Self { whole: Filter::decode(encoded.kind, content(&encoded.content)).unwrap(), paged, rest: rest.to_vec() }
    }

    fn may_contain(&self, hash: u64) -> bool {
        let answer = match self.paged.find(hash) {
            Ok((place, bytes)) => {
                assert!(bytes.len() <= WINDOW_BYTES_MAX && bytes.len() <= PAGE_BYTES);
                self.paged.may_contain(&place, &self.rest[bytes])
            }
            Err(answer) => answer,
        };
        assert_eq!(answer, self.whole.may_contain(hash));
        answer
    }
}

#[test]
fn answers_are_those_of_the_filter_in_memory() {
    for hashes in sets() {
        for (kind, bits) in [1, 2, 3, 7, 8, 9, 10, 16, 17, 32]
            .into_iter()
            .flat_map(|bits| [(FilterKind::SplitBlock, bits), (FilterKind::Burr, bits)])
        {
            let pair = Pair::new(kind, &hashes, bits);
            assert!(hashes.iter().all(|hash| pair.may_contain(*hash)), "{kind:?}, {} hashes, {bits} bits", hashes.len());
            let wrong = (0..4000).filter(|i| pair.may_contain(hash(i + 1_000_000))).count();
            assert!(wrong < 4000 || bits == 1 || hashes.len() < 10, "{kind:?}, {} hashes, {bits} bits", hashes.len());
        }
    }
}

#[test]
fn heads_of_other_lengths_are_refused_and_any_bytes_give_an_answer() {
    for kind in [FilterKind::SplitBlock, FilterKind::Burr] {
        let hashes: Vec<u64> = (0..9000).map(hash).collect();
        let encoded = Filter::encode(kind, &hashes, 9);
        let (head, len) = (&encoded.content[..encoded.head_bytes], encoded.content.len());
        for cut in 0..head.len() {
            assert!(PagedFilter::decode(encoded.kind, content(&head[..cut]), len).is_err(), "{kind:?}, {cut}");
        }
        assert!(PagedFilter::decode(encoded.kind, content(&encoded.content[..head.len() + 1]), len).is_err(), "{kind:?}");
        assert!(PagedFilter::decode(encoded.kind, content(head), len + 64).is_err(), "{kind:?}");
        assert!(PagedFilter::decode(9, content(head), len).is_err(), "{kind:?}");
        let rest = len - head.len();
        for at in 0..head.len() {
            for byte in [0, 1, 0x7F, 0xFF, head[at] ^ 1] {
                let mut changed = head.to_vec();
                changed[at] = byte;
                let Ok(filter) = PagedFilter::decode(encoded.kind, content(&changed), len) else { continue };
                for i in 0..20 {
                    let Ok((place, bytes)) = filter.find(hash(i)) else { continue };
                    assert!(bytes.start < bytes.end && bytes.end <= rest && bytes.len() <= WINDOW_BYTES_MAX, "{kind:?}, {at}");
                    let _ = filter.may_contain(&place, &vec![byte; bytes.len()]);
                    assert!(filter.may_contain(&place, &[]), "what is not there denies nothing");
                }
            }
        }
    }
}
