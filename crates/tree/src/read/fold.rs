//! The value of a key whose newest row is an operand.
//!
//! The rows of the key are taken from every source, each down to the first that ends what is below it, and folded from the newest
//! on. It asks each memtable's chain and each table's filter, as a point read does; no order is made for it.

use crate::{
    cursor::{Fold, Seen, seen, take_in},
    options::TreeOptions,
    super_version::SuperVersion,
};
use sediment_base::{Cursor, InternalKey, Result, RowFlags, SeqNo, Slice};
use sediment_codec::hash::key_hash;

/// A row that may count.
struct Row {
    seqno: SeqNo,
    seen: Seen,
    value: Slice,
}

/// The rows of one key below a read seqno.
struct Rows<'a> {
    key: &'a [u8],
    read_seqno: SeqNo,
    rows: Vec<Row>,
    /// Nothing at or below counts: a row that ends the fold lies there.
    ended_at: Option<SeqNo>,
    /// Rows below are hidden by a range tombstone.
    cover: SeqNo,
}

/// Folds. Does I/O.
pub(crate) fn fold_key(pinned: &SuperVersion, options: &TreeOptions, key: &[u8], read_seqno: SeqNo) -> Result<Vec<u8>> {
    let mut rows = Rows { key, read_seqno, rows: Vec::new(), ended_at: None, cover: 0 };
    rows.take_from_memtables(pinned)?;
    rows.take_from_tables(pinned, options)?;
    let Rows { mut rows, cover, .. } = rows;
    rows.sort_by_key(|row| std::cmp::Reverse(row.seqno));
    // A row that was flushed is in two places while its log is replayed.
    rows.dedup_by_key(|row| row.seqno);
    let mut fold = Fold::for_reads(options);
    fold.begin();
    for row in rows {
        if row.seqno < cover || !take_in(&mut fold, row.seen, &row.value) {
            break;
        }
    }
    fold.fold(key)
}

impl Rows<'_> {
    fn take_from_memtables(&mut self, pinned: &SuperVersion) -> Result<()> {
        let hash = key_hash(pinned.version.identity.hash_seed, self.key);
        for memtable in pinned.memtables() {
            self.cover = self.cover.max(memtable.cover(self.key, self.read_seqno));
            for row in memtable.versions(self.key, hash, self.read_seqno)? {
                let row = row?;
                if !self.take(row.seqno, seen(row.kind, RowFlags::NONE)?, row.value) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn take_from_tables(&mut self, pinned: &SuperVersion, options: &TreeOptions) -> Result<()> {
        for run in &pinned.version.runs {
            if self.ended_at >= Some(run.max_seqno()) || run.min_seqno() >= self.read_seqno {
                continue;
            }
            let Some(file) = run.find(self.key, &options.order) else { continue };
            let table = file.open()?;
            if let Some(ranges) = table.range_tombstones() {
                self.cover = self.cover.max(ranges.cover(self.key, self.read_seqno, &options.order));
            }
            if !table.may_contain(table.key_hash(self.key))? {
                continue;
            }
            let mut cursor = table.cursor();
            cursor.seek(InternalKey::seek_to(self.key, self.read_seqno))?;
            while cursor.is_valid() && cursor.key().user_key == self.key {
                let InternalKey { seqno, kind, .. } = cursor.key();
                if !self.take(seqno, seen(kind, cursor.flags())?, cursor.value()) {
                    break;
                }
                cursor.next()?;
            }
        }
        Ok(())
    }

    /// Takes a row; whether an older one of the same source could count as well.
    fn take(&mut self, seqno: SeqNo, seen: Seen, value: &[u8]) -> bool {
        self.rows.push(Row { seqno, seen, value: value.into() });
        if seen != Seen::Operand {
            self.ended_at = self.ended_at.max(Some(seqno));
        }
        seen == Seen::Operand
    }
}
