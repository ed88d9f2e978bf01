//! The order of keys.

use sediment_base::{Bytewise, Comparator, KeyOrder};
use std::{cmp::Ordering, fmt, panic::RefUnwindSafe, sync::Arc};

/// An order of keys: strict and total, equal for equal bytes alone.
pub trait UserComparator: Send + Sync + RefUnwindSafe + 'static {
    /// A name that is stored with the tree, of at most 255 bytes.
    fn name(&self) -> &'static str;

    /// Compares two keys.
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering;

    /// Whether it is the order of bytes, under another name. Prefixes need that.
    fn is_lexicographic(&self) -> bool {
        false
    }
}

/// An order that several hold.
pub type SharedComparator = Arc<dyn UserComparator>;

/// The order of bytes.
#[derive(Clone, Debug)]
pub struct DefaultUserComparator;

impl UserComparator for DefaultUserComparator {
    fn name(&self) -> &'static str {
        DEFAULT_NAME
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn is_lexicographic(&self) -> bool {
        true
    }
}

const DEFAULT_NAME: &str = "default";

/// The tree's order for one of the caller's.
pub(crate) fn key_order(comparator: &SharedComparator) -> KeyOrder {
    match (comparator.name(), comparator.is_lexicographic()) {
        (DEFAULT_NAME, true) => KeyOrder::bytewise(),
        (name, true) => KeyOrder::bytewise_named(name),
        _ => KeyOrder::custom(Arc::new(Adapted(Arc::clone(comparator)))),
    }
}

/// The name under which the caller knows an order that was stored.
pub(crate) fn name_of_stored(stored: &str) -> &str {
    if stored == Bytewise::NAME { DEFAULT_NAME } else { stored }
}

struct Adapted(SharedComparator);

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Comparator for Adapted {
    fn name(&self) -> &str {
        self.0.name()
    }

    #[inline]
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.0.compare(a, b)
    }
}
