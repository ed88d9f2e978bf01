//! The kinds of events, and the trait that hears of them. Fields are public and may become more: read them by name.

use crate::{
    error::Error,
    id::{TableId, TreeId, WalId},
    stats::StatsSnapshot,
};
use std::{fmt, path::PathBuf, sync::Arc};

macro_rules! events {
    ($($(#[$doc:meta])* $method:ident: $event:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $event {
                $($(#[$field_doc])* pub $field: $type,)*
            }

            impl Event for $event {
                fn tell(&self, listener: &dyn EventListener) {
                    listener.$method(self);
                }
            }
        )*

        /// Hears of events. The rules are those of [the module](crate::event); methods that are not written do nothing.
        ///
        /// ```
        /// use sediment_base::event::{EventListener, FlushEnded};
        ///
        /// #[derive(Debug)]
        /// struct Log;
        ///
        /// impl EventListener for Log {
        ///     fn flush_ended(&self, event: &FlushEnded) {
        ///         eprintln!("flush of {}: {} rows in {} us", event.keyspace, event.rows, event.duration_us);
        ///     }
        /// }
        /// ```
        pub trait EventListener: Send + Sync {
            $(
                $(#[$doc])*
                fn $method(&self, event: &$event) {
                    let _ = event;
                }
            )*
        }
    };
}

/// A kind of event. Implemented here for all of them.
pub trait Event: fmt::Debug + Send {
    /// Calls the listener's method for this kind.
    fn tell(&self, listener: &dyn EventListener);
}

/// Why writers wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// Memtables hold as much as they may until a flush is done.
    Memory,
}

events! {
    /// A flush has begun.
    flush_began: FlushBegan {
        /// Whose memtables.
        keyspace: Arc<str>,
        /// The keyspace's tree.
        tree: TreeId,
        /// Memtables that are being written.
        memtables: u64,
        /// Bytes in them.
        bytes: u64,
    }
    /// A flush has ended, well or not.
    flush_ended: FlushEnded {
        /// Whose memtables.
        keyspace: Arc<str>,
        /// The keyspace's tree.
        tree: TreeId,
        /// Memtables that are now in tables.
        memtables: u64,
        /// Tables made.
        tables: u64,
        /// Rows in them.
        rows: u64,
        /// Bytes in them.
        bytes: u64,
        /// How long it took.
        duration_us: u64,
        /// What went wrong; nothing was changed then.
        error: Option<Error>,
    }
    /// A compaction has begun.
    compaction_began: CompactionBegan {
        /// Whose tables.
        keyspace: Arc<str>,
        /// The keyspace's tree.
        tree: TreeId,
        /// What it is going to do, in one line: `rewrite level 0 (9 7) + level 1 (3) -> level 1`.
        plan: String,
    }
    /// A compaction has ended, well or not.
    compaction_ended: CompactionEnded {
        /// Whose tables.
        keyspace: Arc<str>,
        /// The keyspace's tree.
        tree: TreeId,
        /// What it was to do.
        plan: String,
        /// Whether tables only changed their level.
        is_move: bool,
        /// Tables read, or moved.
        tables_in: u64,
        /// Rows in them.
        rows_in: u64,
        /// Bytes in them.
        bytes_in: u64,
        /// Tables made, or moved.
        tables_out: u64,
        /// Rows in them.
        rows_out: u64,
        /// Bytes in them.
        bytes_out: u64,
        /// Portions in which that was done: several where there was much to do and there were threads for it, or could have been. 0
        /// for a move.
        portions: u64,
        /// How long it took.
        duration_us: u64,
        /// What went wrong; nothing was changed then.
        error: Option<Error>,
    }
    /// A table is durable, and readers see it.
    table_created: TableCreated {
        /// Its file.
        path: PathBuf,
        /// Its number in its tree.
        table: TableId,
        /// The level where it was put.
        level: usize,
        /// Rows in it.
        rows: u64,
        /// Bytes of the file.
        bytes: u64,
    }
    /// A table's file was removed: nothing names it, nobody holds it. It may be one that was given up before readers saw it.
    table_deleted: TableDeleted {
        /// The file that is gone.
        path: PathBuf,
        /// Its number in its tree.
        table: TableId,
    }
    /// The log goes on in another file.
    wal_file_begun: WalFileBegun {
        /// Which.
        wal: WalId,
    }
    /// A log file is no longer needed, and was removed.
    wal_file_removed: WalFileRemoved {
        /// Which.
        wal: WalId,
    }
    /// Writers are delayed more or less than before (by an eighth at least), so that maintenance keeps up.
    pace_changed: PaceChanged {
        /// Bytes per second that writers may bring; none if they are not delayed.
        bytes_per_second: Option<u64>,
        /// What held before.
        before: Option<u64>,
    }
    /// Writers wait until maintenance has caught up. Told once, however many wait.
    writes_stopped: WritesStopped {
        /// What for.
        reason: StopReason,
    }
    /// The last of the writers that waited goes on.
    writes_resumed: WritesResumed {
        /// What they had waited for.
        reason: StopReason,
        /// How long, from the first that had to wait.
        stopped_us: u64,
    }
    /// The disk is full: writes are refused until there is room.
    no_space_began: NoSpaceBegan {
        /// What met it first.
        error: Error,
    }
    /// There is room again: writes are taken.
    no_space_ended: NoSpaceEnded {
        /// How long it lasted.
        duration_us: u64,
    }
    /// The database is poisoned: a failure has put durability in doubt, and writes are refused from now on. Reads go on.
    poisoned: Poisoned {
        /// The failure.
        cause: Error,
    }
    /// Statistics of the last while.
    stats_taken: StatsTaken {
        /// What was counted since the event before.
        since_last: StatsSnapshot,
        /// How long that is.
        duration_us: u64,
    }
}
