//! Points: the newest visible row of a key over memtables and runs.
//!
//! Sources are searched from the newest to the oldest, but age is not relied upon: seqnos may arrive in any order, so the row
//! found counts until a source that could hold a higher seqno has been searched as well, and no longer. The key is hashed once.
//! What a read meets is counted on the way and added to the statistics once, at its end.

use crate::{cursor::found_value, options::TreeOptions, super_version::SuperVersion};
use sediment_base::{KeyOrder, Kind, Result, RowFlags, SeqNo, Slice, stats::Counter};
use sediment_codec::hash::key_hash;
use sediment_table::{ReadCounts, TableRow};

/// The value of `key` at `read_seqno`. Does I/O: hold no epoch pin.
pub(crate) fn get(pinned: &SuperVersion, key: &[u8], read_seqno: SeqNo, options: &TreeOptions) -> Result<Option<Slice>> {
    pinned.check_history(read_seqno)?;
    let mut met = Met::default();
    let newest = newest_row(pinned, key, read_seqno, &options.order, &mut met);
    let stats = options.stats.local();
    stats.add(Counter::GetCount, 1);
    if let Some(place) = met.place {
        stats.add(place, 1);
    }
    met.tables.add_to(stats);
    match newest? {
        Some(row) => found_value(row.kind, row.flags, || row.value),
        None => Ok(None),
    }
}

/// Whether `key` has a value at `read_seqno`.
pub(crate) fn contains_key(pinned: &SuperVersion, key: &[u8], read_seqno: SeqNo, options: &TreeOptions) -> Result<bool> {
    Ok(get(pinned, key, read_seqno, options)?.is_some())
}

/// What a read met.
#[derive(Default)]
struct Met {
    /// Counts the place where the newest row so far lies.
    place: Option<Counter>,
    tables: ReadCounts,
}

fn newest_row(
    pinned: &SuperVersion,
    key: &[u8],
    read_seqno: SeqNo,
    order: &KeyOrder,
    met: &mut Met,
) -> Result<Option<TableRow>> {
    if read_seqno == 0 || key.is_empty() {
        return Ok(None);
    }
    let hash_seed = pinned.version.identity.hash_seed;
    let hash = key_hash(hash_seed, key);
    let mut newest: Option<TableRow> = None;
    let is_beaten = |newest: &Option<TableRow>, max: SeqNo| newest.as_ref().is_some_and(|row| row.seqno >= max);
    for memtable in pinned.memtables() {
        if memtable.max_seqno().is_none_or(|max| is_beaten(&newest, max)) {
            continue;
        }
        let Some(row) = memtable.get(key, hash, read_seqno) else { continue };
        if !is_beaten(&newest, row.seqno) {
            let value = if row.kind == Kind::Tombstone { Slice::default() } else { Slice::new(row.value) };
            met.place = Some(Counter::GetMemtableHits);
            newest = Some(TableRow { seqno: row.seqno, kind: row.kind, flags: RowFlags::NONE, value });
        }
    }
    for run in pinned.version.runs() {
        if is_beaten(&newest, run.max_seqno()) {
            continue;
        }
        let Some(file) = run.find(key, order) else { continue };
        if is_beaten(&newest, file.meta.max_seqno) || file.meta.min_seqno >= read_seqno {
            continue;
        }
        let table = file.open()?;
        let table_seed = table.properties().hash_seed;
        // A table that came from elsewhere is asked with the seed that it was built with.
        let table_hash = if table_seed == hash_seed { hash } else { key_hash(table_seed, key) };
        let Some(row) = table.get_counted(key, table_hash, read_seqno, &mut met.tables)? else { continue };
        if !is_beaten(&newest, row.seqno) {
            met.place = Some(Counter::GetTableHits);
            newest = Some(row);
        }
    }
    Ok(newest)
}
