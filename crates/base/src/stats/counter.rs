//! `Counter`: everything that is counted. The names are public: dashboards are built on them, so they do not change.

use std::fmt;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Occurrences of what the name says.
    Count,
    /// Rows.
    Rows,
    /// Bytes.
    Bytes,
    /// Microseconds.
    Microseconds,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Microseconds => "microseconds",
        })
    }
}

macro_rules! counters {
    ($(#[doc = $meaning:literal] $counter:ident: $name:literal in $unit:ident,)*) => {
        /// A number that only grows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Counter {
            $(#[doc = $meaning] $counter,)*
        }

        impl Counter {
            /// All of them, grouped by what they are about.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$counter),*];

            /// Its public name, which does not change.
            pub fn name(self) -> &'static str {
                match self { $(Self::$counter => $name,)* }
            }

            /// What one of it is.
            pub fn unit(self) -> Unit {
                match self { $(Self::$counter => Unit::$unit,)* }
            }

            /// One sentence that says what it counts.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$counter => $meaning.trim_ascii(),)* }
            }
        }
    };
}

counters! {
    /// Point reads.
    GetCount: "get_count" in Count,
    /// Point reads answered by a row in a memtable, be it a tombstone.
    GetMemtableHits: "get_memtable_hits" in Count,
    /// Point reads answered by a row in a table, be it a tombstone.
    GetTableHits: "get_table_hits" in Count,
    /// Filters of tables that point reads asked.
    FilterChecks: "filter_checks" in Count,
    /// Filters that said no, and so spared the look into their table.
    FilterNegatives: "filter_negatives" in Count,
    /// Filters that said maybe of a table without a row for the read.
    FilterFalsePositives: "filter_false_positives" in Count,
    /// Locators of tables that point reads asked; they count as filters as well.
    LocatorChecks: "locator_checks" in Count,
    /// Locators that led to a row for the read.
    LocatorHits: "locator_hits" in Count,
    /// Tables opened without their locator, because metadata had its share of the memory.
    LocatorsLeftOut: "locators_left_out" in Count,
    /// Filters, of keys or of prefixes, that stayed in the file when their table was opened: questions read their pages.
    FiltersLeftOut: "filters_left_out" in Count,
    /// Pages of such filters that were fetched from a file.
    FilterPagesLoaded: "filter_pages_loaded" in Count,
    /// Bytes read to fetch them.
    FilterPageBytesRead: "filter_page_bytes_read" in Bytes,
    /// Fences that stayed in the file when their table was opened, but for where their leaves lie: reads and walks fetch those.
    FencesLeftOut: "fences_left_out" in Count,
    /// Leaves of such fences that were fetched from a file.
    FenceLeavesLoaded: "fence_leaves_loaded" in Count,
    /// Bytes read to fetch them.
    FenceLeafBytesRead: "fence_leaf_bytes_read" in Bytes,
    /// Prefix filters of tables that scans asked.
    PrefixFilterChecks: "prefix_filter_checks" in Count,
    /// Prefix filters that said no, and so spared the scan their table.
    PrefixFilterNegatives: "prefix_filter_negatives" in Count,
    /// Places that scans and cursors were sent to; a scan begins with one.
    SeekCount: "seek_count" in Count,
    /// Runs of removed keys that walks passed over at once.
    RemovedRunsPassed: "removed_runs_passed" in Count,
    /// Blocks that readers found in memory.
    BlockCacheHits: "block_cache_hits" in Count,
    /// Blocks that readers had to fetch from a file.
    BlockCacheMisses: "block_cache_misses" in Count,
    /// Bytes that readers fetched from tables, with what was read ahead.
    BlockBytesRead: "block_bytes_read" in Bytes,
    /// Tables opened.
    TableOpens: "table_opens" in Count,
    /// Bytes read to open tables.
    TableOpenBytesRead: "table_open_bytes_read" in Bytes,

    /// Commits, single writes included.
    CommitCount: "commit_count" in Count,
    /// Rows in commits.
    CommitRows: "commit_rows" in Rows,
    /// Bytes of keys and values in commits.
    CommitBytes: "commit_bytes" in Bytes,
    /// Bytes written to the log, with what begins each file.
    WalBytesWritten: "wal_bytes_written" in Bytes,
    /// Records written to the log.
    WalRecords: "wal_records" in Count,
    /// Writes to the log, each of one or more records.
    WalGroups: "wal_groups" in Count,
    /// Syncs of the log.
    WalSyncs: "wal_syncs" in Count,
    /// Log files begun.
    WalFilesBegun: "wal_files_begun" in Count,
    /// Records of the log applied again at opening.
    WalRecordsReplayed: "wal_records_replayed" in Count,

    /// Flushes.
    FlushCount: "flush_count" in Count,
    /// Rows that flushes wrote to tables.
    FlushRowsWritten: "flush_rows_written" in Rows,
    /// Rows of memtables that flushes dropped because no reader needs them.
    FlushRowsDropped: "flush_rows_dropped" in Rows,
    /// Runs of removed keys that flushes found, and noted in the tables that they wrote.
    RemovedRunsFound: "removed_runs_found" in Count,
    /// Bytes of the tables that flushes wrote.
    FlushBytesWritten: "flush_bytes_written" in Bytes,

    /// Ingestions that were finished.
    IngestCount: "ingest_count" in Count,
    /// Rows that they brought.
    IngestRows: "ingest_rows" in Rows,
    /// Bytes of tables that they made.
    IngestBytesWritten: "ingest_bytes_written" in Bytes,
    /// Compactions that rewrote tables.
    CompactionCount: "compaction_count" in Count,
    /// Portions in which these were done: one each, or several where there was much to do and there were threads for it, or could have been.
    CompactionPortions: "compaction_portions" in Count,
    /// Bytes of large compactions that the operating system was asked not to keep in its memory: read, or written and synced.
    CompactionBytesEvicted: "compaction_bytes_evicted" in Bytes,
    /// Compactions that only gave tables another level.
    CompactionMoves: "compaction_moves" in Count,
    /// Rows that compactions read.
    CompactionRowsRead: "compaction_rows_read" in Rows,
    /// Rows that compactions wrote.
    CompactionRowsWritten: "compaction_rows_written" in Rows,
    /// Rows that compactions dropped because no reader needs them.
    CompactionRowsDropped: "compaction_rows_dropped" in Rows,
    /// Blocks that compactions took over as they were, because no row of them changed and none came between.
    CompactionBlocksCarried: "compaction_blocks_carried" in Count,
    /// Rows that compaction filters removed or replaced.
    CompactionRowsFiltered: "compaction_rows_filtered" in Rows,
    /// Tables that compactions let go unread, because range tombstones hide all of them.
    CompactionTablesDropped: "compaction_tables_dropped" in Count,
    /// Bytes of the tables that compactions read.
    CompactionBytesRead: "compaction_bytes_read" in Bytes,
    /// Bytes of the tables that compactions wrote.
    CompactionBytesWritten: "compaction_bytes_written" in Bytes,
    /// Time for which compactions, each portion for itself, were held up by the limit of what they may write.
    CompactionWaitUs: "compaction_wait_us" in Microseconds,
    /// Compactions that did not begin, because what they write might not have fitted on the disk.
    CompactionsPostponed: "compactions_postponed" in Count,
    /// Tables that came into a version, from flushes and compactions.
    TablesCreated: "tables_created" in Count,
    /// Table files removed.
    TablesDeleted: "tables_deleted" in Count,

    /// Writes that were delayed so that maintenance keeps up.
    WriteDelays: "write_delays" in Count,
    /// Time of those delays.
    WriteDelayUs: "write_delay_us" in Microseconds,
    /// Times that a writer had to wait for maintenance outright.
    WriteStops: "write_stops" in Count,
    /// Time of those waits.
    WriteStopUs: "write_stop_us" in Microseconds,
    /// Times that the disk was full.
    NoSpaceEvents: "no_space_events" in Count,
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
