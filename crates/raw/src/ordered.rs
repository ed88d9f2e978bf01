//! An ordered set of records that is read while it is written: a B-link tree over 8-byte heads.
//!
//! An entry is a record and its *head*, a number that never contradicts the caller's order of keys; keys are compared only
//! where heads tie. Nodes hold up to 64 entries. A node that overflows moves its upper part to a new node on its right,
//! and remembers where that begins, so a search that arrives too far left walks on (Lehman and Yao, "Efficient locking
//! for concurrent operations on B-trees", 1981). Entries are never removed and nodes never freed before the whole, hence
//! the lower bound of a node never changes, and its entry is in it.
//!
//! One writer at a time, behind a lock. Readers take none: they validate the version of each node that they read, and wait
//! only while the writer is between two stores.

use crate::{
    arena::{Arena, Record},
    sync::{
        Mutex,
        atomic::{
            AtomicPtr, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
        lock,
    },
};
use node::{Entry, FANOUT, Node, Search, Step};
use std::{cmp::Ordering, fmt, ptr};

mod node;

/// An ordered set of the records of one arena. Shared; one writer at a time.
pub struct OrderedSet {
    arena: u64,
    root: AtomicPtr<Node>,
    nodes: AtomicUsize,
    /// Held by the writer. Its rightmost leaf, where a load in order appends without a search.
    last_leaf: Mutex<AtomicPtr<Node>>,
}

/// Records on their way into a set.
#[derive(Debug, Default)]
pub struct Batch {
    /// Of the arena of all records; 0 with none.
    arena: u64,
    entries: Vec<(u64, u32)>,
}

/// What to look for: a place among the keys.
pub struct Goal<F> {
    /// The head of the key sought.
    pub head: u64,
    /// The order of a record's key and the key sought; asked only when their heads tie.
    pub compare: F,
}

/// Some records in a row, as the set had them at one moment.
#[derive(Clone, Debug)]
pub struct Window {
    arena: u64,
    count: usize,
    places: [u32; Window::RECORDS_MAX],
}

impl OrderedSet {
    /// An empty set of records of `arena`.
    pub fn new(arena: &Arena) -> Self {
        let leaf = Box::into_raw(Box::new(Node::new(true)));
        Self {
            arena: arena.tag(),
            root: AtomicPtr::new(leaf),
            nodes: AtomicUsize::new(1),
            last_leaf: Mutex::new(AtomicPtr::new(leaf)),
        }
    }

    /// Adds the records of the batch, none of which is in the set, and empties it. `compare` is the order of their keys.
    pub fn insert<'a>(&self, arena: &'a Arena, batch: &mut Batch, compare: impl Fn(Record<'a>, Record<'a>) -> Ordering) {
        if batch.entries.is_empty() {
            return;
        }
        assert!(self.arena == arena.tag() && self.arena == batch.arena, "a set knows one arena");
        let by_key = |a: u32, b: u32| compare(arena.at(a), arena.at(b));
        batch.entries.sort_unstable_by_key(|entry| entry.0);
        for tied in batch.entries.chunk_by_mut(|a, b| a.0 == b.0).filter(|tied| tied.len() > 1) {
            tied.sort_unstable_by(|a, b| by_key(a.1, b.1));
        }
        let last_leaf = lock(&self.last_leaf);
        let mut path = Vec::new();
        let is_load = batch.entries.len() > LOAD_ENTRIES_MIN;
        for group in batch.entries.chunks(LEAVES_AT_ONCE) {
            let leaves = if is_load { [None; LEAVES_AT_ONCE] } else { self.prefetched_leaves(group).map(Some) };
            for ((head, place), leaf) in group.iter().copied().zip(leaves) {
                let record = arena.at(place);
                let compare = |other| compare(other, record);
                let search = Search { arena, head, compare: &compare, past: false, into_equal: true };
                let entry = Entry { head, place, child: ptr::null_mut() };
                if !leaf.is_some_and(|leaf| leaf.insert_here(&search, entry)) {
                    self.insert_one(&search, entry, &last_leaf, &mut path);
                }
            }
        }
        batch.entries.clear();
        batch.arena = 0;
    }

    /// The records from the goal on: those not below it, or, if `past`, those above it. Empty only at the end.
    pub fn window_from<'a, F>(&self, arena: &'a Arena, goal: &Goal<F>, past: bool) -> Window
    where
        F: Fn(Record<'a>) -> Ordering,
    {
        let search = self.search(arena, goal, past, true);
        let mut node = self.root();
        loop {
            let step = node.step(&search, |leaf, below| {
                let end = leaf.count().min(below + Window::RECORDS_MAX);
                (self.window(leaf, below..end.max(below)), leaf.next())
            });
            let next = match step {
                Step::Right(node) | Step::Down(node) => node,
                Step::Leaf((window, next)) if window.count > 0 || next.is_null() => return window,
                Step::Leaf((_, next)) => next,
            };
            // SAFETY: nodes live as long as the set, and a validated step leads to one.
            node = unsafe { &*next };
        }
    }

    /// The records below the goal, up to the last. Empty only at the beginning.
    pub fn window_before<'a, F>(&self, arena: &'a Arena, goal: &Goal<F>) -> Window
    where
        F: Fn(Record<'a>) -> Ordering,
    {
        let search = self.search(arena, goal, false, false);
        let mut node = self.root();
        loop {
            match node.step(&search, |leaf, below| self.window(leaf, below.saturating_sub(Window::RECORDS_MAX)..below)) {
                Step::Leaf(window) => return window,
                // SAFETY: nodes live as long as the set, and a validated step leads to one.
                Step::Right(next) | Step::Down(next) => node = unsafe { &*next },
            }
        }
    }

    /// Memory in use.
    pub fn bytes(&self) -> usize {
        self.nodes.load(Relaxed) * size_of::<Node>()
    }

    fn search<'s, 'a, F>(&self, arena: &'a Arena, goal: &'s Goal<F>, past: bool, into_equal: bool) -> Search<'s, 'a, F> {
        assert_eq!(self.arena, arena.tag(), "a set knows one arena");
        Search { arena, head: goal.head, compare: &goal.compare, past, into_equal }
    }

    /// For each of some entries the leaf where its head belongs, or one to the left of that where others have the same. All of them go down
    /// together, so that what one waits for comes while the others look.
    fn prefetched_leaves(&self, entries: &[(u64, u32)]) -> [&Node; LEAVES_AT_ONCE] {
        let mut nodes = [self.root(); LEAVES_AT_ONCE];
        while !nodes[0].is_leaf() {
            for (node, (head, _)) in nodes.iter_mut().zip(entries) {
                // SAFETY: nodes live as long as the set, and the caller, its one writer, reads no node half written.
                *node = unsafe { &*node.child_before(*head) };
                node.prefetch();
            }
        }
        nodes
    }

    fn window(&self, leaf: &Node, range: std::ops::Range<usize>) -> Window {
        let mut window = Window { arena: self.arena, count: range.len(), places: [0; Window::RECORDS_MAX] };
        for (place, index) in window.places.iter_mut().zip(range) {
            *place = leaf.place(index);
        }
        window
    }

    fn root(&self) -> &Node {
        // SAFETY: nodes live as long as the set.
        unsafe { &*self.root.load(Acquire) }
    }

    fn insert_one<'s, 'a, F>(
        &'s self,
        search: &Search<'_, 'a, F>,
        entry: Entry,
        last_leaf: &AtomicPtr<Node>,
        path: &mut Vec<&'s Node>,
    ) where
        F: Fn(Record<'a>) -> Ordering,
    {
        // SAFETY: nodes live as long as the set.
        let last = unsafe { &*last_leaf.load(Relaxed) };
        let count = last.count();
        if count > 0 && count < FANOUT && last.below(count - 1, search, false) == count {
            last.insert(count, entry);
            return;
        }
        path.clear();
        let mut node = self.root();
        let index = loop {
            match node.step(search, |_, below| below) {
                Step::Leaf(index) => break index,
                // SAFETY: nodes live as long as the set, and a step leads to one.
                Step::Right(next) => node = unsafe { &*next },
                Step::Down(next) => {
                    path.push(node);
                    // SAFETY: as above.
                    node = unsafe { &*next };
                }
            }
        };
        let mut split = self.insert_at(node, index, entry);
        if let Some(right) = &split
            // SAFETY: just made, and nodes live as long as the set.
            && unsafe { &*right.child }.next().is_null()
        {
            last_leaf.store(right.child, Relaxed);
        }
        while let Some(right) = split {
            split = match path.pop() {
                Some(parent) => self.insert_at(parent, parent.child_for(search), right),
                None => {
                    self.grow(right);
                    None
                }
            };
        }
    }

    /// Puts an entry into a node, and returns the entry of the new node on the right if that split it.
    fn insert_at(&self, node: &Node, index: usize, entry: Entry) -> Option<Entry> {
        if node.count() < FANOUT {
            node.insert(index, entry);
            return None;
        }
        self.nodes.fetch_add(1, Relaxed);
        let right = if index == FANOUT && node.next().is_null() {
            // Keys that come in order leave full nodes behind.
            node.split(FANOUT, Some(entry))
        } else {
            let right = node.split(FANOUT / 2, None);
            if index <= FANOUT / 2 {
                node.insert(index, entry);
            } else {
                // SAFETY: just made, and nodes live as long as the set.
                unsafe { &*right }.insert(index - FANOUT / 2, entry);
            }
            right
        };
        // SAFETY: as above.
        Some(Entry { child: right, ..unsafe { &*right }.entry(0) })
    }

    /// A new root over the old one and the node that was split from it.
    fn grow(&self, right: Entry) {
        let root = Node::new(false);
        root.insert(0, Entry { head: 0, place: 0, child: self.root.load(Relaxed) });
        root.insert(1, right);
        self.nodes.fetch_add(1, Relaxed);
        self.root.store(Box::into_raw(Box::new(root)), Release);
    }
}

/// A batch beyond this is taken for a load: its neighbours in order lie in the same leaf.
const LOAD_ENTRIES_MIN: usize = 4096;

/// So many leaves are asked for before the first of them is written.
const LEAVES_AT_ONCE: usize = 8;

impl Drop for OrderedSet {
    fn drop(&mut self) {
        let mut level = self.root.load(Relaxed);
        while !level.is_null() {
            // SAFETY: nodes are freed here only, level by level, each list from its left end; nobody else has the set.
            let below = unsafe { &*level }.leftmost_child();
            let mut node = level;
            while !node.is_null() {
                // SAFETY: as above; made by `Box::into_raw`.
                let freed = unsafe { Box::from_raw(node) };
                node = freed.next();
            }
            level = below;
        }
    }
}

impl fmt::Debug for OrderedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderedSet({} nodes)", self.nodes.load(Relaxed))
    }
}

impl Batch {
    /// Adds a record, written in the same arena as all others here.
    #[inline]
    pub fn push(&mut self, head: u64, record: Record<'_>) {
        let arena = record.arena().tag();
        assert!(self.entries.is_empty() || self.arena == arena, "a batch is of one arena");
        self.arena = arena;
        self.entries.push((head, record.place()));
    }

    /// Records in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Window {
    /// Records that a window holds at most.
    pub const RECORDS_MAX: usize = if cfg!(any(loom, miri)) { 3 } else { 32 };

    /// Records in it.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Asks for the memory of the record at `index`, if there is one.
    #[inline]
    pub fn prefetch(&self, arena: &Arena, index: usize) {
        if index < self.count && self.arena == arena.tag() {
            arena.at(self.places[index]).prefetch();
        }
    }

    /// The record at `index`, in ascending order. Panics beyond the last, or with another arena.
    #[inline]
    pub fn record<'a>(&self, arena: &'a Arena, index: usize) -> Record<'a> {
        assert!(self.arena == arena.tag() && index < self.count, "a window knows one arena, and its own records");
        arena.at(self.places[index])
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
