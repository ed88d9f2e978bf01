//! Sets of levels and of tables.

/// A set of the levels 0 to 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LevelMask(u8);

impl LevelMask {
    /// No level.
    pub const fn none() -> Self {
        Self(0)
    }

    /// The levels whose bits are set.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// One bit for each level.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// With this level; from 8 on nothing changes.
    #[must_use]
    pub const fn with_level(self, level: u8) -> Self {
        if level < 8 { Self(self.0 | 1 << level) } else { self }
    }

    /// Whether a level is in it.
    pub const fn contains(self, level: u8) -> bool {
        level < 8 && self.0 & 1 << level != 0
    }
}

/// The tables from one number to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableIdRange {
    /// The first.
    pub start: u64,
    /// The last.
    pub end: u64,
}

impl TableIdRange {
    /// Both included.
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// Whether a table is in it.
    pub const fn contains(self, table_id: u64) -> bool {
        self.start <= table_id && table_id <= self.end
    }
}
