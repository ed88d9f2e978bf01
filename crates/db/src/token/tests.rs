#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]

use super::{Token, TokenHome};
use sediment_base::{ErrorKind, FileUuid, KeyspaceId, Slice};
use sediment_tree::Direction;
use std::ops::Bound;

const HOME: TokenHome = TokenHome { database: FileUuid(*b"uuid of database"), keyspace: KeyspaceId(7) };

fn tokens() -> Vec<Token> {
    let long = Slice::from(vec![b'k'; 300]);
    let bounds =
        [Bound::Unbounded, Bound::Included(Slice::from("a")), Bound::Excluded(long), Bound::Excluded(Slice::default())];
    let mut tokens = Vec::new();
    for direction in [Direction::Forward, Direction::Backward] {
        for at in [None, Some(0), Some(u64::MAX)] {
            for lower in &bounds {
                tokens.extend(bounds.iter().map(|upper| Token { direction, at, rest: (lower.clone(), upper.clone()) }));
            }
        }
    }
    tokens
}

#[test]
fn every_token_reads_back_as_it_was() {
    for token in tokens() {
        assert_eq!(Token::decode(&token.encode(HOME), HOME).unwrap(), token);
    }
}

#[test]
fn a_token_is_read_in_years_to_come() {
    let token =
        Token { direction: Direction::Backward, at: Some(300), rest: (Bound::Unbounded, Bound::Excluded(Slice::from("u17"))) };
    assert_eq!(token.encode(HOME)[4..], [0x23, 0x2C, 0x01, 0, 0, 0, 0, 0, 0, 3, b'u', b'1', b'7']);
    assert_eq!(token.encode(HOME).len(), 17);
}

#[test]
fn what_was_changed_or_cut_is_refused() {
    for token in tokens() {
        let bytes = token.encode(HOME);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            for bytes in [&changed[..], &bytes[..at]] {
                assert_eq!(Token::decode(bytes, HOME).unwrap_err().kind(), ErrorKind::InvalidInput);
            }
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(Token::decode(&longer, HOME).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_token_from_elsewhere_is_refused() {
    let others =
        [TokenHome { keyspace: KeyspaceId(8), ..HOME }, TokenHome { database: FileUuid(*b"uuid of another1"), ..HOME }];
    for token in tokens() {
        for other in others {
            assert_eq!(Token::decode(&token.encode(other), HOME).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
    }
}

#[test]
fn what_is_behind_a_sound_sum_is_checked_as_well() {
    for body in [&b""[..], b"\x40", b"\x0C\x01a\x01b", b"\x02short", b"\x04\x05abcd", b"\x04\x01ab"] {
        let bytes = [&HOME.sum(body).to_le_bytes()[..], body].concat();
        assert_eq!(Token::decode(&bytes, HOME).unwrap_err().kind(), ErrorKind::InvalidInput, "{body:?}");
    }
}
