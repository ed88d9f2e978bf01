//! How bits of filters are divided.

/// How the bits of filters are divided among the keys of a keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterWidths {
    /// Each key has as many.
    Uniform,
    /// Each key has as many in the mean, but one in a small level more than one in a large level, where they cost most: filters of the same size
    /// are then wrong less often in all. With levels that grow tenfold, three to four times less.
    ByLevel,
}

impl From<FilterWidths> for sediment_tree::FilterWidths {
    fn from(widths: FilterWidths) -> Self {
        match widths {
            FilterWidths::Uniform => Self::Uniform,
            FilterWidths::ByLevel => Self::ByLevel,
        }
    }
}
