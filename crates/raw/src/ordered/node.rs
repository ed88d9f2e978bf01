//! One node of the ordered set: up to 64 entries under a version that readers validate.

use crate::{
    arena::{Arena, Record},
    simd::prefetch,
    sync::{
        Backoff,
        atomic::{
            AtomicPtr, AtomicU32, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
            fence,
        },
    },
};
use std::{cmp::Ordering, hint::select_unpredictable, ptr};

/// Entries in a node.
pub(super) const FANOUT: usize = if cfg!(any(loom, miri)) { 4 } else { 64 };

/// A leaf, or an inner node: then each entry is the lower bound of a child, and the first entry's is never looked at.
#[repr(align(64))]
pub(super) struct Node {
    /// Odd while the writer is at work.
    version: AtomicU32,
    count: AtomicU32,
    /// The first entry of the node to the right, and that node.
    high_place: AtomicU32,
    high_head: AtomicU64,
    next: AtomicPtr<Node>,
    heads: [AtomicU64; FANOUT],
    places: [AtomicU32; FANOUT],
    /// Empty in a leaf.
    children: Box<[AtomicPtr<Node>]>,
}

/// Where a search goes: compares any entry to its goal.
pub(super) struct Search<'s, 'a, F> {
    pub(super) arena: &'a Arena,
    pub(super) head: u64,
    /// The key of a record to the goal's; asked when the heads tie.
    pub(super) compare: &'s F,
    /// Whether a leaf's entry that equals the goal counts as below it.
    pub(super) past: bool,
    /// Whether to go to the node that begins with the goal, or to the one before.
    pub(super) into_equal: bool,
}

/// An entry: head and place of its record; in inner nodes with a child.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) head: u64,
    pub(super) place: u32,
    pub(super) child: *mut Node,
}

/// What a reader does next.
pub(super) enum Step<T> {
    Right(*mut Node),
    Down(*mut Node),
    Leaf(T),
}

impl<'a, F: Fn(Record<'a>) -> Ordering> Search<'_, 'a, F> {
    /// Whether an entry lies below the goal, or at it if those count.
    #[inline]
    fn is_below(&self, head: u64, place: u32, equal_counts: bool) -> bool {
        match head.cmp(&self.head) {
            Ordering::Less => true,
            Ordering::Greater => false,
            // A place that was not stored yet is read only by a reader who will see that the version has changed.
            Ordering::Equal if place == 0 => false,
            Ordering::Equal => match (self.compare)(self.arena.at(place)) {
                Ordering::Less => true,
                Ordering::Equal => equal_counts,
                Ordering::Greater => false,
            },
        }
    }
}

impl Node {
    pub(super) fn new(is_leaf: bool) -> Self {
        Self {
            version: AtomicU32::new(0),
            count: AtomicU32::new(0),
            high_place: AtomicU32::new(0),
            high_head: AtomicU64::new(0),
            next: AtomicPtr::new(ptr::null_mut()),
            heads: std::array::from_fn(|_| AtomicU64::new(0)),
            places: std::array::from_fn(|_| AtomicU32::new(0)),
            children: (0..if is_leaf { 0 } else { FANOUT }).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
        }
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        (self.count.load(Relaxed) as usize).min(FANOUT)
    }

    pub(super) fn next(&self) -> *mut Self {
        self.next.load(Acquire)
    }

    pub(super) fn leftmost_child(&self) -> *mut Self {
        self.children.first().map_or(ptr::null_mut(), |child| child.load(Relaxed))
    }

    pub(super) fn place(&self, index: usize) -> u32 {
        self.places[index].load(Acquire)
    }

    pub(super) fn entry(&self, index: usize) -> Entry {
        let child = self.children.get(index).map_or(ptr::null_mut(), |child| child.load(Acquire));
        Entry { head: self.heads[index].load(Relaxed), place: self.place(index), child }
    }

