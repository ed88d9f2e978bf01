//! Cursors beside a sorted list of what they should show: any moves in any order.

use crate::model::{Pair, Pairs};
use sediment_base::{KeyOrder, Result, SeqNo};
use sediment_env::random::SeededRandom;
use sediment_tree::Cursor;
use std::ops::Bound;

/// Where a cursor should stand: on a row of the list, or before (0) or after (1) all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    BeforeFirst,
    Row(usize),
    AfterLast,
}

/// A cursor and the list of the rows that it walks over.
struct Walk<'a> {
    cursor: Cursor,
    rows: &'a Pairs,
    order: &'a KeyOrder,
    at: At,
}

impl Walk<'_> {
    fn go(&mut self, random: &SeededRandom, key: &[u8]) -> Result<&'static str> {
        let end = self.rows.len();
        let (what, is_moved, at) = match random.below(12) {
            0 => ("seek_to_first", self.cursor.seek_to_first()?, 0),
            1 => {
                let is_moved = self.cursor.seek_to_last()?;
                return Ok(self.arrive_back("seek_to_last", is_moved, end, At::AfterLast));
            }
            2 | 3 => {
                let at = self.rows.partition_point(|row| self.order.compare(&row.0, key).is_lt());
                ("seek", self.cursor.seek(key)?, at)
            }
            4 | 5 => {
                let at = self.rows.partition_point(|row| self.order.compare(&row.0, key).is_le());
                let is_moved = self.cursor.seek_back(key)?;
                return Ok(self.arrive_back("seek_back", is_moved, at, At::BeforeFirst));
            }
            6..9 => {
                let at = match self.at {
                    At::BeforeFirst => 0,
                    At::Row(row) => row + 1,
                    At::AfterLast => end,
                };
                ("next", self.cursor.next()?, at)
            }
            _ => {
                let at = match self.at {
                    At::BeforeFirst => 0,
                    At::Row(row) => row,
                    At::AfterLast => end,
                };
                let is_moved = self.cursor.prev()?;
                return Ok(self.arrive_back("prev", is_moved, at, At::BeforeFirst));
            }
        };
        self.at = if at < end { At::Row(at) } else { At::AfterLast };
        assert_eq!(is_moved, at < end, "{what}");
        Ok(what)
    }

    /// On the last row before the `at`th.
    fn arrive_back(&mut self, what: &'static str, is_moved: bool, at: usize, otherwise: At) -> &'static str {
        assert_eq!(is_moved, at > 0, "{what}");
        // An empty list has no last row to stand after.
        self.at = at.checked_sub(1).map_or(if self.rows.is_empty() { At::BeforeFirst } else { otherwise }, At::Row);
        what
    }

    fn check(&self, place: &str) {
        let expected = match self.at {
            At::Row(row) => Some(&self.rows[row]),
            At::BeforeFirst | At::AfterLast => None,
        };
        let found = self.cursor.key().zip(self.cursor.value());
        assert_eq!(found, expected.map(|row| (&*row.0, &*row.1)), "{place}");
    }
}

/// Sends a cursor about at random.
pub(crate) fn check(
    pair: &Pair,
    random: &SeededRandom,
    read_seqno: SeqNo,
    key: &dyn Fn() -> Vec<u8>,
    place: &str,
) -> Result<()> {
    let rows = pair.expected_range(&(Bound::Unbounded, Bound::Unbounded), read_seqno);
    let cursor = pair.tree.cursor(read_seqno);
    let mut walk = Walk { cursor, rows: &rows, order: &pair.options.order, at: At::BeforeFirst };
    for step in 0..40 {
        let what = walk.go(random, &key())?;
        walk.check(&format!("{place}: {what}, step {step} of a cursor at {read_seqno}"));
    }
    Ok(())
}

fn three_rows() -> Result<Pair> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for key in [b"b", b"d", b"f"] {
        pair.write(key, Some(key))?;
    }
    Ok(pair)
}

#[test]
fn seeks_find_the_neighbours_of_a_key() -> Result<()> {
    let pair = three_rows()?;
    let mut cursor = pair.tree.cursor(pair.next);
    assert_eq!((cursor.key(), cursor.value()), (None, None), "it begins before the first row");
    for (key, at_or_after, at_or_before) in
        [("a", Some("b"), None), ("b", Some("b"), Some("b")), ("c", Some("d"), Some("b")), ("g", None, Some("f"))]
    {
        assert_eq!(cursor.seek(key.as_bytes())?, at_or_after.is_some());
        assert_eq!(cursor.key(), at_or_after.map(str::as_bytes), "seek {key}");
        assert_eq!(cursor.seek_back(key.as_bytes())?, at_or_before.is_some());
        assert_eq!(cursor.key(), at_or_before.map(str::as_bytes), "seek_back {key}");
    }
    Ok(())
}

#[test]
fn both_ends_can_be_left_and_entered_again() -> Result<()> {
    let pair = three_rows()?;
    let mut cursor = pair.tree.cursor(pair.next);
    assert!(!cursor.prev()? && cursor.next()?);
    assert_eq!(cursor.key(), Some(&b"b"[..]));
    assert!(!cursor.prev()? && !cursor.prev()? && cursor.next()?);
    assert_eq!(cursor.key(), Some(&b"b"[..]));
    assert!(!cursor.seek(b"x")? && !cursor.next()? && cursor.prev()?);
    assert_eq!(cursor.key(), Some(&b"f"[..]));
    Ok(())
}

#[test]
fn a_cursor_shows_one_moment_whatever_happens_to_its_files() -> Result<()> {
    let mut pair = three_rows()?;
    pair.flush()?;
    let mut cursor = pair.tree.cursor(pair.next);
    assert!(cursor.seek(b"d")?);
    pair.write(b"c", Some(b"later"))?;
    pair.write(b"d", None)?;
    pair.flush()?;
    pair.compact_all()?;
    assert_eq!((cursor.key(), cursor.value()), (Some(&b"d"[..]), Some(&b"d"[..])));
    assert!(cursor.prev()?);
    assert_eq!(cursor.key(), Some(&b"b"[..]));
    drop(pair);
    assert!(cursor.next()? && cursor.next()?, "it outlives the tree");
    assert_eq!(cursor.key(), Some(&b"f"[..]));
    Ok(())
}

#[test]
fn an_error_stays() -> Result<()> {
    let mut pair = three_rows()?;
    pair.write(b"b", Some(b"again"))?;
    pair.flush()?;
    let mut cursor = pair.tree.cursor(1);
    assert!(cursor.seek(b"b").is_err(), "history below the flush is gone");
    assert!(cursor.seek_to_last().is_err() && cursor.next().is_err() && cursor.prev().is_err());
    assert_eq!(cursor.key(), None);
    Ok(())
}
