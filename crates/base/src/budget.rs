//! `MemoryBudget`: how much memory the parts of a database take, counted in one place.
//!
//! The budget counts and refuses nothing: a read that has to be answered, or a batch whose place in the log is taken, cannot
//! wait for memory. Who owns an account sees to it that the account stays within bounds, each in its own way:
//!
//! | account | holds | beyond its bounds |
//! |---|---|---|
//! | memtables | rows not yet in tables, and memory that memtables left for those that come after them | writers wait for flushes; what is under way is applied, so it may exceed the total by that |
//! | cache | blocks once read, and pages of filters | evicts: it yields first, down to what the others leave; over that only while room is being made |
//! | metadata | fences, filters and locators of open tables | may exceed any share, even the total: a table must be open to be read. But one that is opened does without its locator, or leaves its filter in the file, where that would not fit into the share of metadata |
//! | log | buffers of the log | bounded by the log's own settings |
//! | pinned | what readers hold and nobody can take back | may exceed everything: the reader decides |
//! | compaction | buffers of flushes and compactions | bounded by how many jobs are begun; one under way is not stopped |
//!
//! Shared, without locks. Each account is exact once the threads that changed it have met the reader; several of them read together
//! may be of slightly different moments.

mod charge;

pub use charge::Charge;

use sediment_raw::{spares::Spares, sync::OwnLines};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// What memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Account {
    /// Rows that are not yet in tables, in memtables active or sealed, and what is kept for the next ones.
    Memtables,
    /// Blocks once read, and pages of filters that are not in memory.
    Cache,
    /// Fences, filters, locators and properties of open tables.
    Metadata,
    /// Buffers of the log.
    Log,
    /// What readers hold and nobody can take back, as memtables whose rows are in tables by now.
    Pinned,
    /// Buffers of flushes and compactions.
    Compaction,
}

impl Account {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Memtables, Self::Cache, Self::Metadata, Self::Log, Self::Pinned, Self::Compaction];

    /// Its public name, which does not change.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memtables => "memtables",
            Self::Cache => "cache",
            Self::Metadata => "metadata",
            Self::Log => "log",
            Self::Pinned => "pinned",
            Self::Compaction => "compaction",
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What metadata take of the total at most, if tables can do without a part of it.
const METADATA_SHARE: (u64, u64) = (3, 10);

/// Bytes in use by account, and how many there shall be in all. Shared.
#[derive(Debug)]
pub struct MemoryBudget {
    total_bytes: AtomicU64,
    /// Bytes in use: accounts are charged by different threads.
    accounts: [OwnLines<AtomicU64>; Account::ALL.len()],
    spares: Arc<Spares>,
}

impl MemoryBudget {
    /// A budget of so many bytes in all.
    pub fn new(total_bytes: u64) -> Self {
        Self { total_bytes: AtomicU64::new(total_bytes), accounts: Default::default(), spares: Arc::default() }
    }

    /// A budget that only counts.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// What there shall be in all.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes.load(Relaxed)
    }

    /// Changes what there shall be in all. Whoever owns an account that is now too large notices by itself.
    pub fn set_total_bytes(&self, bytes: u64) {
        self.total_bytes.store(bytes, Relaxed);
    }

    /// Counts bytes taken. [`Charge`] gives them back by itself.
    #[inline]
    pub fn charge(&self, account: Account, bytes: u64) {
        self.account(account).fetch_add(bytes, Relaxed);
    }

    /// Counts bytes given back; no more than were charged.
    #[inline]
    pub fn release(&self, account: Account, bytes: u64) {
        let before = self.account(account).fetch_sub(bytes, Relaxed);
        debug_assert!(before >= bytes, "{account} gives back {bytes} of {before} bytes");
    }

    /// Bytes in use; of memtables, with what those that are gone have left for others.
    pub fn used(&self, account: Account) -> u64 {
        let spare = if account == Account::Memtables { self.spares.bytes() as u64 } else { 0 };
        self.account(account).load(Relaxed) + spare
    }

    /// What memtables leave to one another.
    pub fn spares(&self) -> &Arc<Spares> {
        &self.spares
    }

    /// Bytes in use by all accounts.
    pub fn total_used(&self) -> u64 {
        Account::ALL.iter().map(|account| self.used(*account)).sum()
    }

    /// Bytes that nobody uses; 0 once the budget is spent.
    pub fn available(&self) -> u64 {
        self.total_bytes().saturating_sub(self.total_used())
    }

    /// What the other accounts leave for this one, whatever it uses now: how large the cache may be.
    pub fn left_for(&self, account: Account) -> u64 {
        let others = Account::ALL.iter().filter(|other| **other != account);
        self.total_bytes().saturating_sub(others.map(|other| self.used(*other)).sum())
    }

    /// Whether metadata that a table can do without may take so many bytes: all metadata together have three tenths of the total then.
    pub fn has_room_for_metadata(&self, bytes: u64) -> bool {
        let share = self.total_bytes() / METADATA_SHARE.1 * METADATA_SHARE.0;
        self.used(Account::Metadata).saturating_add(bytes) <= share
    }

    /// All accounts, to show.
    pub fn snapshot(&self) -> BudgetSnapshot {
        BudgetSnapshot { total_bytes: self.total_bytes(), used_bytes: Account::ALL.map(|account| self.used(account)) }
    }

    #[inline]
    fn account(&self, account: Account) -> &AtomicU64 {
        &self.accounts[account as usize]
    }
}

/// The budget at one moment. Prints as one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSnapshot {
    total_bytes: u64,
    used_bytes: [u64; Account::ALL.len()],
}

impl BudgetSnapshot {
    /// What there should be in all; `u64::MAX` for no bound.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Bytes in use by one account.
    pub fn used(&self, account: Account) -> u64 {
        self.used_bytes[account as usize]
    }

    /// Bytes in use by all accounts.
    pub fn total_used(&self) -> u64 {
        self.used_bytes.iter().sum()
    }

    /// Each account with its bytes, in the order of [`Account::ALL`].
    pub fn accounts(&self) -> impl Iterator<Item = (Account, u64)> {
        Account::ALL.iter().copied().zip(self.used_bytes)
    }
}

impl fmt::Display for BudgetSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.total_used())?;
        if self.total_bytes != u64::MAX {
            write!(f, " of {}", self.total_bytes)?;
        }
        for (index, (account, bytes)) in self.accounts().enumerate() {
            write!(f, "{} {account} {bytes}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