    /// One step of a search: to the right, down, or, in the right leaf, what `look` makes of it and of the number of entries
    /// below the goal.
    #[inline]
    pub(super) fn step<'a, F, T>(&self, search: &Search<'_, 'a, F>, look: impl Fn(&Self, usize) -> T) -> Step<T>
    where
        F: Fn(Record<'a>) -> Ordering,
    {
        self.read(|| {
            let next = self.next();
            if !next.is_null()
                && search.is_below(self.high_head.load(Relaxed), self.high_place.load(Acquire), search.into_equal)
            {
                return Step::Right(next);
            }
            if self.is_leaf() {
                return Step::Leaf(look(self, self.below(0, search, search.past)));
            }
            let child = self.child_for(search) - 1;
            Step::Down(self.children[child].load(Acquire))
        })
    }

    /// The last child of this inner node that begins below all keys of `head`, found without a look at keys. The writer's.
    pub(super) fn child_before(&self, head: u64) -> *mut Self {
        let behind = self.heads_below(1, self.count(), head);
        self.children[behind - 1].load(Relaxed)
    }

    /// Asks for the memory of all entries, but for what leads to children.
    pub(super) fn prefetch(&self) {
        let node = ptr::from_ref(self).cast::<[u8; 64]>();
        for line in 0..size_of::<Self>() / 64 {
            prefetch(node.wrapping_add(line));
        }
    }

    /// Where, in an inner node, the entry behind the goal's child is or would be.
    #[inline]
    pub(super) fn child_for<'a, F>(&self, search: &Search<'_, 'a, F>) -> usize
    where
        F: Fn(Record<'a>) -> Ordering,
    {
        self.below(1, search, search.into_equal)
    }

    /// How many entries lie below the goal, given that the first `from` do.
    #[inline]
    pub(super) fn below<'a, F>(&self, from: usize, search: &Search<'_, 'a, F>, equal_counts: bool) -> usize
    where
        F: Fn(Record<'a>) -> Ordering,
    {
        let count = self.count().max(from);
        let (mut low, mut high) = (self.heads_below(from, count, search.head), count);
        if low == count || self.heads[low].load(Relaxed) != search.head {
            return low;
        }
        while low < high {
            let middle = usize::midpoint(low, high);
            if search.is_below(self.heads[middle].load(Relaxed), self.place(middle), equal_counts) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// How many of `count` entries have a smaller head, given that the first `from` do. No branch depends on a head: a processor
    /// would guess every other one wrong, at the price of several steps.
    #[inline]
    fn heads_below(&self, from: usize, count: usize, head: u64) -> usize {
        let is_below = |index: usize| self.heads[index].load(Relaxed) < head;
        let (mut low, mut left) = (from, count.saturating_sub(from));
        while left > 1 {
            let half = left / 2;
            low = select_unpredictable(is_below(low + half - 1), low + half, low);
            left -= half;
        }
        low + usize::from(left == 1 && is_below(low))
    }

    /// What `look` saw of one state of the node.
    #[inline]
    fn read<T>(&self, look: impl Fn() -> T) -> T {
        let mut backoff = Backoff::default();
        loop {
            let version = self.version.load(Acquire);
            if version & 1 == 0 {
                let seen = look();
                fence(Acquire);
                if self.version.load(Relaxed) == version {
                    return seen;
                }
            }
            backoff.wait();
        }
    }

    /// Changes the node under the readers' eyes. One caller at a time.
    fn write(&self, change: impl FnOnce()) {
        let version = self.version.load(Relaxed);
        self.version.store(version + 1, Relaxed);
        fence(Release);
        change();
        self.version.store(version + 2, Release);
    }

    /// Puts an entry in. The writer's; there is room.
    pub(super) fn insert(&self, index: usize, entry: Entry) {
        self.write(|| {
            let count = self.count();
            for pair in self.heads[index..=count].windows(2).rev() {
                pair[1].store(pair[0].load(Relaxed), Relaxed);
            }
            for pair in self.places[index..=count].windows(2).rev() {
                pair[1].store(pair[0].load(Relaxed), Release);
            }
            if !self.is_leaf() {
                for pair in self.children[index..=count].windows(2).rev() {
                    pair[1].store(pair[0].load(Relaxed), Release);
                }
            }
            self.set(index, entry);
            self.count.store(count as u32 + 1, Relaxed);
        });
    }

    /// Puts the entry that is sought into this leaf, unless it belongs to the right of it or there is no room. The writer's.
    pub(super) fn insert_here<'a, F>(&self, search: &Search<'_, 'a, F>, entry: Entry) -> bool
    where
        F: Fn(Record<'a>) -> Ordering,
    {
        match self.step(search, |_, below| below) {
            Step::Leaf(index) if self.count() < FANOUT => {
                self.insert(index, entry);
                true
            }
            _ => false,
        }
    }

    /// Moves the entries from `index` on, with `extra` behind them, to a new node on the right. The writer's.
    pub(super) fn split(&self, index: usize, extra: Option<Entry>) -> *mut Self {
        let right = Box::new(Self::new(self.is_leaf()));
        for (i, entry) in (index..self.count()).map(|i| self.entry(i)).chain(extra).enumerate() {
            right.set(i, entry);
            right.count.store(i as u32 + 1, Relaxed);
        }
        right.next.store(self.next(), Relaxed);
        right.high_head.store(self.high_head.load(Relaxed), Relaxed);
        right.high_place.store(self.high_place.load(Relaxed), Relaxed);
        let first = right.entry(0);
        let right = Box::into_raw(right);
        self.write(|| {
            self.count.store(index as u32, Relaxed);
            self.high_head.store(first.head, Relaxed);
            self.high_place.store(first.place, Release);
            self.next.store(right, Release);
        });
        right
    }

    fn set(&self, index: usize, entry: Entry) {
        self.heads[index].store(entry.head, Relaxed);
        self.places[index].store(entry.place, Release);
        if let Some(child) = self.children.get(index) {
            child.store(entry.child, Release);
        }
    }
}
