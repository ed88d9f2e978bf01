//! Settings of one keyspace, and what its tree is like under them.

use crate::options::{Components, Compression, FilterKind, FilterWidths, Goal, Residency, check::within};
use sediment_base::{Bytewise, Result, limits};
use sediment_tree::TreeOptions;
use std::{fmt, ops::RangeInclusive};

/// Settings of one keyspace. What is `None` follows the database: its [`ExpertOptions`](crate::ExpertOptions) where a number is
/// set there, else the goal.
///
/// They shape what is written from now on; what was written under others stays readable, and changes with its next compaction.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeyspaceOptions {
    /// What this keyspace is to be good at. How memory is divided follows the database's goal alone.
    pub goal: Option<Goal>,
    /// Size at which its active memtable is flushed, in bytes: 4 KiB to 4 GiB; the database's by default. A larger one means
    /// fewer rewrites, more memory, and more of the log to replay after a crash. Where memory for memtables or the log is used
    /// up before, it is flushed earlier.
    pub memtable_bytes: Option<usize>,
    /// Target size of a block, in bytes before compression: 256 to 65,536; by the goal by default. A larger one takes less
    /// space and memory beside its rows, a smaller one less time to read a single row.
    pub block_bytes: Option<usize>,
    /// How blocks are compressed; by the goal by default. Those of level 0, which are written by flushes and soon rewritten, are
    /// set apart.
    pub compression: Option<Compression>,
    /// How blocks of level 0 are compressed; by the goal by default.
    pub level0_compression: Option<Compression>,
    /// How large a dictionary may be that a table is compressed with, in bytes, where its blocks are compressed with Zstandard: 0 (none) to
    /// 1,048,576; by the goal by default. It holds what blocks have in common, is trained from the first of them, and lies in each
    /// table; one that would not make the table smaller is not used. Small blocks gain most: those of 4 KiB about a fifth.
    pub dictionary_bytes: Option<u32>,
    /// Name of a dictionary given to [`DbBuilder::dictionary`](crate::DbBuilder::dictionary), which is tried before any is trained; none
    /// by default. Tables hold the one they were written with, so that it is never needed to read them.
    pub dictionary: Option<String>,
    /// How filters of level 1 and below are built; by the goal by default. Those of level 0, which are written by flushes and soon
    /// rewritten, are Bloom filters.
    pub filter: Option<FilterKind>,
    /// Filter bits for each key: 0 (no filters) to 32; by the goal by default. At 10 bits of a Bloom filter, one in a hundred tables that
    /// do not hold a key is read for it; each bit more makes it a third less, of a BuRR filter a half less, and takes its space on disk
    /// and in memory.
    pub filter_bits_per_key: Option<u8>,
    /// Whether keys of all levels have these bits, or those of small levels more and those of large ones less; by the goal by default.
    pub filter_widths: Option<FilterWidths>,
    /// Whether tables under which nothing holds their keys, most of them in the last level, have a *locator* in place of a filter; no by
    /// default. It knows of each key in which block and where there it is: a read of one key finds it by one line of memory, instead of
    /// by filter, index and a search of the block. Costs five bytes for each key, on disk and in memory. A table that is opened when
    /// metadata has three tenths of the memory does without, and without a filter, until it is opened again.
    pub locators: Option<bool>,
    /// Whether filters are in memory while their tables are open; by what memory there is by default. A filter that is not takes next to none,
    /// and a read of a key costs up to one read of 4 KiB for each table that it asks, unless that part of the filter is cached. Tables
    /// that are open stay as they are.
    pub filter_residency: Option<Residency>,
    /// Whether fences, which have the first key of each block, are in memory while their tables are open; by what memory there is by default. Of
    /// one that is not, memory has only where its parts lie, and a read of a key costs up to one more read of the file for each table in
    /// which it looks for a block, unless that part of the fence is cached. Scans and compactions read the parts that they come by. Tables
    /// that are open stay as they are.
    pub fence_residency: Option<Residency>,
    /// Whether each row gets a checksum of its own when it is written, which goes with it from the memtable to the last level and is checked
    /// whenever the row is read or rewritten; no by default. What memory has changed in between is then found: reads, flushes and
    /// compactions that come to it fail with `Corruption`, and it is neither returned nor written on. Costs four bytes a row, and a few
    /// per cent of the time of reads and writes. Rows written before get theirs when they are rewritten; memtables begin with it at
    /// their next flush.
    pub entry_checksums: Option<bool>,
    /// Which prefixes of keys tables have a filter of as well, by name: `fixed-<length>` for the first bytes of a key (`fixed-8`),
    /// `delimited-<byte in hexadecimal>-<count>` for a key through each of its first delimiters (`delimited-2f-1`: through the first
    /// `/`), or one given to [`DbBuilder::prefix_extractor`](crate::DbBuilder::prefix_extractor); none by default. A scan of a prefix,
    /// or of a range within one, then passes over tables without it, at `filter_bits_per_key` bits for each prefix. It never changes
    /// what a scan finds. Keyspaces with a comparator have none.
    pub prefix_extractor: Option<String>,
    /// Name of the filter that has a say in which rows compactions keep, given to
    /// [`DbBuilder::compaction_filter`](crate::DbBuilder::compaction_filter); none by default. Where the database is opened without it,
    /// everything is kept.
    pub compaction_filter: Option<String>,
    /// Target size of a table, in bytes: 1 KiB to 4 GiB; a quarter of `level_base_bytes` by default, within 1 to 64 MiB. Small
    /// tables make short compactions and many files, large ones the other way round.
    pub table_bytes: Option<u64>,
    /// Which compactions are due, by the name of a strategy; `leveled` by default. Any of them goes on with what another left.
    ///
    /// - `leveled`: reads meet few runs, and little of what is on disk is obsolete.
    /// - `lazy`: collects in tiers what is written, up to a fifth of the rest (`lazy-40`: to 40 %; 1 to 255), and merges it part by part:
    ///   about half of the writing of `leveled`, and reads meet half as many runs again.
    /// - `tiered`: merges `level0_trigger` runs once they are of like size: each row is rewritten seldom, but reads meet up to so many runs of
    ///   each size, and what is obsolete may take twice the space of the rest.
    /// - `fifo-<bytes>`: merges nothing, and keeps the newest tables, as many as fit into so many bytes; `fifo-<bytes>-<seconds>` none with
    ///   a write that is older than that. The rest is forgotten, for whoever begins to read afterwards.
    /// - one given to [`DbBuilder::strategy`](crate::DbBuilder::strategy).
    pub strategy: Option<String>,
    /// Runs in level 0 that start a compaction: 1 to 1000; by the goal by default. More mean fewer rewrites and slower reads. While writers
    /// are busy, `leveled` waits for twice as many.
    pub level0_trigger: Option<usize>,
    /// How many times larger each level is than the one above: 2 to 100; by the goal by default. A larger ratio leaves less
    /// that is obsolete on disk (one part in ratio − 1) and rewrites each row more often.
    pub level_ratio: Option<u64>,
    /// Bytes that level 0 is taken to bring at once: 1 KiB to 16 TiB; by default what it holds when it is due, which is `level0_trigger`
    /// times `memtable_bytes`. The level that it is merged into is to hold up to `level_ratio` times as many; a tree that is larger has more
    /// levels, each `level_ratio` times the one above. With less than level 0 brings there are levels that save no writing.
    pub level_base_bytes: Option<u64>,
    /// Name of the operator of [`merge`](crate::Keyspace::merge): `add`, `append`, `max`, or one given to
    /// [`DbBuilder::merge_operator`](crate::DbBuilder::merge_operator); none by default. Chosen when the keyspace is made, and for
    /// good.
    pub merge_operator: Option<String>,
    /// Name of the order of keys, given to [`DbBuilder::comparator`](crate::DbBuilder::comparator); that of bytes by default. Chosen
    /// when the keyspace is made, and for good.
    pub comparator: Option<String>,
}

