//! Prefix extractors.

use crate::hash::hash64;
use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
};

/// Chooses prefixes of keys that filters are to know, so that scans of a prefix pass over tables without it.
pub trait PrefixExtractor: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// The prefixes of a key: parts of it from its beginning.
    fn prefixes<'a>(&self, key: &'a [u8]) -> Box<dyn Iterator<Item = &'a [u8]> + 'a>;

    /// Whether filters know all keys with this prefix by it: whether it is a prefix of itself, if nothing else is said.
    fn is_valid_scan_boundary(&self, prefix: &[u8]) -> bool {
        self.prefixes(prefix).any(|own| own == prefix)
    }

    /// Tells types of extractors apart.
    #[doc(hidden)]
    fn type_name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }
}

/// The tree's extractor for one of the caller's.
///
/// Tables keep the name of the extractor that their filter was built with, and filters of another name are not asked. The interface has no
/// names, so one is made of the type and of what the extractor does with some keys: whoever changes it finds other filters unasked, and
/// loses no rows.
pub(crate) fn adapt(extractor: &Arc<dyn PrefixExtractor>) -> Arc<dyn sediment_base::PrefixExtractor> {
    let mut adapted = Adapted { extractor: Arc::clone(extractor), name: String::new() };
    let mut seen = extractor.type_name().as_bytes().to_vec();
    for key in probes() {
        sediment_base::PrefixExtractor::prefix_lens(&adapted, &key, &mut |len| seen.extend((len as u64).to_le_bytes()));
        seen.push(u8::MAX);
    }
    adapted.name = format!("lsm_tree {:016x}", hash64(&seen));
    Arc::new(adapted)
}

/// Keys of many looks: short and long, with and without what often separates parts.
fn probes() -> impl Iterator<Item = Vec<u8>> {
    let plain = (0..80_usize).map(|len| vec![b'a'; len]);
    let separated =
        b"\0\x01 !#$%&*+,-./:;<=>?@\\^_|~\xff".iter().map(|byte| [&b"ab"[..], b"cd", b"e", b"fgh"].join(&[*byte][..]));
    plain.chain(separated).chain([(0..=u8::MAX).collect()])
}

struct Adapted {
    extractor: Arc<dyn PrefixExtractor>,
    name: String,
}

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl sediment_base::PrefixExtractor for Adapted {
    fn name(&self) -> &str {
        &self.name
    }

    /// Lengths that filters know: those that are scan boundaries, since the tree asks the filter for whatever is given here.
    fn prefix_lens(&self, key: &[u8], each: &mut dyn FnMut(usize)) {
        let is_boundary = |prefix: &&[u8]| !prefix.is_empty() && self.extractor.is_valid_scan_boundary(prefix);
        let mut lens: Vec<usize> = self.extractor.prefixes(key).filter(is_boundary).map(<[u8]>::len).collect();
        lens.sort_unstable();
        lens.dedup();
        lens.into_iter().for_each(each);
    }
}
