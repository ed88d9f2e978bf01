//! Compactions: strategies, what they choose, and how the tree hears of it.
//!
//! A strategy is a pure function from plain data to a [`Choice`]; the tree checks what it may do of that, and takes its tables in the same
//! breath (`asked.rs`).

mod asked;
mod choice;
mod fifo;
mod heal;
mod leveled;
mod levels;
mod size_tiered;

/// The traits of filters.
pub mod filter {
    pub use crate::filter::{CompactionFilter, Context, Factory, ItemAccessor, Verdict};
}

pub use self::{
    choice::{Choice, CompactionAction, CompactionResult, Input},
    fifo::{FIFO_COMPACTION_NAME, Fifo},
    heal::EccHeal,
    leveled::{LEVELED_COMPACTION_NAME, Leveled},
    levels::{MoveDown, PullDown},
    size_tiered::{SIZE_TIERED_COMPACTION_NAME, SizeTiered},
};
pub use crate::filter::{CompactionFilter, Factory, ItemAccessor, Verdict};

pub(crate) use asked::Asked;
pub(crate) use levels::{DropRange, Major};

use crate::{config::Config, descriptor_table::TableId, version::Version};
use std::collections::BTreeSet;

/// Another spelling.
pub type Levelled = Leveled;

/// Chooses what is to be compacted.
pub trait CompactionStrategy: Send + Sync {
    /// A name to be told apart by.
    fn get_name(&self) -> &'static str;

    /// What is to be done. The tree does nothing of it where a table is taken, or would meet others of its level.
    fn choose(&self, version: &Version, config: &Config, state: &CompactionState) -> Choice;
}

/// What is under way, and the time.
#[derive(Debug, Default)]
pub struct CompactionState {
    busy: BTreeSet<TableId>,
    now_us: u64,
}

impl CompactionState {
    /// Whether a compaction under way has taken this table.
    pub fn is_busy(&self, table: TableId) -> bool {
        self.busy.contains(&table)
    }

    /// The wall clock, in microseconds since 1970.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }
}

/// Target size of tables where nothing else is said.
const TABLE_BYTES: u64 = 64 << 20;
