//! Sorted rows to a table file.
//!
//! Blocks are sealed and written out in large pieces as they fill; what describes them is collected on the way and follows at the end.
//! Filter and tags are built from one hash per user key. One caller at a time.

mod carry;
mod data;
mod file;
mod trial;

use crate::{
    block::{BlockBuilder, Marks, RowParts, SLOTTED_BYTES_MAX, tag_of},
    context::TableContext,
    filter::{Encoded, Filter, KeyPlaces, PrefixHashes},
    format::kinds,
    index::EncodedFence,
    options::TableOptions,
    properties::{Properties, TableMeta},
    removed_block::{self, RemovedRuns},
    tombstone_block,
};
use sediment_base::{
    Account, Error, InternalKey, KeyOrder, Kind, RangeTombstone, RangeTombstones, Result, RowFlags, SeqNo, Slice, TableId,
    budget::Charge, limits, seqno,
};
use sediment_codec::{
    compress::{Dictionary, Method},
    hash::{KEY_HASH_VERSION, ROW_DIGEST_VERSION, key_hash, row_digest},
    header::{FileHeader, FileKind},
    seal::Region,
};
use std::{cmp::Ordering, path::PathBuf, sync::Arc};

pub(crate) use carry::Carried;

use data::{BlockNote, DataBlocks};
use file::FrameFile;

/// Writes one table. After an error the file is abandoned, with its id: every later call gives the same error.
#[derive(Debug)]
pub struct TableWriter {
    order: KeyOrder,
    options: TableOptions,
    header: FileHeader,
    file: FrameFile,
    builder: BlockBuilder,
    /// Size of the block being built.
    block_bytes: usize,
    /// Whether the block being built begins with further versions of the key that ended the one before, and with which.
    continues: bool,
    first_version: (SeqNo, Kind),
    /// Blocks that were taken over, or could have been, since one was left short for that; no more are counted than matter.
    blocks_met: u32,
    data: DataBlocks,
    hashes: Vec<u64>,
    /// Of the keys with these hashes, where a locator is wanted.
    places: Option<KeyPlaces>,
    prefixes: Option<PrefixHashes>,
    properties: Properties,
    first_key: Slice,
    last: LastRow,
    ranges: Vec<RangeTombstone>,
    removed: RemovedRuns,
    failed: Option<Error>,
    /// Holds the buffers that matter: what is not yet written, the hashes, and while they are built, the filters.
    charge: Charge,
}

/// The row before, as far as the next one depends on it.
#[derive(Debug)]
struct LastRow {
    key: Vec<u8>,
    seqno: SeqNo,
    kind: Kind,
    /// That of its key.
    hash: u64,
    /// Whether it or a newer row of its key hides all older ones.
    hides: bool,
}

