//! `Plan`: what a compaction shall do, as data, and the reservation of what it needs.
//!
//! A plan prints as one line: `rewrite level 0 (9 7) + level 1 (3) -> level 1`; what it makes is cut at guards, `at d at q`, if it names
//! some. While it lives, no other plan may take its tables, nor put tables into its key range of the same level: its output may span
//! gaps between its inputs.

use super::busy::Reservation;
use crate::{rewrite::Cuts, version::TableFile};
use sediment_base::{KeyOrder, KeyRange, TableId};
use std::{fmt, sync::Arc};

/// What a compaction shall do. Holds its tables reserved until it is run or dropped.
#[derive(Debug)]
pub struct Plan {
    pub(crate) action: Action,
    /// Level by level.
    pub(crate) inputs: Vec<PlanInput>,
    /// The level where everything goes.
    pub(crate) target: usize,
    /// All keys of the inputs.
    pub(crate) range: KeyRange,
    /// About how many bytes of tables it writes at most.
    pub(crate) written_bytes: u64,
    /// How what is made is cut into tables, where the options do not say so.
    pub(crate) cuts: Option<Cuts>,
    pub(crate) reservation: Option<Reservation>,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Read and write.
    Rewrite,
    /// Name the same files at another level.
    Move,
    /// Name them no more.
    Discard,
}

/// Tables of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanInput {
    pub(crate) level: usize,
    pub(crate) tables: Vec<TableId>,
}

impl Plan {
    /// A plan over these tables, given level by level; `None` without tables.
    pub(crate) fn new(
        action: Action,
        inputs: Vec<(usize, Vec<Arc<TableFile>>)>,
        target: usize,
        order: &KeyOrder,
    ) -> Option<Self> {
        let all = inputs.iter().flat_map(|(_, tables)| tables);
        let range = all.map(|file| file.meta.range.clone()).reduce(|a, b| a.union(b, order))?;
        let named = |(level, tables): &(usize, Vec<Arc<TableFile>>)| PlanInput {
            level: *level,
            tables: tables.iter().map(|file| file.meta.id).collect(),
        };
        let bytes = inputs.iter().flat_map(|(_, tables)| tables).map(|file| file.meta.file_bytes).sum();
        let written_bytes = if action == Action::Rewrite { bytes } else { 0 };
        let inputs = inputs.iter().filter(|(_, tables)| !tables.is_empty()).map(named).collect();
        Some(Self { action, inputs, target, range, written_bytes, cuts: None, reservation: None })
    }

    /// Tables that arrive from elsewhere.
    pub(crate) fn arrival(target: usize, range: KeyRange) -> Self {
        Self { action: Action::Move, inputs: Vec::new(), target, range, written_bytes: 0, cuts: None, reservation: None }
    }

    /// The same, with what is made cut in this way.
    pub(crate) fn cut(self, cuts: Cuts) -> Self {
        Self { cuts: Some(cuts), ..self }
    }

    /// The same, with tables of another size than the options say. At least 1.
    #[must_use]
    pub fn with_table_bytes(self, table_bytes: u64) -> Self {
        self.cut(Cuts { guards: Vec::new(), guarded_bytes_min: table_bytes.max(1), table_bytes: table_bytes.max(1) })
    }

    /// About how many bytes of tables it writes at most.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// All tables it takes.
    pub(crate) fn tables(&self) -> impl Iterator<Item = TableId> {
        self.inputs.iter().flat_map(|input| input.tables.iter().copied())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.action {
            Action::Rewrite => "rewrite",
            Action::Move => "move",
            Action::Discard => "discard",
        })?;
        for (index, input) in self.inputs.iter().enumerate() {
            let plus = if index == 0 { "" } else { " +" };
            let ids: Vec<String> = input.tables.iter().map(TableId::to_string).collect();
            write!(f, "{plus} level {} ({})", input.level, ids.join(" "))?;
        }
        if self.action == Action::Discard {
            return Ok(());
        }
        write!(f, " -> level {}", self.target)?;
        match self.cuts.as_ref().map(|cuts| &cuts.guards[..]) {
            None | Some([]) => Ok(()),
            Some(guards) => guards.iter().try_for_each(|guard| write!(f, " at {}", guard.escape_ascii())),
        }
    }
}
