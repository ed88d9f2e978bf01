//! The order of user keys.
//!
//! A comparator may call two keys equal only if their bytes are equal: point lookups hash bytes. Its *head* is a monotone
//! 8-byte summary (`a <= b` implies `head(a) <= head(b)`), so that most comparisons are one of integers; 0 for every key is
//! always correct. A *lexicographic* comparator orders as `memcmp` does, which blocks use to strip common prefixes.

use std::{cmp::Ordering, fmt, sync::Arc};

/// An order of user keys. Its name is stored with the tree; opening under another name is refused.
pub trait Comparator: Send + Sync + fmt::Debug {
    /// A stable name. Changing the order means changing the name.
    fn name(&self) -> &str;

    /// A total order; equal only for equal bytes.
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering;

    /// A monotone summary of the key; 0 where the order has none.
    fn head(&self, _key: &[u8]) -> u64 {
        0
    }
}

/// The order of `memcmp`: bytes as unsigned numbers, a prefix before what it begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytewise;

impl Bytewise {
    /// The name under which trees store this order.
    pub const NAME: &'static str = "bytewise";
}

impl Comparator for Bytewise {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn head(&self, key: &[u8]) -> u64 {
        bytewise_head(key)
    }
}

/// The first eight bytes as a big-endian number, short keys padded with zeros.
#[inline]
pub fn bytewise_head(key: &[u8]) -> u64 {
    if let Some(first) = key.first_chunk::<8>() {
        return u64::from_le_bytes(*first).swap_bytes();
    }
    key.iter().enumerate().fold(0, |head, (i, byte)| head | u64::from(*byte) << (56 - 8 * i))
}

/// How many bytes two keys have in common at their beginning.
#[inline]
pub fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    for (index, (x, y)) in words.enumerate() {
        let differing = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differing != 0 {
            return index * 8 + differing.trailing_zeros() as usize / 8;
        }
    }
    let equal = a.len().min(b.len()) / 8 * 8;
    equal + a[equal..].iter().zip(&b[equal..]).take_while(|(a, b)| a == b).count()
}

/// The order of one tree, cloned into everything that sorts. The bytewise order costs no dynamic call.
#[derive(Clone, Debug, Default)]
pub struct KeyOrder {
    custom: Option<Arc<dyn Comparator>>,
    /// Another name for the order of `memcmp`.
    name: Option<Arc<str>>,
}

impl KeyOrder {
    /// The order of `memcmp`.
    pub fn bytewise() -> Self {
        Self::default()
    }

    /// A caller's own order.
    pub fn custom(comparator: Arc<dyn Comparator>) -> Self {
        Self { custom: Some(comparator), name: None }
    }

    /// The order of `memcmp` under a name of the caller's, as trees know it that were not made under [`Bytewise::NAME`].
    pub fn bytewise_named(name: &str) -> Self {
        Self { custom: None, name: Some(name.into()) }
    }

    /// The name to store.
    pub fn name(&self) -> &str {
        match (&self.custom, &self.name) {
            (Some(comparator), _) => comparator.name(),
            (None, Some(name)) => name,
            (None, None) => Bytewise::NAME,
        }
    }

    /// Whether it is the order of `memcmp`: prefixes may be stripped and bytes used as heads.
    #[inline]
    pub fn is_lexicographic(&self) -> bool {
        self.custom.is_none()
    }

    /// Compares two user keys.
    #[inline]
    pub fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        match &self.custom {
            None => a.cmp(b),
            Some(comparator) => comparator.compare(a, b),
        }
    }

    /// The monotone summary of a key.
    #[inline]
    pub fn head(&self, key: &[u8]) -> u64 {
        match &self.custom {
            None => bytewise_head(key),
            Some(comparator) => comparator.head(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_never_contradict_the_order() {
        let keys: [&[u8]; 8] = [b"", b"\0", b"a", b"a\0", b"ab", b"abcdefgh", b"abcdefghi", b"\xff\xff"];
        for a in keys {
            for b in keys {
                assert!(a > b || bytewise_head(a) <= bytewise_head(b), "{a:?} {b:?}");
            }
        }
        assert_eq!(bytewise_head(b"abc"), 0x6162_6300_0000_0000);
    }

    #[test]
    fn the_order_of_bytes_may_have_another_name() {
        let order = KeyOrder::bytewise_named("plain");
        assert_eq!((order.name(), order.is_lexicographic(), order.head(b"a")), ("plain", true, bytewise_head(b"a")));
        assert_eq!((order.compare(b"a", b"b"), KeyOrder::bytewise().name()), (Ordering::Less, Bytewise::NAME));
    }

    #[test]
    fn what_keys_share_ends_with_the_shorter_or_the_first_byte_that_differs() {
        let key: Vec<u8> = (1..30).collect();
        for (shorter, at) in (0..=key.len()).flat_map(|shorter| (0..=shorter).map(move |at| (shorter, at))) {
            let mut other = key[..shorter].to_vec();
            if let Some(byte) = other.get_mut(at) {
                *byte = 0xFF;
            }
            assert_eq!((shared_prefix(&key, &other), shared_prefix(&other, &key)), (at, at), "{shorter}");
        }
    }
}
