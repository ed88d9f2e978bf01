//! `PrefixExtractor`: which beginnings of keys filters know, beside the keys.
//!
//! A table with a prefix filter is not read by a scan of a prefix, or of a range within one, that none of its keys has. Nobody but a
//! filter depends on an extractor: it costs time and space where it is badly chosen, and changes no answer. Each table says by name
//! which one it was written with; a filter of one that is not known is not asked.

use std::{fmt, sync::Arc};

/// Chooses prefixes of keys. Keys are ordered by their bytes.
pub trait PrefixExtractor: Send + Sync + fmt::Debug {
    /// A stable name. Choosing differently means changing the name.
    fn name(&self) -> &str;

    /// Calls `each` with the length of every prefix of `key` that filters are to know, ascending.
    ///
    /// Whether a length is among them must depend on nothing but the bytes before it, so that all keys that begin with a prefix agree
    /// that it is one, and the prefix itself does. A table whose filter was built against this rule would be passed over wrongly.
    fn prefix_lens(&self, key: &[u8], each: &mut dyn FnMut(usize));
}

/// The first bytes of a key, so many; shorter keys have no prefix. Known by the name `fixed-<len>`.
#[derive(Clone, Debug)]
pub struct FixedPrefix {
    len: u16,
    name: String,
}

/// A key through its first delimiter, its second, and so on for some: with `/` and 2, `a/` and `a/b/` of `a/b/c/d`. Known by the
/// name `delimited-<byte, two hexadecimal digits>-<count>`.
#[derive(Clone, Debug)]
pub struct DelimitedPrefix {
    delimiter: u8,
    count: u16,
    name: String,
}

impl FixedPrefix {
    /// The first `len` bytes. 0 means no prefix at all.
    pub fn new(len: u16) -> Self {
        Self { len, name: format!("fixed-{len}") }
    }
}

impl DelimitedPrefix {
    /// Through each of the first `count` delimiters.
    pub fn new(delimiter: u8, count: u16) -> Self {
        Self { delimiter, count, name: format!("delimited-{delimiter:02x}-{count}") }
    }
}

impl PrefixExtractor for FixedPrefix {
    fn name(&self) -> &str {
        &self.name
    }

    #[inline]
    fn prefix_lens(&self, key: &[u8], each: &mut dyn FnMut(usize)) {
        let len = usize::from(self.len);
        if (1..=key.len()).contains(&len) {
            each(len);
        }
    }
}

impl PrefixExtractor for DelimitedPrefix {
    fn name(&self) -> &str {
        &self.name
    }

    fn prefix_lens(&self, key: &[u8], each: &mut dyn FnMut(usize)) {
        let ends = key.iter().enumerate().filter(|(_, byte)| **byte == self.delimiter).map(|(at, _)| at + 1);
        ends.take(self.count.into()).for_each(each);
    }
}

/// The extractor of this name among those that come along.
///
/// ```
/// use sediment_base::prefix_extractor::by_name;
///
/// let mut lens = Vec::new();
/// by_name("delimited-2f-2").unwrap().prefix_lens(b"a/b/c/d", &mut |len| lens.push(len));
/// assert_eq!(lens, [2, 4]);
/// assert!(by_name("another").is_none());
/// ```
pub fn by_name(name: &str) -> Option<Arc<dyn PrefixExtractor>> {
    let found: Arc<dyn PrefixExtractor> = match name.split_once('-')? {
        ("fixed", len) => Arc::new(FixedPrefix::new(len.parse().ok()?)),
        ("delimited", rest) => {
            let (delimiter, count) = rest.split_once('-')?;
            Arc::new(DelimitedPrefix::new(u8::from_str_radix(delimiter, 16).ok()?, count.parse().ok()?))
        }
        _ => return None,
    };
    // `fixed-08` is nobody's name.
    (found.name() == name).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(extractor: &dyn PrefixExtractor, key: &[u8]) -> Vec<usize> {
        let mut lens = Vec::new();
        extractor.prefix_lens(key, &mut |len| lens.push(len));
        lens
    }

    #[test]
    fn keys_without_a_whole_prefix_have_none() {
        assert_eq!(lens(&FixedPrefix::new(3), b"ab"), []);
        assert_eq!(lens(&FixedPrefix::new(3), b"abc"), [3]);
        assert_eq!(lens(&FixedPrefix::new(0), b"abc"), []);
        assert_eq!(lens(&DelimitedPrefix::new(b':', 2), b"user"), []);
        assert_eq!(lens(&DelimitedPrefix::new(b':', 2), b"user:7:mail:x"), [5, 7]);
    }

    #[test]
    fn keys_agree_on_the_prefixes_that_they_share() {
        let extractors: [&dyn PrefixExtractor; 3] =
            [&FixedPrefix::new(2), &DelimitedPrefix::new(0, 3), &DelimitedPrefix::new(1, 1)];
        let keys: Vec<Vec<u8>> = (0..3_u32.pow(5)).map(|n| (0..5).map(|at| (n / 3_u32.pow(at) % 3) as u8).collect()).collect();
        for extractor in extractors {
            for key in &keys {
                for len in 0..key.len() {
                    let of_prefix = lens(extractor, &key[..len]);
                    let of_key: Vec<_> = lens(extractor, key).into_iter().filter(|known| *known <= len).collect();
                    assert_eq!(of_prefix, of_key, "{extractor:?} {key:?} {len}");
                }
            }
        }
    }

    #[test]
    fn those_that_come_along_are_found_by_the_name_that_they_say() {
        for name in ["fixed-1", "fixed-65535", "delimited-00-1", "delimited-ff-65535"] {
            assert_eq!(by_name(name).map(|found| found.name().to_owned()).as_deref(), Some(name));
        }
        for name in ["", "fixed", "fixed-", "fixed-01", "fixed-65536", "fixed-+1", "delimited-2F-1", "delimited-2f", "other-1"]
        {
            assert!(by_name(name).is_none(), "{name}");
        }
    }
}
