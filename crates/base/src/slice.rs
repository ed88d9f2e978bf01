//! `Slice`: the immutable byte string that keys and values are made of.
//!
//! Up to 23 bytes lie inside the value itself; longer strings are shared by reference count. Cloning never copies the long ones.

use sediment_raw::small_bytes::SmallBytes;
use std::{borrow::Borrow, cmp::Ordering, fmt, hash, ops::Deref, sync::Arc};

/// An immutable byte string, cheap to clone.
///
/// ```
/// use sediment_base::Slice;
/// let key = Slice::from("user:17");
/// assert_eq!(&key[..5], b"user:");
/// ```
#[derive(Clone)]
pub struct Slice(SmallBytes);

impl Slice {
    /// A copy of `bytes`.
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        Self(SmallBytes::new(bytes))
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Deref for Slice {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Borrow<[u8]> for Slice {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Default for Slice {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl From<&[u8]> for Slice {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Slice {
    fn from(bytes: &[u8; N]) -> Self {
        Self::new(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Slice {
    fn from(bytes: [u8; N]) -> Self {
        Self::new(&bytes)
    }
}

impl From<&str> for Slice {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<String> for Slice {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= SmallBytes::IN_PLACE_MAX { Self::new(&bytes) } else { Self::from(Arc::from(bytes)) }
    }
}

impl From<Arc<[u8]>> for Slice {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(SmallBytes::from(bytes))
    }
}

impl PartialEq for Slice {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Slice {}

impl PartialEq<[u8]> for Slice {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_bytes() == other
    }
}

impl PartialEq<&[u8]> for Slice {
    fn eq(&self, other: &&[u8]) -> bool {
        self.as_bytes() == *other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Slice {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.as_bytes() == *other
    }
}

impl PartialEq<&str> for Slice {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Slice {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slice {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl hash::Hash for Slice {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_strings_behave_alike() {
        for len in [0, 1, 22, 23, 24, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let slices = [Slice::new(&bytes), Slice::from(bytes.clone()), Slice::from(bytes.clone()).clone()];
            assert!(slices.iter().all(|slice| slice == &bytes[..] && slice.len() == len));
        }
        assert_eq!(size_of::<Slice>(), 24);
    }

    #[test]
    fn order_is_that_of_the_bytes() {
        let ascending = [Slice::default(), "a".into(), "a\0".into(), vec![b'b'; 99].into(), "z".into()];
        assert!(ascending.is_sorted() && ascending[1] != ascending[2]);
        assert_eq!(format!("{:?}", Slice::from("a\n")), r#""a\n""#);
    }
}