const MEMTABLE_BYTES: RangeInclusive<u64> = 4 << 10..=4 << 30;
const BLOCK_BYTES: RangeInclusive<u64> = 256..=limits::BLOCK_BYTES_MAX as u64;
const DICTIONARY_BYTES: RangeInclusive<u64> = 0..=limits::DICTIONARY_BYTES_MAX as u64;
const FILTER_BITS_PER_KEY: RangeInclusive<u64> = 0..=32;
const TABLE_BYTES: RangeInclusive<u64> = 1 << 10..=4 << 30;
const LEVEL0_TRIGGER: RangeInclusive<u64> = 1..=1000;
const LEVEL_RATIO: RangeInclusive<u64> = 2..=100;
const LEVEL_BASE_BYTES: RangeInclusive<u64> = 1 << 10..=16 << 40;
const NAME_BYTES: RangeInclusive<u64> = 1..=255;

/// Where a table's size goes by itself.
const TABLE_BYTES_DERIVED: RangeInclusive<u64> = 1 << 20..=64 << 20;

impl KeyspaceOptions {
    /// Whether each number is within its range; `owner` goes before its name in errors.
    pub(crate) fn validate(&self, owner: &str) -> Result<()> {
        let Self {
            goal: _,
            memtable_bytes,
            block_bytes,
            compression: _,
            level0_compression: _,
            dictionary_bytes,
            dictionary,
            filter: _,
            filter_bits_per_key,
            filter_widths: _,
            locators: _,
            filter_residency: _,
            fence_residency: _,
            entry_checksums: _,
            prefix_extractor,
            compaction_filter,
            table_bytes,
            strategy,
            level0_trigger,
            level_ratio,
            level_base_bytes,
            merge_operator,
            comparator,
        } = self;
        let check = |name: &str, value: Option<u64>, range: &RangeInclusive<u64>, unit: &str| match value {
            Some(value) => {
                within(format_args!("{owner}{name}"), value, range, unit, "choose one of these, or None to follow the goal")
            }
            None => Ok(()),
        };
        check("memtable_bytes", memtable_bytes.map(|bytes| bytes as u64), &MEMTABLE_BYTES, "bytes")?;
        check("block_bytes", block_bytes.map(|bytes| bytes as u64), &BLOCK_BYTES, "bytes")?;
        check("dictionary_bytes", dictionary_bytes.map(u64::from), &DICTIONARY_BYTES, "bytes")?;
        check("filter_bits_per_key", filter_bits_per_key.map(u64::from), &FILTER_BITS_PER_KEY, "bits")?;
        check("table_bytes", *table_bytes, &TABLE_BYTES, "bytes")?;
        check("level0_trigger", level0_trigger.map(|runs| runs as u64), &LEVEL0_TRIGGER, "runs")?;
        check("level_ratio", *level_ratio, &LEVEL_RATIO, "times")?;
        check("level_base_bytes", *level_base_bytes, &LEVEL_BASE_BYTES, "bytes")?;
        let name_bytes = |name: &Option<String>| name.as_ref().map(|name| name.len() as u64);
        check("length of dictionary", name_bytes(dictionary), &NAME_BYTES, "bytes")?;
        check("length of prefix_extractor", name_bytes(prefix_extractor), &NAME_BYTES, "bytes")?;
        check("length of compaction_filter", name_bytes(compaction_filter), &NAME_BYTES, "bytes")?;
        check("length of strategy", name_bytes(strategy), &NAME_BYTES, "bytes")?;
        check("length of merge_operator", name_bytes(merge_operator), &NAME_BYTES, "bytes")?;
        check("length of comparator", name_bytes(comparator), &NAME_BYTES, "bytes")
    }