impl TableWriter {
    /// Makes the file.
    pub fn create(context: &TableContext, options: &TableOptions, path: PathBuf, id: TableId) -> Result<Self> {
        let uuid = context.random.uuid()?;
        let header = FileHeader::new(FileKind::Table, context.db_uuid, id.0, uuid);
        let file = FrameFile::new(context.fs.create(&path)?, &header, &context.stats);
        let has_prefixes = options.filter_bits_per_prefix > 0 && context.order.is_lexicographic();
        let extractor = options.prefix_extractor.as_ref().filter(|_| has_prefixes);
        let (block_codec, compression) = match &options.codec {
            Method::None => Default::default(),
            Method::Other(codec) => (codec.name().into(), options.codec.to_string()),
            own => (String::new(), own.to_string()),
        };
        let properties = Properties {
            block_codec,
            compression,
            comparator: context.order.name().into(),
            row_digests: if options.row_digests { ROW_DIGEST_VERSION.into() } else { 0 },
            prefix_extractor: extractor.map_or_else(String::new, |extractor| extractor.name().into()),
            hash_seed: options.hash_seed,
            hash_version: KEY_HASH_VERSION.into(),
            created_us: options.created_us,
            oldest_write_us: options.oldest_write_us,
            writer: concat!("sediment ", env!("CARGO_PKG_VERSION")).into(),
            min_seqno: SeqNo::MAX,
            ..Properties::default()
        };
        let marks = Marks { hash_seed: options.hash_seed, is_lexicographic: context.order.is_lexicographic() };
        Ok(Self {
            order: context.order.clone(),
            options: options.clone(),
            header,
            file,
            builder: BlockBuilder::new(&context.order),
            block_bytes: 0,
            continues: false,
            first_version: (0, Kind::Value),
            blocks_met: 0,
            data: DataBlocks::new(options, marks),
            hashes: Vec::new(),
            places: options.locator.then(KeyPlaces::default),
            prefixes: extractor.map(|extractor| PrefixHashes::new(Arc::clone(extractor), options.hash_seed)),
            properties,
            first_key: Slice::default(),
            last: LastRow { key: Vec::new(), seqno: 0, kind: Kind::Value, hash: 0, hides: false },
            ranges: Vec::new(),
            removed: RemovedRuns::default(),
            failed: None,
            charge: Charge::new(&context.budget, Account::Compaction, 0),
        })
    }

    /// Adds a row. Rows come strictly ascending in internal order; anything else is `InvalidInput`, and harmless. Of `flags` only
    /// *blob* is the caller's; what depends on the place of the row is worked out anew.
    pub fn add(&mut self, key: InternalKey<'_>, flags: RowFlags, value: &[u8]) -> Result<()> {
        self.add_digested(key, flags, value, None)
    }

    /// The same for a row that may have come with a digest, under the seed of this table. If its rows have digests, the row keeps that
    /// one, whatever has become of it since, and without one gets one.
    pub fn add_digested(&mut self, key: InternalKey<'_>, flags: RowFlags, value: &[u8], digest: Option<u32>) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let is_new_key = self.check_row(key, flags, value)?;
        let added = self.add_checked(key, flags, (value, digest), is_new_key);
        self.remember(added)
    }

    /// Adds range tombstones, in any order. They may cover keys beyond those of the rows.
    pub fn add_range_tombstones(&mut self, tombstones: impl IntoIterator<Item = RangeTombstone>) {
        self.ranges.extend(tombstones);
    }

    /// Sets the runs of removed keys, each from a key of a row up to that of another, or between two such. Who calls it knows that nobody who
    /// reads above their seqno finds anything there, see [`RemovedRuns`].
    pub fn set_removed_runs(&mut self, removed: RemovedRuns) {
        self.removed = removed;
    }

    /// Bytes that the file has by now, those not yet written out included.
    pub fn written_bytes(&self) -> u64 {
        self.file.len() + self.block_bytes as u64
    }

    /// What its blocks are compressed with, once that is decided: for tables that are written next to it.
    pub fn dictionary(&self) -> Option<&Arc<Dictionary>> {
        self.data.dictionary()
    }

    /// User key of the row added last; empty before the first.
    #[inline]
    pub fn last_key(&self) -> &[u8] {
        &self.last.key
    }

    /// Rows added.
    pub fn rows(&self) -> u64 {
        self.properties.rows
    }

    /// Completes the file and syncs it. Making its name durable is the caller's. A table without rows and range tombstones
    /// is `InvalidInput`.
    pub fn finish(self) -> Result<TableMeta> {
        self.end_rows()?.close()
    }

