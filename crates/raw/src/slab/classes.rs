//! The sizes that a pool keeps in store.
//!
//! Eight between one power of two and the next, so that of no piece more than a ninth is wasted, each with one cache line more. A
//! block and the line of facts in front of it then fill their class where the block itself is a power of two, as blocks are aimed
//! to be.

/// A cache line: every size is a multiple of it.
pub(super) const LINE_BYTES: usize = 64;

/// How many classes there are.
pub(super) const CLASSES: usize = 57;

const SMALLEST_BITS: u32 = 9;
/// Steps between two powers of two, as a power of two.
const STEP_BITS: u32 = 3;

/// The class of the smallest pieces that hold so many bytes; none where they are too many.
pub(super) fn class_of(bytes: usize) -> Option<usize> {
    let bytes = bytes.saturating_sub(LINE_BYTES);
    if bytes <= 1 << SMALLEST_BITS {
        return Some(0);
    }
    // The power of two below it, and how many steps above that.
    let bits = (bytes - 1).ilog2();
    let steps = (bytes - (1 << bits)).div_ceil(1 << (bits - STEP_BITS));
    let class = ((bits - SMALLEST_BITS) << STEP_BITS) as usize + steps;
    (class < CLASSES).then_some(class)
}

/// Bytes of a piece of this class.
pub(super) fn class_bytes(class: usize) -> usize {
    let (octave, steps) = (class >> STEP_BITS, class % (1 << STEP_BITS));
    LINE_BYTES + (((1 << STEP_BITS) + steps) << (SMALLEST_BITS - STEP_BITS) << octave)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_the_smallest_class_that_holds_it() {
        let largest = class_bytes(CLASSES - 1);
        assert_eq!((class_bytes(0), largest), (64 + 512, 64 + (64 << 10)));
        // An interpreter takes its time.
        for bytes in (0..=largest).step_by(if cfg!(miri) { 61 } else { 1 }) {
            let class = class_of(bytes).expect("not above the largest");
            assert!(class_bytes(class) >= bytes && (class == 0 || class_bytes(class - 1) < bytes), "{bytes} in {class}");
            assert!(class == 0 || class_bytes(class) - bytes <= bytes / 8, "{bytes} in {class}");
        }
        assert_eq!(class_of(largest + 1), None);
        assert!((0..CLASSES).all(|class| class_bytes(class).is_multiple_of(LINE_BYTES)));
        // A block of 4096 bytes and a line fill their class.
        assert_eq!(class_of(4096 + 64).map(class_bytes), Some(4096 + 64));
    }
}
