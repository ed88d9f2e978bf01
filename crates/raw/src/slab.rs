//! A store of memory for what is made once, read by many and then given back: in pieces of a few sizes, cut out of slabs.
//!
//! A [`Pool`] gives out [`Buffer`]s. Whoever has filled one puts a header in front of it and makes it [`Shared`]: one allocation
//! behind one thin pointer, with its count, header and bytes side by side, so that following the pointer touches one place. When the
//! last pointer goes, the piece returns to the pool.
//!
//! Every class of sizes has slabs of its own: the first of a few pieces, each next one as long as all before it, up to a huge page;
//! large stores lie on huge pages, small ones stay small. The oldest slab with room is used first, so that the younger ones run
//! empty. An empty one is freed; of those that any class could use, one is kept. What is above the largest class by far is cut out of
//! chunks of huge pages; what is in between comes from the allocator.
//!
//! Pieces are taken and given back under one lock: both go with work that takes a hundred times as long.

mod chunk;
mod classes;
mod cut;
mod part;
mod shared;

pub use part::Part;
pub use shared::{Buffer, Shared};

use crate::{
    pages::Memory,
    sync::{Arc, Mutex, lock},
};
use chunk::{CHUNKED_BYTES, Chunk};
use classes::{CLASSES, LINE_BYTES, class_bytes, class_of};
use cut::{SLAB_BYTES_MAX, Slab, memory_of};
use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error},
    collections::{BTreeMap, BTreeSet},
    fmt,
    ptr::NonNull,
};

/// A store of memory. Shared: clones are the same store, which lives until the last of them and of what came from it is gone.
#[derive(Clone)]
pub struct Pool(Arc<Mutex<Store>>);

struct Store {
    classes: Vec<Class>,
    /// An empty slab of the largest size.
    spare: Option<Memory>,
    /// Chunks by number, likewise.
    chunks: BTreeMap<u32, Chunk>,
    /// How many slabs and chunks there ever were.
    slabs: u32,
    /// Bytes of all of them.
    bytes: usize,
}

/// The slabs of one size of pieces, by number: the order in which they were cut.
#[derive(Default)]
struct Class {
    slabs: BTreeMap<u32, Slab>,
    /// Those that have room.
    open: BTreeSet<u32>,
    /// Bytes of its slabs.
    bytes: usize,
}

/// Some memory of a pool, and what it has to be told to take it back.
#[derive(Clone, Copy)]
struct Piece {
    memory: NonNull<u8>,
    class: u16,
    /// Of the slab or chunk, or bytes of what came from the allocator.
    number: u32,
}

/// The class of what came from the allocator.
const ALLOCATED: u16 = u16::MAX;
/// The class of what was cut out of a chunk.
const CHUNKED: u16 = ALLOCATED - 1;

impl Pool {
    /// An empty one.
    pub fn new() -> Self {
        let classes = (0..CLASSES).map(|_| Class::default()).collect();
        Self(Arc::new(Mutex::new(Store { classes, spare: None, chunks: BTreeMap::new(), slabs: 0, bytes: 0 })))
    }

    /// Bytes that it holds in slabs and chunks, given out or not; what came from the allocator is not among them.
    pub fn slab_bytes(&self) -> usize {
        lock(&self.0).bytes
    }

    /// A piece of at least so many bytes, aligned to a cache line, and whether it is all zeros. If not, what is in it may be anything,
    /// or nothing.
    fn take(&self, bytes: usize) -> (Piece, bool) {
        if let Some(class) = class_of(bytes) {
            return (lock(&self.0).take(class), false);
        }
        if bytes >= CHUNKED_BYTES {
            assert!(u32::try_from(bytes).is_ok(), "buffers are below 4 GiB");
            return lock(&self.0).take_chunked(bytes);
        }
        let layout = layout(bytes as u32);
        // SAFETY: the layout is not empty: it is above the largest class.
        let Some(memory) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        (Piece { memory, class: ALLOCATED, number: bytes as u32 }, false)
    }

