//! The order of a memtable's keys, made when somebody asks for it.
//!
//! A memtable that nobody scans before its flush pays nothing for order until then. The first seek walks the arena and sorts
//! what it finds; from then on writers bring the order up to date now and then, and each seek adds what little is missing.
//! The order holds one entry per key: the record that was the first of it.

use super::row::Row;
use sediment_base::{
    KeyOrder,
    comparator::{bytewise_head, shared_prefix},
};
use sediment_raw::{
    arena::{Arena, Record, Walk},
    ordered::{Batch, Goal, OrderedSet, Window},
};
use std::{
    cmp::Ordering,
    sync::{
        Mutex, OnceLock, PoisonError, TryLockError,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

/// All keys in order, once asked for. Shared.
pub(super) struct Keys {
    order: KeyOrder,
    set: OrderedSet,
    /// A prefix that the keys of the first filling had in common. Heads are taken behind it.
    prefix: OnceLock<Box<[u8]>>,
    filler: Mutex<Filler>,
    /// Records that the order accounts for, with none unfinished among them.
    filled: AtomicU64,
    /// The seed under which the rows have digests, if they do.
    digest_seed: Option<u64>,
    /// Whether a row came in that did not have its digest, and may have been put where its key does not belong.
    is_damaged: AtomicBool,
}

/// Where in the order to look.
#[derive(Clone, Copy)]
pub(super) enum Place<'k> {
    /// Before every key.
    First,
    /// At a key, whether it exists or not.
    Key(&'k [u8]),
    /// Behind every key.
    Last,
}

/// Keys that the first filling must find before it trusts what they have in common.
const PREFIX_KEYS_MIN: usize = 1000;

/// What one walk brings in at once, unless it is the first.
#[derive(Default)]
struct Filler {
    walk: Walk,
    batch: Batch,
}

impl Keys {
    /// Of no rows yet; `digest_seed` is the seed of their digests, if they will have such.
    pub(super) fn new(arena: &Arena, order: KeyOrder, digest_seed: Option<u64>) -> Self {
        Self::with_prefix(arena, order, OnceLock::new(), digest_seed)
    }

    /// Keys like those of a memtable before: if that one was scanned, the order is kept from the first insert on, and what its
    /// keys had in common is taken for granted.
    pub(super) fn like(&self, own: &Arena, arena: &Arena, digest_seed: Option<u64>) -> Self {
        let prefix = OnceLock::new();
        if self.prefix.get().is_some() && self.order.is_lexicographic() {
            let user_key = |record| Row::of(record).user_key();
            let first = self.window_from(own, Place::First, false).filter(|window| !window.is_empty());
            let last = self.window_before(own, Place::Last).filter(|window| !window.is_empty());
            let shared = first.zip(last).map_or(Box::default(), |(first, last)| {
                let (first, last) = (first.record(own, 0), last.record(own, last.len() - 1));
                user_key(first)[..shared_prefix(user_key(first), user_key(last))].into()
            });
            prefix.get_or_init(|| if self.bytes() / 16 >= PREFIX_KEYS_MIN { shared } else { Box::default() });
        }
        Self::with_prefix(arena, self.order.clone(), prefix, digest_seed)
    }

    fn with_prefix(arena: &Arena, order: KeyOrder, prefix: OnceLock<Box<[u8]>>, digest_seed: Option<u64>) -> Self {
        let (filled, is_damaged) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { order, set: OrderedSet::new(arena), prefix, filler: Mutex::default(), filled, digest_seed, is_damaged }
    }

    /// The order that keys have.
    pub(super) fn order(&self) -> &KeyOrder {
        &self.order
    }

    /// Whether a row that is here did not have its digest.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Relaxed)
    }

    /// Adds the keys of all finished records; false if there was nothing to do. Waits while another does.
    pub(super) fn fill(&self, arena: &Arena) -> bool {
        let is_behind = self.filled.load(Acquire) != arena.records();
        if is_behind {
            self.fill_with(&mut self.filler.lock().unwrap_or_else(PoisonError::into_inner), arena);
        }
        is_behind
    }

    /// A writer's contribution, if the order was ever asked for: like `fill`, unless another is at it.
    pub(super) fn help(&self, arena: &Arena) {
        if self.prefix.get().is_none() {
            return;
        }
        match self.filler.try_lock() {
            Ok(mut filler) => self.fill_with(&mut filler, arena),
            Err(TryLockError::Poisoned(poisoned)) => self.fill_with(&mut poisoned.into_inner(), arena),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    /// The keys at the place and after, or, if `past`, only those after.
    pub(super) fn window_from(&self, arena: &Arena, place: Place<'_>, past: bool) -> Option<Window> {
        Some(self.set.window_from(arena, &self.goal(place)?, past))
    }

    /// The keys before the place.
    pub(super) fn window_before(&self, arena: &Arena, place: Place<'_>) -> Option<Window> {
        Some(self.set.window_before(arena, &self.goal(place)?))
    }

    /// Memory in use.
    pub(super) fn bytes(&self) -> usize {
        self.set.bytes()
    }

    /// None while the order is empty: heads have no meaning before the prefix is chosen.
    fn goal<'k, 'a>(&'k self, place: Place<'k>) -> Option<Goal<impl Fn(Record<'a>) -> Ordering>> {
        let prefix = self.prefix.get()?;
        let head = match place {
            Place::First => 0,
            Place::Key(user_key) => self.head(prefix, user_key),
            Place::Last => u64::MAX,
        };
        let compare = move |record| match place {
            Place::First => Ordering::Greater,
            Place::Key(user_key) => self.order.compare(Row::of(record).user_key(), user_key),
            Place::Last => Ordering::Less,
        };
        Some(Goal { head, compare })
    }

    #[cold]
    fn fill_with(&self, filler: &mut Filler, arena: &Arena) {
        let Filler { walk, batch } = filler;
        let prefix = self.prefix.get_or_init(|| self.common_prefix(arena));
        let deliver = |record| {
            let row = Row::of(record);
            if self.digest_seed.is_some_and(|seed| !row.is_intact_under(seed)) {
                self.is_damaged.store(true, Relaxed);
            }
            batch.push(self.head(prefix, row.user_key()), record);
        };
        if arena.is_sealed() {
            walk.complete(arena, deliver);
        } else {
            walk.advance(arena, deliver);
        }
        let (records, unfinished) = (walk.records(), walk.unfinished());
        self.set.insert(arena, batch, |a, b| self.order.compare(Row::of(a).user_key(), Row::of(b).user_key()));
        if unfinished == 0 {
            self.filled.store(records, Release);
        }
    }

    /// What all keys that are there have in common, if they are many.
    fn common_prefix(&self, arena: &Arena) -> Box<[u8]> {
        let (mut common, mut keys): (Option<&[u8]>, usize) = (None, 0);
        if self.order.is_lexicographic() {
            Walk::new().advance(arena, |record| {
                let user_key = Row::of(record).user_key();
                let shared = common.map_or(user_key.len(), |common| shared_prefix(common, user_key));
                common = Some(&user_key[..shared]);
                keys += 1;
            });
        }
        common.filter(|_| keys >= PREFIX_KEYS_MIN).unwrap_or_default().into()
    }

    /// The head of a key in this order: the eight bytes behind the prefix, for keys that have it.
    #[inline]
    fn head(&self, prefix: &[u8], user_key: &[u8]) -> u64 {
        if prefix.is_empty() {
            return self.order.head(user_key);
        }
        match user_key.strip_prefix(prefix) {
            Some(rest) => bytewise_head(rest),
            None if user_key < prefix => 0,
            None => u64::MAX,
        }
    }
}
