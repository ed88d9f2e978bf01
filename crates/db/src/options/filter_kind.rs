//! How filters are built.

/// How the filters of tables are built. Tables with either are read side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterKind {
    /// A Bloom filter whose probes of one key share a cache line: the quickest to build and to ask. At 10 bits for each key it is wrong
    /// about one in a hundred keys that are not there.
    SplitBlock,
    /// Bumped ribbon retrieval: at *n* bits it is wrong about one key in 2 to the power of *n*, and no filter can take less space, but for
    /// a few thousandths. At 7 bits it is better than the other at 10. It takes ten times as long to build, and twice as long to ask.
    Burr,
}

impl From<FilterKind> for sediment_table::FilterKind {
    fn from(kind: FilterKind) -> Self {
        match kind {
            FilterKind::SplitBlock => Self::SplitBlock,
            FilterKind::Burr => Self::Burr,
        }
    }
}
