//! The experts' section: what most databases need not set.

use crate::options::{Compression, FilterKind, FilterWidths, KeyspaceOptions, Residency, check::within};
use sediment_base::Result;
use std::ops::RangeInclusive;

/// Settings that most databases need not touch. Of those for every keyspace, what is `None` follows the goal, and what a
/// keyspace has for itself ([`KeyspaceOptions`]) goes before.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use sedimentdb::{Db, ExpertOptions};
/// let expert = ExpertOptions { block_bytes: Some(16 << 10), wal_file_bytes: 16 << 20, ..ExpertOptions::default() };
/// let db = Db::builder(dir.path()).expert(expert).open()?;
/// # Ok::<(), sedimentdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpertOptions {
    /// Threads for compactions, beside one for flushes and one for the log: up to 256; `None` for half of the machine's cores, at least
    /// one, and for all of them while no keyspace is written to steadily. `Some(0)` is for no threads at all: maintenance then runs on the
    /// thread of the writer that finds it due, and that write waits for it. All start with the first write.
    pub background_threads: Option<usize>,
    /// Into how many portions by key a large compaction is divided, which threads for compactions do side by side if they are idle:
    /// 1 to 256; `None` for as many as there are such threads, and where it takes long more, so that threads that become idle later join it.
    /// `Some(1)` leaves the others to other compactions.
    pub compaction_portions_max: Option<usize>,
    /// Bytes of input from which on a compaction into a deep level asks the operating system not to keep in its memory what is read and
    /// written, but for blocks that readers want: at least 1; `None` for a quarter of the machine's memory, or, where
    /// that cannot be known, for never. The system follows it on Linux alone.
    pub cold_input_bytes: Option<u64>,
    /// Capacity of one log file, in bytes: 1 KiB to 1 GiB; 64 MiB by default. Space for it is reserved when the file begins. A
    /// small one lets go of its space sooner; each new one costs a few syncs.
    pub wal_file_bytes: u64,
    /// How much log may be needed before the keyspaces that hold it back are flushed, in bytes: at least `wal_file_bytes`, up
    /// to 1 TiB; `None` for four times `wal_file_bytes`. It bounds what is replayed after a crash. A small one makes small
    /// flushes, where many keyspaces are written to.
    pub wal_bytes_max: Option<u64>,
    /// Space kept on the disk for going on when it is full, in bytes: up to 1 GiB; 4 MiB by default. With 0 a full disk may
    /// have no room left for the compactions and drops that would give some back. The last quarter is for removes, drops and clears
    /// alone, so that there is room to write them down.
    pub reserve_bytes: u64,
    /// How often a running database refreshes its public file of statistics, in microseconds: 1,000 to 86,400,000,000 (a day);
    /// one second by default. It costs one small write each time; 0 is for never, and no file.
    pub stats_file_interval_us: u64,
    /// How many bytes of tables compactions may write in a second, all of them together: 64 KiB to 1 TiB; `None`, the default, for as many as
    /// they can. Flushes are not held up. Where writers bring more than this leaves them to be compacted, they are slowed down in
    /// time. [`Db::limit_compaction`](crate::Db::limit_compaction) changes it.
    pub compaction_bytes_per_s: Option<u64>,
    /// For every keyspace: see [`KeyspaceOptions::memtable_bytes`].
    pub memtable_bytes: Option<usize>,
    /// For every keyspace: see [`KeyspaceOptions::block_bytes`].
    pub block_bytes: Option<usize>,
    /// For every keyspace: see [`KeyspaceOptions::compression`].
    pub compression: Option<Compression>,
    /// For every keyspace: see [`KeyspaceOptions::level0_compression`].
    pub level0_compression: Option<Compression>,
    /// For every keyspace: see [`KeyspaceOptions::dictionary_bytes`].
    pub dictionary_bytes: Option<u32>,
    /// For every keyspace: see [`KeyspaceOptions::filter`].
    pub filter: Option<FilterKind>,
    /// For every keyspace: see [`KeyspaceOptions::filter_bits_per_key`].
    pub filter_bits_per_key: Option<u8>,
    /// For every keyspace: see [`KeyspaceOptions::filter_widths`].
    pub filter_widths: Option<FilterWidths>,
    /// For every keyspace: see [`KeyspaceOptions::locators`].
    pub locators: Option<bool>,
    /// For every keyspace: see [`KeyspaceOptions::filter_residency`].
    pub filter_residency: Option<Residency>,
    /// For every keyspace: see [`KeyspaceOptions::fence_residency`].
    pub fence_residency: Option<Residency>,
    /// For every keyspace: see [`KeyspaceOptions::entry_checksums`].
    pub entry_checksums: Option<bool>,
    /// For every keyspace: see [`KeyspaceOptions::table_bytes`].
    pub table_bytes: Option<u64>,
    /// For every keyspace: see [`KeyspaceOptions::level0_trigger`].
    pub level0_trigger: Option<usize>,
    /// For every keyspace: see [`KeyspaceOptions::level_ratio`].
    pub level_ratio: Option<u64>,
    /// For every keyspace: see [`KeyspaceOptions::level_base_bytes`].
    pub level_base_bytes: Option<u64>,
}

