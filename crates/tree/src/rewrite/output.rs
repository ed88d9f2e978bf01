//! The tables that a rewrite makes: a run, cut between user keys, and discarded with its ids if the rewrite fails.

use super::{
    cuts::{Cuts, Cutter},
    removed::{Noticing, Removed},
    widths::FilterWidth,
};
use crate::{
    options::TreeOptions,
    version::{AddedTable, TableHome},
};
use sediment_base::{
    InternalKey, KeyRange, RangeTombstone, Result, RowFlags, TableId,
    planted::{Bug, planted},
};
use sediment_codec::compress::Dictionary;
use sediment_table::{DictionaryOptions, TableCursor, TableMeta, TableOptions, TableWriter};
use std::sync::Arc;

/// What comes along with a row, beside its key and its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) flags: RowFlags,
    /// Its digest under the tree's seed, if it came with one: it stays with the row as long as that stays what it is.
    pub(crate) digest: Option<u32>,
}

/// How tables are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputSpec<'a> {
    pub(crate) home: &'a Arc<TableHome>,
    pub(crate) options: &'a TreeOptions,
    /// Whether they come from memory, and are soon rewritten: then they are compressed, and have filters, for that.
    pub(crate) is_flush: bool,
    /// Bits per key of their filters.
    pub(crate) filter_width: FilterWidth,
    pub(crate) now_us: u64,
    /// Time of the oldest write among the inputs.
    pub(crate) oldest_write_us: u64,
    /// [`TableOptions::cold_but_for`].
    pub(crate) cold_but_for: Option<&'a Arc<[KeyRange]>>,
}

impl OutputSpec<'_> {
    /// Begins a table, and notes its id. `written` is the dictionary of a table written just before.
    pub(crate) fn begin_table(&self, ids: &mut Vec<TableId>, written: Option<&Arc<Dictionary>>) -> Result<TableWriter> {
        let id = self.home.allocate();
        ids.push(id);
        let codec = if self.is_flush { &self.options.level0_codec } else { &self.options.codec };
        let dictionary = DictionaryOptions {
            bytes_max: self.options.dictionary_bytes,
            known: written.or(self.options.dictionary.as_ref()).cloned(),
            table_bytes: self.options.table_bytes,
        };
        let options = TableOptions {
            block_bytes: self.options.block_bytes,
            codec: codec.clone(),
            dictionary,
            filter: if self.is_flush { self.options.level0_filter } else { self.options.filter },
            filter_bits_per_key: self.filter_width.of(id),
            locator: self.filter_width.has_locators(),
            filter_bits_per_prefix: self.options.filter_bits_per_key,
            prefix_extractor: self.options.prefix_extractor.clone(),
            hash_seed: self.home.hash_seed,
            row_digests: self.options.entry_checksums,
            cold_but_for: self.cold_but_for.cloned(),
            created_us: self.now_us,
            oldest_write_us: self.oldest_write_us.min(self.now_us),
        };
        TableWriter::create(&self.home.context, &options, self.home.path(id), id)
    }
}

/// A table that is complete.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) meta: TableMeta,
    tombstones: Vec<RangeTombstone>,
    hides_bytes: u64,
}

impl Output {
    /// What an edit says to place it.
    pub(crate) fn added(self, level: usize, run: TableId) -> AddedTable {
        AddedTable { level, run, meta: self.meta, hides_bytes: self.hides_bytes }
    }
}

/// The files of tables. Unless [`Files::keep`] is called, they go when this does.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    home: &'a Arc<TableHome>,
    ids: Vec<TableId>,
    finished: Vec<Output>,
    is_kept: bool,
}

/// Tables in the making.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    spec: OutputSpec<'a>,
    /// Each table gets the part of them that lies between its first key and that of the next.
    range_tombstones: Vec<RangeTombstone>,
    /// Where the table in the making begins, if it is not the first.
    begins_at: Option<Vec<u8>>,
    writer: Option<TableWriter>,
    cutter: Cutter<'a>,
    /// That of the last table which has one.
    dictionary: Option<Arc<Dictionary>>,
    finished_bytes: u64,
    /// Of a flush: who notices runs of removed keys, and who is asked about them.
    removed: Option<(Noticing, &'a Removed<'a>)>,
    /// Behind the writer: a file is closed before it goes.
    files: Files<'a>,
}

impl<'a> Outputs<'a> {
    /// Nothing yet. The range tombstones go into the tables whose keys they cover, and all are stored, with rows or without.
    pub(crate) fn new(spec: OutputSpec<'a>, cuts: &'a Cuts, range_tombstones: Vec<RangeTombstone>) -> Self {
        Self {
            cutter: cuts.follow(),
            spec,
            range_tombstones,
            begins_at: None,
            writer: None,
            dictionary: None,
            finished_bytes: 0,
            removed: None,
            files: Files { home: spec.home, ids: Vec::new(), finished: Vec::new(), is_kept: false },
        }
    }

    /// The same, with runs of removed keys noted if there is somebody to ask about them.
    pub(crate) fn noticing(self, removed: Option<&'a Removed<'a>>) -> Self {
        Self { removed: removed.map(|removed| (removed.notice(), removed)), ..self }
    }

