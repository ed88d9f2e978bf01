//! Moves of a cursor, and where they lead.

/// One move of a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// To the first pair.
    First,
    /// To the last pair.
    Last,
    /// To the first pair at or after a key.
    AtOrAfter(Vec<u8>),
    /// To the last pair at or before a key.
    AtOrBefore(Vec<u8>),
    /// To the pair after.
    Next,
    /// To the pair before.
    Prev,
}

/// The pair that a cursor over these, which ascend, stands on after each move. It begins before the first.
pub fn walk<'a, P, K: AsRef<[u8]>>(pairs: &'a [P], key: impl Fn(&P) -> &K, moves: &[Move]) -> Vec<Option<&'a P>> {
    // 0 is before the first pair, n on the nth, one more than there are after the last.
    let (mut at, end) = (0, pairs.len() + 1);
    let mut stand = |to: &Move| {
        at = match to {
            Move::First => 1,
            Move::Last => pairs.len(),
            Move::AtOrAfter(goal) => pairs.partition_point(|pair| key(pair).as_ref() < goal.as_slice()) + 1,
            Move::AtOrBefore(goal) => pairs.partition_point(|pair| key(pair).as_ref() <= goal.as_slice()),
            Move::Next => (at + 1).min(end),
            Move::Prev => at.saturating_sub(1),
        };
        at.checked_sub(1).and_then(|index| pairs.get(index))
    };
    moves.iter().map(&mut stand).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_places_to_stand() {
        let pairs = [("b", 1), ("d", 2)];
        let walked = |moves: &[Move]| -> Vec<i32> {
            walk(&pairs, |pair| &pair.0, moves).into_iter().map(|pair| pair.map_or(0, |pair| pair.1)).collect()
        };
        assert_eq!(walked(&[Move::Prev, Move::Next, Move::Next, Move::Next, Move::Next, Move::Prev]), [0, 1, 2, 0, 0, 2]);
        assert_eq!(walked(&[Move::Last, Move::First, Move::Prev, Move::Next]), [2, 1, 0, 1]);
        let (after, before) = (|key: &str| Move::AtOrAfter(key.into()), |key: &str| Move::AtOrBefore(key.into()));
        assert_eq!(walked(&[after("a"), after("c"), after("d"), after("e"), Move::Prev]), [1, 2, 2, 0, 2]);
        assert_eq!(walked(&[before("e"), before("c"), before("b"), before("a"), Move::Next]), [2, 1, 1, 0, 1]);
    }
}