impl Default for ExpertOptions {
    fn default() -> Self {
        let KeyspaceOptions {
            goal: _,
            memtable_bytes,
            block_bytes,
            compression,
            level0_compression,
            dictionary_bytes,
            filter,
            filter_bits_per_key,
            filter_widths,
            locators,
            filter_residency,
            fence_residency,
            entry_checksums,
            table_bytes,
            level0_trigger,
            level_ratio,
            level_base_bytes,
            dictionary: _,
            prefix_extractor: _,
            compaction_filter: _,
            strategy: _,
            merge_operator: _,
            comparator: _,
        } = KeyspaceOptions::default();
        Self {
            background_threads: None,
            compaction_portions_max: None,
            cold_input_bytes: None,
            wal_file_bytes: 64 << 20,
            wal_bytes_max: None,
            reserve_bytes: 4 << 20,
            stats_file_interval_us: 1_000_000,
            compaction_bytes_per_s: None,
            memtable_bytes,
            block_bytes,
            compression,
            level0_compression,
            dictionary_bytes,
            filter,
            filter_bits_per_key,
            filter_widths,
            locators,
            filter_residency,
            fence_residency,
            entry_checksums,
            table_bytes,
            level0_trigger,
            level_ratio,
            level_base_bytes,
        }
    }
}

const BACKGROUND_THREADS: RangeInclusive<u64> = 0..=256;
const COMPACTION_PORTIONS_MAX: RangeInclusive<u64> = 1..=256;
const COLD_INPUT_BYTES: RangeInclusive<u64> = 1..=u64::MAX;
const WAL_FILE_BYTES: RangeInclusive<u64> = 1 << 10..=1 << 30;
const WAL_BYTES_MAX: u64 = 1 << 40;
const RESERVE_BYTES: RangeInclusive<u64> = 0..=1 << 30;
const COMPACTION_BYTES_PER_S: RangeInclusive<u64> = 64 << 10..=1 << 40;
const STATS_FILE_INTERVAL_US: RangeInclusive<u64> = 1_000..=86_400_000_000;

/// Whether a limit of compactions is within its range.
pub(crate) fn check_compaction_rate(bytes_per_s: Option<u64>) -> Result<()> {
    let Some(bytes) = bytes_per_s else { return Ok(()) };
    let (range, advice) = (&COMPACTION_BYTES_PER_S, "give more, or None for no limit");
    within("expert.compaction_bytes_per_s", bytes, range, "bytes a second", advice)
}

impl ExpertOptions {
    /// Whether each number is within its range.
    pub(super) fn validate(&self) -> Result<()> {
        if let Some(threads) = self.background_threads {
            let advice = "give fewer, or None for half of the machine's cores";
            within("expert.background_threads", threads as u64, &BACKGROUND_THREADS, "threads", advice)?;
        }
        if let Some(portions) = self.compaction_portions_max {
            let advice = "1 does without helpers, None takes all that are idle";
            within("expert.compaction_portions_max", portions as u64, &COMPACTION_PORTIONS_MAX, "portions", advice)?;
        }
        if let Some(bytes) = self.cold_input_bytes {
            let advice = "a large number is for never";
            within("expert.cold_input_bytes", bytes, &COLD_INPUT_BYTES, "bytes", advice)?;
        }
        within("expert.wal_file_bytes", self.wal_file_bytes, &WAL_FILE_BYTES, "bytes", "64 MiB suits most")?;
        if let Some(bytes) = self.wal_bytes_max {
            let advice = "hold at least one file (wal_file_bytes), or None for four";
            within("expert.wal_bytes_max", bytes, &(self.wal_file_bytes..=WAL_BYTES_MAX), "bytes", advice)?;
        }
        let advice = "4 MiB suits most, 0 keeps none";
        within("expert.reserve_bytes", self.reserve_bytes, &RESERVE_BYTES, "bytes", advice)?;
        if self.stats_file_interval_us > 0 {
            let advice = "a second (1000000) suits most, 0 writes no file";
            let range = &STATS_FILE_INTERVAL_US;
            within("expert.stats_file_interval_us", self.stats_file_interval_us, range, "microseconds", advice)?;
        }
        check_compaction_rate(self.compaction_bytes_per_s)?;
        self.of_keyspaces().validate("expert.")
    }

    /// What is set here for every keyspace.
    pub(super) fn of_keyspaces(&self) -> KeyspaceOptions {
        KeyspaceOptions {
            goal: None,
            memtable_bytes: self.memtable_bytes,
            block_bytes: self.block_bytes,
            compression: self.compression,
            level0_compression: self.level0_compression,
            dictionary_bytes: self.dictionary_bytes,
            dictionary: None,
            filter: self.filter,
            filter_bits_per_key: self.filter_bits_per_key,
            filter_widths: self.filter_widths,
            locators: self.locators,
            filter_residency: self.filter_residency,
            fence_residency: self.fence_residency,
            entry_checksums: self.entry_checksums,
            table_bytes: self.table_bytes,
            level0_trigger: self.level0_trigger,
            level_ratio: self.level_ratio,
            level_base_bytes: self.level_base_bytes,
            prefix_extractor: None,
            compaction_filter: None,
            strategy: None,
            merge_operator: None,
            comparator: None,
        }
    }
}