    /// Adds a row, in the order of rows.
    pub(crate) fn add(&mut self, key: InternalKey<'_>, marks: Marks, value: &[u8]) -> Result<()> {
        self.end_table_before(key.user_key)?;
        let writer = Self::writer(&mut self.writer, &self.spec, &mut self.files.ids, self.dictionary.as_ref())?;
        if let Some((noticing, _)) = &mut self.removed {
            noticing.add(key, writer.last_key());
        }
        writer.add_digested(key, marks.flags, value, marks.digest)
    }

    /// Takes over the block on whose first row `cursor` stands. False, and no row added, where a table ought to end among its keys, or would
    /// rather make it anew.
    pub(crate) fn add_block(&mut self, cursor: &mut TableCursor) -> Result<bool> {
        let Some(block) = cursor.whole_block().filter(|_| self.removed.is_none()) else { return Ok(false) };
        self.end_table_before(block.first_key())?;
        if self.cutter.next_guard().is_some_and(|guard| !block.ends_before(guard)) {
            return Ok(false);
        }
        cursor.carry_block(Self::writer(&mut self.writer, &self.spec, &mut self.files.ids, self.dictionary.as_ref())?)
    }

    /// Ends the table in the making, if it is to end in front of this user key.
    #[inline]
    fn end_table_before(&mut self, user_key: &[u8]) -> Result<()> {
        // All versions of a key lie in one table, else the tables of a run would overlap. One that was begun for a block which it did not
        // take has no row yet.
        match &self.writer {
            Some(writer)
                if self.cutter.ends_before(user_key, writer.written_bytes(), &self.spec.home.context.order)
                    && writer.rows() > 0
                    && writer.last_key() != user_key =>
            {
                self.cut(Some(user_key))
            }
            _ => Ok(()),
        }
    }

    /// The table in the making, begun if there is none.
    #[inline]
    fn writer<'w>(
        writer: &'w mut Option<TableWriter>,
        spec: &OutputSpec<'_>,
        ids: &mut Vec<TableId>,
        dictionary: Option<&Arc<Dictionary>>,
    ) -> Result<&'w mut TableWriter> {
        match writer {
            Some(writer) => Ok(writer),
            None => Ok(writer.insert(spec.begin_table(ids, dictionary)?)),
        }
    }

    /// Bytes in all files so far.
    #[inline]
    pub(crate) fn bytes(&self) -> u64 {
        self.finished_bytes + self.writer.as_ref().map_or(0, TableWriter::written_bytes)
    }

    /// Completes the last table and makes all their names durable.
    pub(crate) fn finish(mut self) -> Result<Files<'a>> {
        if self.writer.is_none() && !self.range_tombstones.is_empty() {
            Self::writer(&mut self.writer, &self.spec, &mut self.files.ids, self.dictionary.as_ref())?;
        }
        self.cut(None)?;
        if !self.files.finished.is_empty() && !planted(Bug::SkipTableDirectorySync) {
            self.spec.home.sync_names()?;
        }
        Ok(self.files)
    }

    /// Ends the table in the making. The next one begins at `next`.
    fn cut(&mut self, next: Option<&[u8]>) -> Result<()> {
        let (begin, order) = (self.begins_at.as_deref(), &self.spec.home.context.order);
        if let Some(mut writer) = self.writer.take() {
            let tombstones: Vec<_> = self.range_tombstones.iter().filter_map(|t| t.clipped(begin, next, order)).collect();
            writer.add_range_tombstones(tombstones.iter().cloned());
            if let Some((noticing, removed)) = &mut self.removed {
                writer.set_removed_runs(removed.ask(&noticing.take())?);
            }
            self.begins_at = next.map(<[u8]>::to_vec);
            self.dictionary = writer.dictionary().cloned().or(self.dictionary.take());
            let meta = writer.finish()?;
            self.finished_bytes += meta.file_bytes;
            self.files.finished.push(Output { meta, tombstones, hides_bytes: 0 });
        }
        Ok(())
    }
}

impl Files<'_> {
    /// How many bytes are in them.
    pub(crate) fn bytes(&self) -> u64 {
        self.finished.iter().map(|output| output.meta.file_bytes).sum()
    }

    /// How much is hidden elsewhere by the range tombstones of each table, as `hidden_bytes` says of each.
    pub(crate) fn weigh_tombstones(&mut self, hidden_bytes: impl Fn(&RangeTombstone) -> u64) {
        for output in &mut self.finished {
            output.hides_bytes = output.tombstones.drain(..).map(|tombstone| hidden_bytes(&tombstone)).sum();
        }
    }

    /// From here on the files may be named on disk: they stay, whatever happens.
    pub(crate) fn keep(mut self) -> Vec<Output> {
        self.is_kept = true;
        std::mem::take(&mut self.finished)
    }
}

impl Drop for Files<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            if let Some(first) = self.ids.first()
                && planted(Bug::ReuseTableId)
            {
                self.home.rewind_next_id(*first);
            }
            self.ids.drain(..).for_each(|id| self.home.discard(id, None));
        }
    }
}