    /// Whether keys are in the order of bytes.
    pub(crate) fn is_bytewise(&self) -> bool {
        self.comparator.as_deref().is_none_or(|name| name == Bytewise::NAME)
    }

    /// These, and where something is open, `others`.
    pub(super) fn or(&self, others: &Self) -> Self {
        Self {
            goal: self.goal.or(others.goal),
            memtable_bytes: self.memtable_bytes.or(others.memtable_bytes),
            block_bytes: self.block_bytes.or(others.block_bytes),
            compression: self.compression.or(others.compression),
            level0_compression: self.level0_compression.or(others.level0_compression),
            dictionary_bytes: self.dictionary_bytes.or(others.dictionary_bytes),
            dictionary: self.dictionary.clone(),
            filter: self.filter.or(others.filter),
            filter_bits_per_key: self.filter_bits_per_key.or(others.filter_bits_per_key),
            filter_widths: self.filter_widths.or(others.filter_widths),
            locators: self.locators.or(others.locators),
            filter_residency: self.filter_residency.or(others.filter_residency),
            fence_residency: self.fence_residency.or(others.fence_residency),
            entry_checksums: self.entry_checksums.or(others.entry_checksums),
            prefix_extractor: self.prefix_extractor.clone(),
            compaction_filter: self.compaction_filter.clone(),
            strategy: self.strategy.clone(),
            table_bytes: self.table_bytes.or(others.table_bytes),
            level0_trigger: self.level0_trigger.or(others.level0_trigger),
            level_ratio: self.level_ratio.or(others.level_ratio),
            level_base_bytes: self.level_base_bytes.or(others.level_base_bytes),
            merge_operator: self.merge_operator.clone(),
            comparator: self.comparator.clone(),
        }
    }
}

