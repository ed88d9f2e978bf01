//! `Slice`: the byte string that keys and values are made of. [`sediment_base::Slice`], with more conversions.

use sediment_base::Slice as Bytes;
use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    io::Read,
    ops::{Bound, Deref, RangeBounds},
    path::{Path, PathBuf},
    sync::Arc,
};

/// An immutable byte string, cheap to clone: up to 23 bytes inside, longer ones by reference count.
#[derive(Clone, Default, Hash)]
pub struct Slice(Bytes);

/// A key.
pub type UserKey = Slice;
/// A value.
pub type UserValue = Slice;
/// A key and its value.
pub type KvPair = (UserKey, UserValue);

impl Slice {
    /// A copy of `bytes`.
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Bytes::new(bytes))
    }

    /// No bytes.
    #[doc(hidden)]
    pub fn empty() -> Self {
        Self::default()
    }

    /// A part of it. Panics where the range lies outside.
    #[doc(hidden)]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        Self::new(&self[(range.start_bound().cloned(), range.end_bound().cloned())])
    }

    /// Two byte strings one behind the other.
    #[doc(hidden)]
    pub fn fused(a: &[u8], b: &[u8]) -> Self {
        [a, b].concat().into()
    }

    /// The next `len` bytes of a reader.
    #[doc(hidden)]
    pub fn from_reader(reader: &mut impl Read, len: usize) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        match reader.by_ref().take(len as u64).read_to_end(&mut bytes)? {
            read if read == len => Ok(bytes.into()),
            _ => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    #[inline]
    pub(crate) fn wrap(bytes: Bytes) -> Self {
        Self(bytes)
    }

    #[inline]
    pub(crate) fn unwrap(self) -> Bytes {
        self.0
    }
}

impl Deref for Slice {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl AsRef<[u8]> for Slice {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Slice {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! copied {
    ($([$($generic:tt)*] $from:ty: $bytes:ident => $copy:expr;)*) => {$(
        impl<$($generic)*> From<$from> for Slice {
            #[inline]
            fn from($bytes: $from) -> Self {
                $copy
            }
        }
    )*};
}

copied! {
    [] &[u8]: bytes => Self::new(bytes);
    [const N: usize] &[u8; N]: bytes => Self::new(bytes);
    [const N: usize] [u8; N]: bytes => Self::new(&bytes);
    [] Vec<u8>: bytes => Self(bytes.into());
    [] &Vec<u8>: bytes => Self::new(bytes);
    [] &str: text => Self::new(text.as_bytes());
    [] String: text => Self(text.into());
    [] &String: text => Self::new(text.as_bytes());
    [] Arc<str>: text => Self(Arc::<[u8]>::from(text).into());
    [] Arc<[u8]>: bytes => Self(bytes.into());
    [] &Path: path => Self::new(path.as_os_str().as_encoded_bytes());
    [] PathBuf: path => Self(path.into_os_string().into_encoded_bytes().into());
    [] bytes::Bytes: bytes => Self::new(&bytes);
}

impl From<Slice> for bytes::Bytes {
    fn from(slice: Slice) -> Self {
        Self::from_owner(slice)
    }
}

impl FromIterator<u8> for Slice {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        bytes.into_iter().collect::<Vec<u8>>().into()
    }
}

impl<T: AsRef<[u8]>> PartialEq<T> for Slice {
    #[inline]
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl Eq for Slice {}

impl PartialEq<Slice> for &[u8] {
    fn eq(&self, other: &Slice) -> bool {
        **self == **other
    }
}

impl<T: AsRef<[u8]>> PartialOrd<T> for Slice {
    fn partial_cmp(&self, other: &T) -> Option<Ordering> {
        Some((**self).cmp(other.as_ref()))
    }
}

impl PartialOrd<Slice> for &[u8] {
    fn partial_cmp(&self, other: &Slice) -> Option<Ordering> {
        Some((**self).cmp(&**other))
    }
}

impl Ord for Slice {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

/// The ends of a range as owned keys.
pub(crate) fn owned_bounds<K: AsRef<[u8]>>(range: &impl RangeBounds<K>) -> (Bound<Bytes>, Bound<Bytes>) {
    sediment_base::range::owned_bounds(range)
}