    /// Takes a piece back.
    ///
    /// # Safety
    /// It is one that this pool gave, not given back since, and nobody reaches it any more.
    unsafe fn give_back(&self, piece: Piece) {
        if piece.class == ALLOCATED {
            // SAFETY: allocated by `take` with this layout; the rest by the caller's word.
            unsafe { dealloc(piece.memory.as_ptr(), layout(piece.number)) };
            return;
        }
        // What is empty goes outside the lock: the system takes its time.
        if piece.class == CHUNKED {
            let emptied = lock(&self.0).give_back_chunked(piece);
            drop(emptied);
        } else {
            let emptied = lock(&self.0).give_back(piece);
            drop(emptied);
        }
    }

    /// How long a piece of this pool is.
    fn piece_bytes(&self, piece: Piece) -> usize {
        match piece.class {
            ALLOCATED => piece.number as usize,
            CHUNKED => lock(&self.0).chunks[&piece.number].piece_bytes(piece.memory),
            class => class_bytes(usize::from(class)),
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} bytes)", self.slab_bytes())
    }
}

fn layout(bytes: u32) -> Layout {
    Layout::from_size_align(bytes as usize, LINE_BYTES).expect("below 4 GiB")
}

impl Store {
    fn take(&mut self, class: usize) -> Piece {
        let number = match self.classes[class].open.first() {
            Some(number) => *number,
            None => self.cut(class),
        };
        let of_class = &mut self.classes[class];
        let slab = of_class.slabs.get_mut(&number).expect("what is open is there");
        let memory = slab.take();
        if slab.is_full() {
            of_class.open.remove(&number);
        }
        Piece { memory, class: class as u16, number }
    }

    /// Adds a slab to a class that has no room; returns its number.
    fn cut(&mut self, class: usize) -> u32 {
        let of_class = &mut self.classes[class];
        let bytes = Slab::next_bytes(class, of_class.bytes);
        let memory = match self.spare.take_if(|spare| spare.bytes() == bytes) {
            Some(spare) => spare,
            None => {
                self.bytes += bytes;
                memory_of(bytes)
            }
        };
        let number = next_number(&mut self.slabs);
        of_class.slabs.insert(number, Slab::new(memory, class));
        of_class.open.insert(number);
        of_class.bytes += bytes;
        number
    }

    fn take_chunked(&mut self, bytes: usize) -> (Piece, bool) {
        let taken = self.chunks.iter_mut().find_map(|(number, chunk)| Some((*number, chunk.take(bytes)?)));
        let (number, (memory, is_zero)) = taken.unwrap_or_else(|| {
            let mut chunk = Chunk::with_room_for(bytes);
            let taken = chunk.take(bytes).expect("it has room");
            self.bytes += chunk.bytes();
            let number = next_number(&mut self.slabs);
            self.chunks.insert(number, chunk);
            (number, taken)
        });
        (Piece { memory, class: CHUNKED, number }, is_zero)
    }

    /// Takes a piece of a chunk back; returns memory to be freed.
    fn give_back_chunked(&mut self, piece: Piece) -> Option<Chunk> {
        let chunk = self.chunks.get_mut(&piece.number).expect("a chunk with a piece outside is there");
        chunk.give_back(piece.memory);
        if !chunk.is_empty() {
            return None;
        }
        self.bytes -= chunk.bytes();
        self.chunks.remove(&piece.number)
    }

    /// Takes a piece of a slab back; returns memory to be freed.
    fn give_back(&mut self, piece: Piece) -> Option<Memory> {
        let number = piece.number;
        let of_class = &mut self.classes[usize::from(piece.class)];
        let slab = of_class.slabs.get_mut(&number).expect("a slab with a piece outside is there");
        if slab.is_full() {
            of_class.open.insert(number);
        }
        slab.give_back(piece.memory);
        if !slab.is_empty() {
            return None;
        }
        of_class.open.remove(&number);
        let memory = of_class.slabs.remove(&number)?.into_memory();
        of_class.bytes -= memory.bytes();
        if memory.bytes() == SLAB_BYTES_MAX && self.spare.is_none() {
            self.spare = Some(memory);
            return None;
        }
        self.bytes -= memory.bytes();
        Some(memory)
    }
}

fn next_number(slabs: &mut u32) -> u32 {
    let number = *slabs;
    *slabs = number.checked_add(1).expect("a pool is not that old");
    number
}

#[cfg(all(test, not(loom)))]
mod tests;
