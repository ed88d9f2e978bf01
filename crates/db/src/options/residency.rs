//! Where metadata of tables is while these are open.

use sediment_base::limits::LEVELS_MAX;

/// Whether metadata of a keyspace's tables, which are their filters or their fences, is in memory while these are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Residency {
    /// That of levels 0 and 1 is; other is as far as all that is kept of open tables takes no more than three tenths of the memory.
    ByBudget,
    /// All is.
    Resident,
    /// None is that is longer than 4 KiB in one table: a read fetches the part that it needs, which is then cached as blocks are.
    Paged,
}

impl Residency {
    /// That of each level.
    pub(super) fn by_level(self, default: [sediment_table::Residency; LEVELS_MAX]) -> [sediment_table::Residency; LEVELS_MAX] {
        match self {
            Self::ByBudget => default,
            Self::Resident => [sediment_table::Residency::Resident; LEVELS_MAX],
            Self::Paged => [sediment_table::Residency::Paged; LEVELS_MAX],
        }
    }
}
