//! Takes the measures of an open database.

use crate::{
    catalog::KeyspaceState,
    status::db_stats::{DbStats, KeyspaceStats, LevelStats, MemoryStats, SnapshotStats},
    worker::{Machinery, Worker},
};

/// The database at this moment.
pub(crate) fn gather(machinery: &Machinery, worker: &Worker) -> DbStats {
    let instruments = &machinery.instruments;
    let (wal_files, wal_bytes) = machinery.log.size();
    let snapshots = machinery.snapshots.open().into_iter();
    DbStats {
        taken_at_us: machinery.env.clock.wall_us(),
        open_us: instruments.open_us(),
        visible_seqno: machinery.snapshots.visible(),
        keyspaces: machinery.keyspaces.all().iter().map(|keyspace| keyspace_stats(keyspace)).collect(),
        pace: worker.pace(),
        memory: MemoryStats {
            budget: instruments.budget.snapshot(),
            memtables_bytes_max: worker.memtables_bytes_max(),
            cache_bytes_max: instruments.cache.capacity_bytes(),
        },
        wal_files,
        wal_bytes,
        snapshots: snapshots.map(|(read_seqno, made_at)| SnapshotStats { read_seqno, made_at }).collect(),
        poisoned: machinery.fatal.cause(),
        counted: instruments.stats.snapshot(),
        listener_panics: instruments.events.panics(),
    }
}

fn keyspace_stats(keyspace: &KeyspaceState) -> KeyspaceStats {
    let stats = keyspace.newest().tree.stats();
    let level = |level: &sediment_tree::LevelStats| LevelStats {
        runs: level.runs as u64,
        tables: level.tables as u64,
        bytes: level.bytes,
        rows: level.rows,
        tombstones: level.tombstones,
        filter_bits_per_key: level.filter_bits_per_key,
        score: level.score,
    };
    KeyspaceStats {
        name: keyspace.name().to_string(),
        memtable_bytes: stats.memtable_bytes as u64,
        sealed_memtables: stats.sealed_count as u64,
        sealed_bytes: stats.sealed_bytes as u64,
        levels: stats.levels.iter().map(level).collect(),
        debt_bytes: stats.debt_bytes,
        obsolete_tables: stats.obsolete_tables as u64,
    }
}
