//! Where filters are while their tables are open.

use sediment_base::limits::LEVELS_MAX;
use sediment_table::Residency;

/// Whether the filters of a keyspace are in memory while their tables are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FilterResidency {
    /// Those of level 0 and 1 are; others are as far as all that is kept of open tables takes no more than three tenths of the memory.
    ByBudget,
    /// All are.
    Resident,
    /// None are that are longer than 4 KiB: a read fetches the part that it needs, which is then cached as blocks are.
    Paged,
}

impl FilterResidency {
    /// That of each level.
    pub(super) fn by_level(self, default: [Residency; LEVELS_MAX]) -> [Residency; LEVELS_MAX] {
        match self {
            Self::ByBudget => default,
            Self::Resident => [Residency::Resident; LEVELS_MAX],
            Self::Paged => [Residency::Paged; LEVELS_MAX],
        }
    }
}
