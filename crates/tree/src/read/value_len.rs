//! `ValueLen`: how long a value is, of a read that does not want the value.

use super::TakeValue;
use sediment_base::Slice;

/// Takes the length of a value, in bytes, and leaves the value where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValueLen(pub usize);

impl TakeValue for ValueLen {
    #[inline]
    fn take(&mut self, value: &[u8]) {
        self.0 = value.len();
    }

    #[inline]
    fn take_shared(&mut self, value: Slice) {
        self.0 = value.len();
    }
}
