//! `AlignedBuf`: memory at an aligned address.

/// Zeroed memory whose address is a multiple of a power of two, with a length up to which it counts as filled.
#[derive(Debug)]
pub struct AlignedBuf {
    bytes: Vec<u8>,
    /// Where the aligned part begins.
    start: usize,
    capacity: usize,
    alignment: usize,
    len: usize,
}

impl AlignedBuf {
    /// So many zeros at an address that is a multiple of `alignment`; `None` where that is no power of two, or there is no memory.
    pub fn new_zeroed(capacity: usize, alignment: usize) -> Option<Self> {
        if !alignment.is_power_of_two() {
            return None;
        }
        let total = capacity.checked_add(alignment)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(total).ok()?;
        bytes.resize(total, 0);
        let address = bytes.as_ptr().addr();
        let start = address.next_multiple_of(alignment) - address;
        Some(Self { bytes, start, capacity, alignment, len: 0 })
    }

    /// Bytes filled.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Bytes in all.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// What the address is a multiple of.
    pub const fn alignment(&self) -> usize {
        self.alignment
    }

    /// Whether none is filled.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address.
    pub const fn as_ptr(&self) -> *const u8 {
        self.bytes.as_slice().split_at(self.start).1.as_ptr()
    }

    /// The address, to write to.
    pub const fn as_mut_ptr(&mut self) -> *mut u8 {
        self.as_capacity_mut().as_mut_ptr()
    }

    /// What is filled.
    pub const fn as_slice(&self) -> &[u8] {
        self.bytes.as_slice().split_at(self.start).1.split_at(self.len).0
    }

    /// All of it, to be filled.
    pub const fn as_capacity_mut(&mut self) -> &mut [u8] {
        let (start, capacity) = (self.start, self.capacity);
        self.bytes.as_mut_slice().split_at_mut(start).1.split_at_mut(capacity).0
    }

    /// So much counts as filled. Panics beyond the capacity.
    pub const fn set_len(&mut self, new_len: usize) {
        assert!(new_len <= self.capacity, "more than there is");
        self.len = new_len;
    }

    /// Nothing counts as filled.
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::AlignedBuf;

    #[test]
    fn memory_is_aligned_and_counts_what_is_filled() {
        let mut buf = AlignedBuf::new_zeroed(1000, 512).expect("memory");
        assert_eq!((buf.as_ptr().addr() % 512, buf.capacity(), buf.alignment(), buf.is_empty()), (0, 1000, 512, true));
        buf.as_capacity_mut()[..3].copy_from_slice(b"abc");
        buf.set_len(4);
        assert_eq!((buf.as_slice(), buf.len()), (&b"abc\0"[..], 4));
        assert_eq!(buf.as_mut_ptr().addr() % 512, 0);
        buf.clear();
        assert!(buf.as_slice().is_empty() && AlignedBuf::new_zeroed(8, 3).is_none());
    }
}
