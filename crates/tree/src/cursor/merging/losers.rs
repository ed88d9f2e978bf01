//! `Losers`: a tournament among sources, of which one step replays a single path.
//!
//! Each inner node keeps the source that lost there, and its rank; the lowest rank wins. Who is better of two equal ranks is for the
//! caller to say.

use smallvec::{SmallVec, smallvec};

/// Up to so many sources take no memory of their own for the tree.
const SOURCES: usize = 8;

/// A source as the tournament sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Player {
    pub(super) rank: u64,
    pub(super) source: usize,
}

/// The tree. One caller at a time.
pub(super) struct Losers {
    /// Without sources anything.
    winner: Player,
    /// Node `n`, from 1 on, has the children `2n` and `2n + 1`, source `i` is the leaf `n = count + i`.
    nodes: SmallVec<[Player; SOURCES]>,
}

impl Losers {
    /// Of so many sources, of which nothing is known.
    pub(super) fn new(count: usize) -> Self {
        Self { winner: Player::default(), nodes: smallvec![Player::default(); count] }
    }

    /// Who won.
    #[inline]
    pub(super) fn winner(&self) -> Player {
        self.winner
    }

    /// Plays everything anew, among sources of these ranks. `is_first` says of two sources of equal rank whether the first is better.
    pub(super) fn play(&mut self, ranks: impl Iterator<Item = u64>, is_first: impl Fn(usize, usize) -> bool) {
        let count = self.nodes.len();
        let leaves = ranks.enumerate().map(|(source, rank)| Player { rank, source });
        let mut winners: SmallVec<[Player; 2 * SOURCES]> = smallvec![Player::default(); count];
        winners.extend(leaves);
        for node in (1..count).rev() {
            let (left, right) = (winners[2 * node], winners[2 * node + 1]);
            let is_left = is_better(left, right, &is_first);
            (winners[node], self.nodes[node]) = if is_left { (left, right) } else { (right, left) };
        }
        self.winner = winners.get(1).copied().unwrap_or_default();
    }

    /// Lets the winner, whose rank is another now, play its way up again.
    #[inline]
    pub(super) fn replay(&mut self, rank: u64, is_first: impl Fn(usize, usize) -> bool) {
        let nodes = &mut *self.nodes;
        let mut winner = Player { rank, source: self.winner.source };
        let mut node = (nodes.len() + winner.source) / 2;
        while node > 0 {
            if is_better(nodes[node], winner, &is_first) {
                std::mem::swap(&mut nodes[node], &mut winner);
            }
            node /= 2;
        }
        self.winner = winner;
    }

    /// Gives every source another rank, which must not change who is better than whom.
    pub(super) fn rerank(&mut self, rank: impl Fn(usize) -> u64) {
        self.winner.rank = rank(self.winner.source);
        self.nodes.iter_mut().skip(1).for_each(|player| player.rank = rank(player.source));
    }

    /// The best of those that lost against the winner: the next best of all. None where there is only one source.
    pub(super) fn runner_up(&self, is_first: impl Fn(usize, usize) -> bool) -> Option<usize> {
        let best = self.rivals().reduce(|best, rival| if is_better(rival, best, &is_first) { rival } else { best });
        best.map(|best| best.source)
    }

    /// Whether the next best source has the winner's rank.
    #[inline]
    pub(super) fn is_tied(&self) -> bool {
        let rank = self.winner.rank;
        self.rivals().fold(false, |is_tied, rival| is_tied | (rival.rank == rank))
    }

    /// Those that lost against the winner itself.
    #[inline]
    fn rivals(&self) -> impl Iterator<Item = Player> {
        let nodes = &*self.nodes;
        let first = (nodes.len() + self.winner.source) / 2;
        std::iter::successors(Some(first), |node| Some(node / 2)).take_while(|node| *node > 0).map(|node| nodes[node])
    }
}

#[inline]
fn is_better(a: Player, b: Player, is_first: impl Fn(usize, usize) -> bool) -> bool {
    if a.rank == b.rank { is_first(a.source, b.source) } else { a.rank < b.rank }
}
