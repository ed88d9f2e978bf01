//! Planted bugs: known mistakes that the crash tests must catch, to prove that they can.
//!
//! In a normal build every question is answered `false` at compile time. Built with `--cfg planted_bugs`, one bug at a time is
//! switched on by `plant`, and the test suite fails unless the sweep finds it. The place of each bug is one
//! `if planted(Bug::…)` in the code that it breaks.

#[cfg(planted_bugs)]
use std::sync::atomic::{AtomicU8, Ordering};

macro_rules! bugs {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A mistake that somebody might make, and some engine has made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Bug {
            $($(#[$doc])* $name,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

bugs! {
    /// A new log file's directory is not synced before its first record is acknowledged.
    SkipWalDirectorySync,
    /// A synced commit is acknowledged without syncing the log.
    SkipWalSync,
    /// A new table's directory entry is not synced before the manifest names it.
    SkipTableDirectorySync,
    /// A new table is not synced before the manifest names it.
    SkipTableSync,
    /// A new version is visible, and its inputs are gone, before its edit is synced.
    PublishBeforeManifestSync,
    /// The log goes on in the same file after a failed append.
    AppendAfterFailedAppend,
    /// A sync that failed is tried again on the same file, and believed.
    RetryFailedSync,
    /// The id of an abandoned file is used again.
    ReuseTableId,
    /// Compaction drops a version that a snapshot still needs.
    DropVersionUnderSnapshot,
    /// Compaction drops a tombstone above the bottom.
    DropTombstoneAboveBottom,
    /// Compaction takes over a block whose rows a range tombstone hides, which then goes.
    CarryUnderRangeTombstone,
    /// `CURRENT` is switched before the manifest that it names is synced.
    SwitchCurrentBeforeSync,
    /// A flush is durable before the log that it overtakes.
    FlushBeforeLog,
    /// Log files are removed before the flush that contains them is durable.
    RemoveWalBeforeFlush,
    /// Replay stops at the first damaged record without asking whether it was once durable.
    TruncateAtFirstDamage,
    /// A record is accepted without its checksum.
    AcceptBadChecksum,
    /// A short write counts as whole.
    IgnoreShortWrite,
    /// After an unclean close the replayed tail is not made durable before the next acknowledged sync.
    TrustReplayedTail,
    /// Replay applies records that a flush already contains, under a dropped and re-created keyspace too.
    ReplayIntoDroppedKeyspace,
    /// A new log file does not repeat what was written to the old one after the place that it continues.
    ForgetRepeatedRecords,
    /// A sync of the log leaves out files before the one that is written.
    SyncNewestFileOnly,
    /// A flush says that nothing of the log is needed although rows of other trees are only there.
    CoverUnflushed,
    /// A bit of each row turns over once it lies in a memtable.
    TurnBitInMemtable,
}

#[cfg(planted_bugs)]
static PLANTED: AtomicU8 = AtomicU8::new(u8::MAX);

/// Switches one bug on for the whole process, or all off.
#[cfg(planted_bugs)]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(u8::MAX, |bug| bug as u8), Ordering::SeqCst);
}

/// Whether this bug is switched on; always false, and free, in a normal build.
#[cfg(planted_bugs)]
pub fn planted(bug: Bug) -> bool {
    PLANTED.load(Ordering::Relaxed) == bug as u8
}

/// Whether this bug is switched on; always false, and free, in a normal build.
#[cfg(not(planted_bugs))]
#[inline(always)]
pub fn planted(_bug: Bug) -> bool {
    false
}
