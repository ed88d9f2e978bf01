//! Where a run is cut into tables: by size, and at guards.
//!
//! A *guard* is a key at which tables that lie deeper begin: tables that end there overlap fewer of those, and of each other, so that
//! they can go down by themselves and side by side. A table is cut at a guard unless it would be tiny.

use crate::options::TreeOptions;
use sediment_base::{KeyOrder, Slice};

/// Where a run is cut into tables, only ever between user keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Ascending.
    pub(crate) guards: Vec<Slice>,
    /// Size from which on a table ends at a guard.
    pub(crate) guarded_bytes_min: u64,
    /// Size from which on it ends anywhere.
    pub(crate) table_bytes: u64,
}

impl Cuts {
    /// Into tables of the size that the options want.
    pub(crate) fn by_size(options: &TreeOptions) -> Self {
        Self::at(Vec::new(), options)
    }

    /// Also at guards, which ascend.
    pub(crate) fn at(guards: Vec<Slice>, options: &TreeOptions) -> Self {
        Self { guards, guarded_bytes_min: options.guarded_bytes_min(), table_bytes: options.table_bytes }
    }

    /// Follows a run that begins now.
    pub(crate) fn follow(&self) -> Cutter<'_> {
        Cutter { cuts: self, passed: 0 }
    }
}

/// Follows a run from key to key.
#[derive(Debug)]
pub(crate) struct Cutter<'a> {
    cuts: &'a Cuts,
    /// How many guards lie at or before the last key.
    passed: usize,
}

impl Cutter<'_> {
    /// Whether a table that is so large ends before this user key, if that is another than the last one. Asked of every row.
    #[inline]
    pub(crate) fn ends_before(&mut self, user_key: &[u8], bytes: u64, order: &KeyOrder) -> bool {
        let (before, guards) = (self.passed, &self.cuts.guards);
        while guards.get(self.passed).is_some_and(|guard| order.compare(guard, user_key).is_le()) {
            self.passed += 1;
        }
        bytes >= if self.passed > before { self.cuts.guarded_bytes_min } else { self.cuts.table_bytes }
    }

    /// The first guard behind the last key.
    pub(crate) fn next_guard(&self) -> Option<&Slice> {
        self.cuts.guards.get(self.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_at_a_guard_unless_it_is_tiny_and_anywhere_once_it_is_large() {
        let cuts = Cuts { guards: vec!["c".into(), "f".into(), "g".into()], guarded_bytes_min: 10, table_bytes: 100 };
        let order = KeyOrder::bytewise();
        let mut cutter = cuts.follow();
        let mut ends = |key: &str, bytes| cutter.ends_before(key.as_bytes(), bytes, &order);
        assert!(!ends("b", 50), "no guard passed");
        assert!(!ends("c", 9), "tiny");
        assert!(!ends("d", 99), "the guard is behind");
        assert!(ends("e", 100), "large");
        assert!(ends("h", 10), "two guards at once");
    }
}
