//! `Histogram`: everything whose distribution is kept. The names are public and do not change.

use super::Unit;
use std::fmt;

macro_rules! histograms {
    ($(#[doc = $meaning:literal] $histogram:ident: $name:literal in $unit:ident,)*) => {
        /// A number of which every value is noted, so that its distribution can be told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Histogram {
            $(#[doc = $meaning] $histogram,)*
        }

        impl Histogram {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$histogram),*];

            /// Its public name, which does not change.
            pub fn name(self) -> &'static str {
                match self { $(Self::$histogram => $name,)* }
            }

            /// What its values are.
            pub fn unit(self) -> Unit {
                match self { $(Self::$histogram => Unit::$unit,)* }
            }

            /// One sentence that says what is noted.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$histogram => $meaning.trim_ascii(),)* }
            }
        }
    };
}

histograms! {
    /// Time from the call of a commit to its acknowledgement; of a sample of those that write one row and wait for no sync.
    CommitLatencyUs: "commit_latency_us" in Microseconds,
    /// Time of a point read; of a sample of them.
    GetLatencyUs: "get_latency_us" in Microseconds,
    /// Rows that a scan gave to its caller.
    ScanRows: "scan_rows" in Rows,
    /// Time of a sync of the log.
    WalSyncLatencyUs: "wal_sync_latency_us" in Microseconds,
    /// Records in one write to the log.
    WalGroupRecords: "wal_group_records" in Count,
    /// Time of a flush, from sealed memtables to a visible version.
    FlushDurationUs: "flush_duration_us" in Microseconds,
    /// Time of a compaction that rewrote tables.
    CompactionDurationUs: "compaction_duration_us" in Microseconds,
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