    /// Ends the rows of a table that get their sequence number later, all the same one: they were added with 0. What is left
    /// takes little memory.
    pub fn end_rows(mut self) -> Result<UnnumberedTable> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let ranges = RangeTombstones::new(std::mem::take(&mut self.ranges), &self.order);
        if self.properties.rows > 0 {
            self.finish_rows()?;
        } else if ranges.is_empty() {
            return Err(Error::invalid_input("a table has at least one row or range tombstone"));
        } else {
            self.properties.min_seqno = 0;
        }
        if !ranges.is_empty() {
            self.properties.count_ranges(&ranges, &self.order);
            self.file.put_region(Region::RangeTombstones, kinds::RANGES, &tombstone_block::encode(&ranges))?;
        }
        if !self.removed.runs.is_empty() {
            self.properties.removed_runs = self.removed.runs.len() as u64;
            self.properties.removed_seqno = self.removed.seqno;
            self.file.put_region(Region::RemovedRuns, kinds::RUNS, &removed_block::encode(&self.removed))?;
        }
        Ok(UnnumberedTable { header: self.header, file: self.file, properties: self.properties })
    }

    /// Ends the data, and describes it.
    fn finish_rows(&mut self) -> Result<()> {
        if !self.builder.is_empty() {
            self.finish_block()?;
        }
        self.data.finish(&mut self.file)?;
        self.file.end_region(Region::Data, 0);
        if let Some(warm) = &self.options.cold_but_for {
            self.file.set_cold(self.data.fence().places_outside(warm, &self.order));
        }
        let has_locator = self.put_locator()?;
        let filters = self.filters(has_locator);
        self.put_filters(&filters, Encoded::is_paged)?;
        let fence = self.data.fence().encode(&self.order)?;
        let has_leaves = !fence.leaves.is_empty();
        if has_leaves {
            self.file.put_region_of(Region::Leaves, kinds::FENCE, fence.leaves.iter().map(Vec::as_slice))?;
        }
        if let Some(dictionary) = self.data.dictionary() {
            self.file.put_region(Region::Dictionary, kinds::ZSTD_DICTIONARY, dictionary.bytes())?;
        }
        let EncodedFence { content, ties, .. } = fence;
        self.file.put_region(Region::Fence, if has_leaves { kinds::ROOT } else { kinds::FENCE }, &content)?;
        self.put_filters(&filters, |filter| !filter.is_paged())?;
        self.properties.blocks = self.data.fence().blocks() as u64;
        self.properties.fence_ties = ties;
        self.properties.min_key = self.first_key.clone();
        self.properties.max_key = self.last.key.as_slice().into();
        Ok(())
    }

    /// The locator, if there is to be one and the table can have it. It comes before all that readers need, who can do without.
    fn put_locator(&mut self) -> Result<bool> {
        let Some(places) = self.places.take() else { return Ok(false) };
        let bytes = self.buffer_bytes() + places.memory_bytes() + places.build_bytes();
        self.charge.grow_to(bytes as u64);
        let Some(locator) = places.encode(&self.hashes) else { return Ok(false) };
        self.file.put_region(Region::Locator, kinds::LOCATOR, &locator)?;
        Ok(true)
    }

    /// The filters that the table is to have.
    fn filters(&self, has_locator: bool) -> Vec<(Region, Encoded)> {
        let TableOptions { filter: kind, filter_bits_per_key, filter_bits_per_prefix, .. } = self.options;
        let mut filters = Vec::new();
        if filter_bits_per_key > 0 && !has_locator {
            self.charge_filter(self.hashes.len(), filter_bits_per_key);
            filters.push((Region::Filter, Filter::encode(kind, &self.hashes, filter_bits_per_key)));
        }
        if let Some(prefixes) = &self.prefixes {
            self.charge_filter(prefixes.len(), filter_bits_per_prefix);
            filters.push((Region::PrefixFilter, prefixes.encode(kind, filter_bits_per_prefix)));
        }
        filters
    }

    /// Those in pages come before all that every reader needs, who may leave their pages where they are; the others among it.
    fn put_filters(&mut self, filters: &[(Region, Encoded)], is_meant: impl Fn(&Encoded) -> bool) -> Result<()> {
        let meant = filters.iter().filter(|(_, filter)| is_meant(filter));
        meant.into_iter().try_for_each(|(region, filter)| self.file.put_region_of(*region, filter.kind, filter.frames()))
    }

    /// Holds the memory that building a filter over so many hashes takes, if it is not held yet.
    fn charge_filter(&self, hashes: usize, bits: u8) {
        let bytes = self.buffer_bytes() + Filter::build_bytes(self.options.filter, hashes, bits);
        self.charge.grow_to(bytes as u64);
    }

    /// Memory of the buffers that matter.
    fn buffer_bytes(&self) -> usize {
        let prefix_bytes = self.prefixes.as_ref().map_or(0, PrefixHashes::memory_bytes);
        let key_bytes = self.hashes.capacity() * size_of::<u64>() + self.places.as_ref().map_or(0, KeyPlaces::memory_bytes);
        self.file.pending_bytes() + self.data.memory_bytes() + key_bytes + prefix_bytes
    }

    /// Whether the row may follow, and whether its user key is a new one.
    fn check_row(&self, key: InternalKey<'_>, flags: RowFlags, value: &[u8]) -> Result<bool> {
        let key_len = key.user_key.len();
        if key_len == 0 || key_len > limits::KEY_BYTES_MAX {
            return Err(Error::invalid_input("key length").expected_found("1..=65535", key_len));
        }
        if value.len() > limits::VALUE_BYTES_MAX {
            let most = format!("at most {}", limits::VALUE_BYTES_MAX);
            return Err(Error::invalid_input("value length").expected_found(most, value.len()));
        }
        if key.seqno > seqno::SEQNO_MAX {
            return Err(Error::invalid_input("sequence number is too large").expected_found(seqno::SEQNO_MAX, key.seqno));
        }
        if flags.contains(RowFlags::EXPIRY) {
            return Err(Error::unsupported("rows with expiry are not written by this version"));
        }
        if self.properties.rows == 0 {
            return Ok(true);
        }
        match self.order.compare(&self.last.key, key.user_key) {
            Ordering::Less => Ok(true),
            Ordering::Equal if InternalKey::new(key.user_key, self.last.seqno, self.last.kind).compare_version(key).is_lt() => {
                Ok(false)
            }
            _ => Err(self.not_ascending(key)),
        }
    }

    #[cold]
    fn not_ascending(&self, key: InternalKey<'_>) -> Error {
        let last = InternalKey::new(&self.last.key, self.last.seqno, self.last.kind);
        Error::invalid_input(format!("rows of a table must ascend: {key:?} after {last:?}"))
    }

    fn add_checked(
        &mut self,
        key: InternalKey<'_>,
        flags: RowFlags,
        (value, digest): (&[u8], Option<u32>),
        is_new_key: bool,
    ) -> Result<()> {
        let mut stored = RowFlags(flags.0 & RowFlags::BLOB.0);
        if is_new_key {
            self.begin_key(key.user_key);
        } else if self.last.hides {
            stored = stored.with(RowFlags::OBSOLETE);
        }
        let mut row = RowParts { key, is_new_key, flags: stored, tag: tag_of(self.last.hash), expiry_us: 0, digest: 0, value };
        if self.options.row_digests {
            let what = RowFlags::digested(key.kind.tag() | stored.0);
            row.digest = digest.unwrap_or_else(|| row_digest(self.last.hash, what, value));
            row.flags = stored.with(RowFlags::DIGEST);
        }
        let target = self.options.block_bytes_target();
        let mut fit = self.builder.fit(&row);
        if !self.builder.is_empty() && fit.size > target {
            self.finish_block()?;
            fit = self.builder.fit(&row);
        }
        // Only now is it known in which block the key begins.
        if is_new_key && self.wants_hashes() {
            self.hashes.push(self.last.hash);
        }
        if self.builder.is_empty() {
            self.continues = !is_new_key;
            self.first_version = (key.seqno, key.kind);
        }
        // A longer row, which is then alone in its block, gets a jumbo block.
        if fit.size > SLOTTED_BYTES_MAX {
            self.add_jumbo(&row)?;
        } else {
            self.builder.add(&row, fit);
            self.block_bytes = fit.size;
        }
        self.count(key, row.flags, value.len(), is_new_key);
        Ok(())
    }

    /// A row of this user key comes next, which is another than the last one.
    #[inline]
    fn begin_key(&mut self, user_key: &[u8]) {
        self.last.hash = key_hash(self.options.hash_seed, user_key);
        self.last.hides = false;
        if let Some(prefixes) = &mut self.prefixes {
            prefixes.add(&self.last.key, user_key);
        }
    }

    fn wants_hashes(&self) -> bool {
        self.options.filter_bits_per_key > 0 || self.places.is_some()
    }

    #[inline]
    fn count(&mut self, key: InternalKey<'_>, flags: RowFlags, value_len: usize, is_new_key: bool) {
        if self.properties.rows == 0 {
            self.first_key = key.user_key.into();
        }
        self.properties.count_row(key.kind, is_new_key, flags.contains(RowFlags::BLOB));
        self.properties.key_bytes += key.user_key.len() as u64;
        self.properties.value_bytes += value_len as u64;
        self.properties.min_seqno = self.properties.min_seqno.min(key.seqno);
        self.properties.max_seqno = self.properties.max_seqno.max(key.seqno);
        if is_new_key {
            self.last.key.clear();
            self.last.key.extend_from_slice(key.user_key);
        }
        (self.last.seqno, self.last.kind) = (key.seqno, key.kind);
        self.last.hides |= matches!(key.kind, Kind::Value | Kind::Tombstone);
    }

    fn finish_block(&mut self) -> Result<()> {
        let note = self.note(self.builder.first_key().to_vec());
        self.block_bytes = 0;
        self.data.put(&mut self.file, note, &mut self.builder)?;
        self.charge.grow_to(self.buffer_bytes() as u64);
        Ok(())
    }

    fn add_jumbo(&mut self, row: &RowParts<'_>) -> Result<()> {
        let note = self.note(row.key.user_key.to_vec());
        self.data.put_jumbo(&mut self.file, note, row)?;
        self.charge.grow_to(self.buffer_bytes() as u64);
        Ok(())
    }

    /// Of the block that ends now.
    fn note(&mut self, first_key: Vec<u8>) -> BlockNote {
        if let Some(places) = &mut self.places {
            places.end_block(self.hashes.len(), self.continues);
        }
        BlockNote { first_key, first_version: self.first_version, continues: self.continues }
    }

    fn remember(&mut self, result: Result<()>) -> Result<()> {
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }
}

/// A table whose rows are written, but not what it says of itself.
#[derive(Debug)]
pub struct UnnumberedTable {
    header: FileHeader,
    file: FrameFile,
    properties: Properties,
}

impl UnnumberedTable {
    /// Gives the rows, which were added with 0, their sequence number, completes the file and syncs it. Making its name durable is the
    /// caller's. `InvalidInput` for a table that has numbers already.
    pub fn number(mut self, seqno: SeqNo) -> Result<TableMeta> {
        if self.properties.max_seqno > 0 || self.properties.range_tombstones > 0 || self.properties.removed_runs > 0 {
            return Err(Error::invalid_input("the rows have sequence numbers already"));
        }
        let Properties { min_seqno, max_seqno, global_seqno, .. } = &mut self.properties;
        (*min_seqno, *max_seqno, *global_seqno) = (seqno, seqno, seqno);
        self.close()
    }

    fn close(mut self) -> Result<TableMeta> {
        let properties = self.properties.encode();
        self.file.put_region(Region::Properties, kinds::FIELDS, &properties)?;
        let (root, file_bytes) = self.file.finish(&self.header)?;
        Ok(self.properties.meta(&self.header, file_bytes, root))
    }
}