/// Prints what is set, and nothing else.
impl fmt::Debug for KeyspaceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("KeyspaceOptions");
        let fields: [(&str, Option<&dyn fmt::Debug>); 23] = [
            ("goal", self.goal.as_ref().map(|goal| goal as _)),
            ("memtable_bytes", self.memtable_bytes.as_ref().map(|bytes| bytes as _)),
            ("block_bytes", self.block_bytes.as_ref().map(|bytes| bytes as _)),
            ("compression", self.compression.as_ref().map(|compression| compression as _)),
            ("level0_compression", self.level0_compression.as_ref().map(|compression| compression as _)),
            ("dictionary_bytes", self.dictionary_bytes.as_ref().map(|bytes| bytes as _)),
            ("dictionary", self.dictionary.as_ref().map(|name| name as _)),
            ("filter", self.filter.as_ref().map(|kind| kind as _)),
            ("filter_bits_per_key", self.filter_bits_per_key.as_ref().map(|bits| bits as _)),
            ("filter_widths", self.filter_widths.as_ref().map(|widths| widths as _)),
            ("locators", self.locators.as_ref().map(|is_on| is_on as _)),
            ("filter_residency", self.filter_residency.as_ref().map(|residency| residency as _)),
            ("fence_residency", self.fence_residency.as_ref().map(|residency| residency as _)),
            ("entry_checksums", self.entry_checksums.as_ref().map(|is_on| is_on as _)),
            ("prefix_extractor", self.prefix_extractor.as_ref().map(|name| name as _)),
            ("compaction_filter", self.compaction_filter.as_ref().map(|name| name as _)),
            ("table_bytes", self.table_bytes.as_ref().map(|bytes| bytes as _)),
            ("strategy", self.strategy.as_ref().map(|name| name as _)),
            ("level0_trigger", self.level0_trigger.as_ref().map(|runs| runs as _)),
            ("level_ratio", self.level_ratio.as_ref().map(|ratio| ratio as _)),
            ("level_base_bytes", self.level_base_bytes.as_ref().map(|bytes| bytes as _)),
            ("merge_operator", self.merge_operator.as_ref().map(|name| name as _)),
            ("comparator", self.comparator.as_ref().map(|name| name as _)),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                out.field(name, value);
            }
        }
        out.finish()
    }
}

/// What a keyspace's tree is like: every number decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) goal: Goal,
    pub(crate) memtable_bytes: usize,
    pub(crate) block_bytes: usize,
    pub(crate) compression: Compression,
    pub(crate) level0_compression: Compression,
    pub(crate) dictionary_bytes: u32,
    pub(crate) filter: FilterKind,
    pub(crate) filter_bits_per_key: u8,
    pub(crate) filter_widths: FilterWidths,
    pub(crate) locators: bool,
    pub(crate) filter_residency: Residency,
    pub(crate) fence_residency: Residency,
    pub(crate) entry_checksums: bool,
    pub(crate) table_bytes: u64,
    pub(crate) level0_trigger: usize,
    pub(crate) level_ratio: u64,
    pub(crate) level_base_bytes: u64,
}

