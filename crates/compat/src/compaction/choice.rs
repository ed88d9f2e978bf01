//! What a strategy chooses, and what came of it.

use crate::descriptor_table::TableId;
use rustc_hash::FxBuildHasher;
use std::collections::HashSet;

/// Tables, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The tables.
    pub table_ids: HashSet<TableId, FxBuildHasher>,
    /// The level where they go.
    pub dest_level: u8,
    /// The level that it would be in a tree of full depth.
    pub canonical_level: u8,
    /// Target size of the tables that come of it.
    pub target_size: u64,
}

/// What a strategy wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing.
    DoNothing,
    /// That tables go to a deeper level as they are.
    Move(Input),
    /// That tables are merged into one run.
    Merge(Input),
    /// That tables are let go with all in them.
    Drop(HashSet<TableId, FxBuildHasher>),
}

impl Choice {
    /// These tables to `dest`; nothing without tables.
    pub(super) fn moving(tables: impl IntoIterator<Item = TableId>, dest: usize) -> Self {
        Input::of(tables, dest, super::TABLE_BYTES).map_or(Self::DoNothing, Self::Move)
    }

    /// These tables, merged, to `dest`; nothing without tables.
    pub(super) fn merging(tables: impl IntoIterator<Item = TableId>, dest: usize, target_size: u64) -> Self {
        Input::of(tables, dest, target_size).map_or(Self::DoNothing, Self::Merge)
    }
}

impl Input {
    fn of(tables: impl IntoIterator<Item = TableId>, dest: usize, target_size: u64) -> Option<Self> {
        let table_ids: HashSet<TableId, FxBuildHasher> = tables.into_iter().collect();
        let dest = u8::try_from(dest).unwrap_or(u8::MAX);
        (!table_ids.is_empty()).then_some(Self { table_ids, dest_level: dest, canonical_level: dest, target_size })
    }
}

/// What a compaction was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactionAction {
    /// None.
    Nothing,
    /// Tables were merged.
    Merged,
    /// Tables changed their level.
    Moved,
    /// Tables were let go.
    Dropped,
}

/// What a compaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactionResult {
    /// What it was.
    pub action: CompactionAction,
    /// The level where tables went.
    pub dest_level: Option<u8>,
    /// Tables before.
    pub tables_in: usize,
    /// Tables after.
    pub tables_out: usize,
}

impl CompactionResult {
    /// Nothing was done.
    pub fn nothing() -> Self {
        Self { action: CompactionAction::Nothing, dest_level: None, tables_in: 0, tables_out: 0 }
    }
}
