//! `Lent`: a value on its way to a caller who only looks at it.

use sediment_base::Slice;
use sediment_tree::TakeValue;
use smallvec::SmallVec;

/// Longer values are allocated for.
const SHORT_BYTES_MAX: usize = 256;

/// A value on its way to a caller who only looks at it: copied to the stack if it is short, so that the caller's code runs under no
/// epoch pin. A value that is shared anyway is not copied.
#[derive(Debug, Default)]
pub(super) struct Lent {
    copied: SmallVec<[u8; SHORT_BYTES_MAX]>,
    /// Counts, if it is there.
    shared: Option<Slice>,
}

impl Lent {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.shared.as_deref().unwrap_or(&self.copied)
    }
}

impl TakeValue for Lent {
    #[inline]
    fn take(&mut self, value: &[u8]) {
        self.shared = None;
        self.copied.clear();
        self.copied.extend_from_slice(value);
    }

    #[inline]
    fn take_shared(&mut self, value: Slice) {
        self.shared = Some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_however_it_came() {
        let long = Slice::from(vec![7; 1000]);
        let mut lent = Lent::default();
        for short in [&b"a"[..], b"", &[1; SHORT_BYTES_MAX], &[2; SHORT_BYTES_MAX + 1], b"b"] {
            lent.take(short);
            assert_eq!(lent.as_bytes(), short);
        }
        lent.take_shared(long.clone());
        assert_eq!(lent.as_bytes().as_ptr(), long.as_ptr(), "it is not copied");
        lent.take(b"c");
        assert_eq!(lent.as_bytes(), b"c");
    }
}