impl Shape {
    /// What was set, and the goal's numbers where nothing was.
    pub(super) fn resolve(set: &KeyspaceOptions, goal: Goal, memtable_share: usize) -> Self {
        let profile = goal.profile();
        let memtable_bytes = set.memtable_bytes.unwrap_or(memtable_share);
        let level0_trigger = set.level0_trigger.unwrap_or(profile.level0_trigger);
        let level0_bytes = (memtable_bytes as u64).saturating_mul(level0_trigger as u64);
        let level_base_bytes = set.level_base_bytes.unwrap_or(level0_bytes);
        let table_bytes = (level_base_bytes / 4).clamp(*TABLE_BYTES_DERIVED.start(), *TABLE_BYTES_DERIVED.end());
        Self {
            goal,
            memtable_bytes,
            block_bytes: set.block_bytes.unwrap_or(profile.block_bytes),
            compression: set.compression.unwrap_or(profile.compression),
            level0_compression: set.level0_compression.unwrap_or(profile.level0_compression),
            dictionary_bytes: set.dictionary_bytes.unwrap_or(profile.dictionary_bytes),
            filter: set.filter.unwrap_or(profile.filter),
            filter_bits_per_key: set.filter_bits_per_key.unwrap_or(profile.filter_bits_per_key),
            filter_widths: set.filter_widths.unwrap_or(profile.filter_widths),
            locators: set.locators.unwrap_or(false),
            filter_residency: set.filter_residency.unwrap_or(Residency::ByBudget),
            fence_residency: set.fence_residency.unwrap_or(Residency::ByBudget),
            entry_checksums: set.entry_checksums.unwrap_or(false),
            table_bytes: set.table_bytes.unwrap_or(table_bytes),
            level0_trigger,
            level_ratio: set.level_ratio.unwrap_or(profile.level_ratio),
            level_base_bytes,
        }
    }

    /// As settings, every number of which is there, with the names of a keyspace's own.
    pub(crate) fn as_options(&self, own: &KeyspaceOptions) -> KeyspaceOptions {
        KeyspaceOptions {
            goal: Some(self.goal),
            memtable_bytes: Some(self.memtable_bytes),
            block_bytes: Some(self.block_bytes),
            compression: Some(self.compression),
            level0_compression: Some(self.level0_compression),
            dictionary_bytes: Some(self.dictionary_bytes),
            dictionary: own.dictionary.clone(),
            filter: Some(self.filter),
            filter_bits_per_key: Some(self.filter_bits_per_key),
            filter_widths: Some(self.filter_widths),
            locators: Some(self.locators),
            filter_residency: Some(self.filter_residency),
            fence_residency: Some(self.fence_residency),
            entry_checksums: Some(self.entry_checksums),
            prefix_extractor: own.prefix_extractor.clone(),
            compaction_filter: own.compaction_filter.clone(),
            strategy: own.strategy.clone(),
            table_bytes: Some(self.table_bytes),
            level0_trigger: Some(self.level0_trigger),
            level_ratio: Some(self.level_ratio),
            level_base_bytes: Some(self.level_base_bytes),
            merge_operator: own.merge_operator.clone(),
            comparator: own.comparator.clone(),
        }
    }

    /// The settings of the tree, with these components.
    pub(super) fn tree_options(&self, named: &Components, components: &TreeOptions) -> TreeOptions {
        TreeOptions {
            block_bytes: self.block_bytes,
            codec: named.method(self.compression),
            level0_codec: named.method(self.level0_compression),
            dictionary_bytes: self.dictionary_bytes as usize,
            filter: self.filter.into(),
            level0_filter: FilterKind::SplitBlock.into(),
            filter_bits_per_key: self.filter_bits_per_key,
            filter_widths: self.filter_widths.into(),
            locators: self.locators,
            filter_residency: self.filter_residency.by_level(components.filter_residency),
            fence_residency: self.fence_residency.by_level(components.fence_residency),
            entry_checksums: self.entry_checksums,
            table_bytes: self.table_bytes,
            level0_trigger: self.level0_trigger,
            level_ratio: self.level_ratio,
            level_base_bytes: self.level_base_bytes,
            ..components.clone()
        }
    }
}
