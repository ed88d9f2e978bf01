//! Settings and components of one tree.
//!
//! Settings shape what is written from now on, and may change while a tree is open; files written under others stay readable.
//! Key order and merge operator are part of the tree: their names are stored, and opening under another is refused.

use sediment_base::{
    BlockCodec, CompactionFilterFactory, Error, KeyOrder, Listeners, MemoryBudget, MergeOperator, PrefixExtractor, Result,
    SeqNo, Stats, block_codec, limits,
};
use sediment_codec::compress::{Dictionary, Method};
use sediment_table::{BlockCache, FilterKind, Residency};
use std::{fmt, ops::RangeInclusive, sync::Arc};

/// Settings and components of one tree.
#[derive(Clone, Debug)]
pub struct TreeOptions {
    /// The order of user keys.
    pub order: KeyOrder,
    /// How operands become values; without one they cannot be written or read.
    pub merge_operator: Option<Arc<dyn MergeOperator>>,
    /// Without a merge operator, whether a read of a key whose newest row is an operand gives this operand as it is. Otherwise the
    /// read fails. Rewrites keep all operands in either case.
    pub reads_raw_operands: bool,
    /// Target plain size of a data block.
    pub block_bytes: usize,
    /// How blocks are compressed.
    pub codec: Method,
    /// How those that flushes write are, which are soon rewritten.
    pub level0_codec: Method,
    /// How large a dictionary may be that a table is compressed with, where its codec is Zstandard; 0 for none. It is trained from the
    /// table's first blocks, or from those of a table written just before, and lies in each table. One that would not make the table
    /// smaller is not used.
    pub dictionary_bytes: usize,
    /// One that is tried before any is trained.
    pub dictionary: Option<Arc<Dictionary>>,
    /// Codecs that do not come with Sediment: those that `codec` and `level0_codec` may be, and those of tables that are there.
    pub codecs: Arc<[Arc<dyn BlockCodec>]>,
    /// How filters are built.
    pub filter: FilterKind,
    /// How those of tables are that flushes write.
    pub level0_filter: FilterKind,
    /// Filter bits per key, and per prefix; 0 builds no filters.
    pub filter_bits_per_key: u8,
    /// Which runs have those bits per key.
    pub filter_widths: FilterWidths,
    /// Whether tables under which nothing holds their keys have a locator in place of a filter: some five bytes a key, by which a point read
    /// finds block and row at once. A table of more blocks and rows than a locator can tell apart has a filter.
    pub locators: bool,
    /// Whether the filters of the tables of each level are in memory while these are open. A table stays as it was opened, wherever it moves.
    pub filter_residency: [Residency; limits::LEVELS_MAX],
    /// Whether the fences of the tables of each level are, in the same way.
    pub fence_residency: [Residency; limits::LEVELS_MAX],
    /// Which prefixes tables have a filter of, beside that of keys: scans pass over tables where theirs does not occur. With the order of
    /// bytes alone. May change like any setting: a table is asked if it names an extractor that comes along, or the one given when the
    /// tree was opened.
    pub prefix_extractor: Option<Arc<dyn PrefixExtractor>>,
    /// Whether each row gets a digest of its own when it is written, which goes with it from memory to the last level and is checked wherever
    /// the row is read or rewritten: bits that turn over in memory are found, and neither returned nor written on. Four bytes a row. Rows
    /// that have none, of memtables and tables that were begun without this, get one when they are rewritten.
    pub entry_checksums: bool,
    /// Has a say in which rows compactions keep. Of several compactions each asks a filter of its own.
    pub compaction_filter: Option<Arc<dyn CompactionFilterFactory>>,
    /// Target size of a table file.
    pub table_bytes: u64,
    /// Sublevels of level 0 at which it is merged into the first of the other levels that is in use.
    pub level0_trigger: usize,
    /// How many times larger each level is than the one above.
    pub level_ratio: u64,
    /// What level 0 brings at once, which is `level0_trigger` memtables: the first of the other levels is to have up to `level_ratio` times
    /// as much, and there are as many levels below it as that takes.
    pub level_base_bytes: u64,
    /// Tombstones from which on a table is rewritten for them alone, where they are at least half of its rows: until then, scans step
    /// over what they hide.
    pub tombstones_due: u64,
    /// Bytes of input from which on a compaction into a deep level leaves nothing in the memory of the operating system that would push out
    /// what others need there: of what it reads and writes only the blocks stay that readers want. `u64::MAX` for never.
    pub cold_input_bytes: u64,
    /// So many keys removed one behind the other, that a flush meets, are worth asking whether anything is left between them; and so many rows
    /// that nobody sees, worth noting in the table, so that scans pass over them at once.
    pub removed_run_rows: u64,
    /// Where blocks are kept; shared by all trees of a database.
    pub cache: Arc<BlockCache>,
    /// Counts what happens; shared by all trees of a database.
    pub stats: Arc<Stats>,
    /// Is charged for memtables, open tables and the buffers of rewrites; shared by all trees of a database.
    pub budget: Arc<MemoryBudget>,
    /// Are told of tables made and removed.
    pub listeners: Arc<Listeners>,
    /// Who has files removed that nothing needs any more. With none, whoever changes the version or ends a scan does it.
    pub reclaimer: Option<Arc<dyn Reclaimer>>,
    /// Where the changes of the tree's structure take seqnos, as [`Retention::Watermark`](crate::Retention::Watermark) needs it. With
    /// none they take none.
    pub seqno_source: Option<Arc<dyn SeqnoSource>>,
}

/// How bits of filters are divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FilterWidths {
    /// Each key has as many.
    #[default]
    Uniform,
    /// Each key has as many in the mean. In small runs, which lie above, one has more, so that of the keys that are not there as few as possible
    /// are looked for in vain. What flushes and compactions write is given its width by the runs that are there when they
    /// begin, what is ingested the mean.
    ByLevel,
}

/// Has files removed in the background.
pub trait Reclaimer: Send + Sync + fmt::Debug {
    /// Files wait for [`Tree::reclaim_one`](crate::Tree::reclaim_one). Told where a reader has let go of them, so it must be short, and not
    /// call the tree itself.
    fn wanted(&self);
}

/// Gives seqnos to rows and to the changes of a tree's structure alike.
///
/// Every row takes its seqno from the same source as the tree: a flush, compaction, ingestion or clear that shows something new
/// takes one as well, its *stamp*. Reads above the stamp find what it made, reads at or below go on finding what was there before. So
/// the numbers must tell what was first: each is above all that were given before, and above every row of the tree when it is opened.
///
/// Called with locks of the tree held, so both must be short, and not call the tree itself.
pub trait SeqnoSource: Send + Sync + fmt::Debug {
    /// The next number. It is never given again.
    fn next(&self) -> SeqNo;

    /// What took the number below `seqno` is in place, so that new reads may be at `seqno` or above. Where one thread writes and
    /// changes the tree, this raises what is visible to at least `seqno`; where several do, nothing becomes visible before all that
    /// took lower numbers are in place.
    fn show(&self, seqno: SeqNo);
}

impl TreeOptions {
    /// The defaults, over this cache and its budget, with statistics of its own and nobody listening.
    pub fn new(cache: Arc<BlockCache>) -> Self {
        let budget = Arc::clone(cache.budget());
        Self {
            order: KeyOrder::bytewise(),
            merge_operator: None,
            reads_raw_operands: false,
            block_bytes: 4096,
            codec: Method::None,
            level0_codec: Method::None,
            dictionary_bytes: 0,
            dictionary: None,
            codecs: Arc::default(),
            filter: FilterKind::SplitBlock,
            level0_filter: FilterKind::SplitBlock,
            filter_bits_per_key: 10,
            filter_widths: FilterWidths::default(),
            locators: false,
            filter_residency: METADATA_RESIDENCY,
            fence_residency: METADATA_RESIDENCY,
            prefix_extractor: None,
            entry_checksums: false,
            compaction_filter: None,
            table_bytes: 32 << 20,
            level0_trigger: 4,
            level_ratio: 10,
            level_base_bytes: 128 << 20,
            tombstones_due: 10_000,
            cold_input_bytes: u64::MAX,
            removed_run_rows: 4096,
            cache,
            stats: Arc::default(),
            budget,
            listeners: Arc::default(),
            reclaimer: None,
            seqno_source: None,
        }
    }

    /// Whether the settings make sense together.
    pub fn validate(&self) -> Result<()> {
        let Self {
            order,
            merge_operator,
            reads_raw_operands: _,
            block_bytes,
            codec: _,
            level0_codec: _,
            dictionary_bytes,
            dictionary: _,
            codecs,
            filter: _,
            level0_filter: _,
            filter_bits_per_key,
            filter_widths: _,
            locators: _,
            filter_residency: _,
            fence_residency: _,
            prefix_extractor,
            entry_checksums: _,
            compaction_filter: _,
            table_bytes,
            level0_trigger,
            level_ratio,
            level_base_bytes,
            tombstones_due,
            cold_input_bytes: _,
            removed_run_rows,
            cache: _,
            stats: _,
            budget: _,
            listeners: _,
            reclaimer: _,
            seqno_source: _,
        } = self;
        let names = [
            ("name of the key order", Some(order.name())),
            ("name of the merge operator", merge_operator.as_ref().map(|operator| operator.name())),
            ("name of the prefix extractor", prefix_extractor.as_ref().map(|extractor| extractor.name())),
        ];
        for (what, name) in names {
            require(name.is_none_or(|name| NAME_BYTES.contains(&name.len())), what, "1 to 255 bytes long")?;
        }
        codecs.iter().try_for_each(|codec| block_codec::check(&**codec))?;
        self.check_codecs(codecs)?;
        require(*dictionary_bytes <= limits::DICTIONARY_BYTES_MAX, "dictionary_bytes", "0 to 1048576")?;
        let has_prefixes = order.is_lexicographic() || prefix_extractor.is_none();
        require(has_prefixes, "prefix_extractor", "None where keys are not in the order of bytes")?;
        require((256..=limits::BLOCK_BYTES_MAX).contains(block_bytes), "block_bytes", "256 to 65536")?;
        require(*filter_bits_per_key <= 32, "filter_bits_per_key", "0 to 32")?;
        require(*table_bytes > 0, "table_bytes", "at least 1")?;
        require(*level0_trigger > 0, "level0_trigger", "at least 1")?;
        require(*level_ratio > 1, "level_ratio", "at least 2")?;
        require(*level_base_bytes > 0, "level_base_bytes", "at least 1")?;
        require(*tombstones_due > 0, "tombstones_due", "at least 1")?;
        require(*removed_run_rows > 0, "removed_run_rows", "at least 1")
    }

    /// Refuses to write with a codec that is not among these, which tables are read with.
    pub(crate) fn check_codecs(&self, codecs: &[Arc<dyn BlockCodec>]) -> Result<()> {
        let is_among = |wanted: &Arc<dyn BlockCodec>| {
            codecs.iter().any(|codec| (codec.id(), codec.name()) == (wanted.id(), wanted.name()))
        };
        let is_known = |method: &Method| match method {
            Method::Other(codec) => is_among(codec),
            _ => true,
        };
        require(is_known(&self.codec) && is_known(&self.level0_codec), "codec", "one of those given as codecs")
    }

    /// These components under the settings of others.
    pub(crate) fn with_settings_of(&self, others: &Self) -> Self {
        Self {
            block_bytes: others.block_bytes,
            codec: others.codec.clone(),
            level0_codec: others.level0_codec.clone(),
            dictionary_bytes: others.dictionary_bytes,
            dictionary: others.dictionary.clone(),
            filter: others.filter,
            level0_filter: others.level0_filter,
            filter_bits_per_key: others.filter_bits_per_key,
            filter_widths: others.filter_widths,
            locators: others.locators,
            filter_residency: others.filter_residency,
            fence_residency: others.fence_residency,
            prefix_extractor: others.prefix_extractor.clone(),
            entry_checksums: others.entry_checksums,
            compaction_filter: others.compaction_filter.clone(),
            table_bytes: others.table_bytes,
            level0_trigger: others.level0_trigger,
            level_ratio: others.level_ratio,
            level_base_bytes: others.level_base_bytes,
            tombstones_due: others.tombstones_due,
            cold_input_bytes: others.cold_input_bytes,
            removed_run_rows: others.removed_run_rows,
            ..self.clone()
        }
    }

    /// Size at which level 0 is due, however few sublevels it has: those of flushes that do not overlap are never many. Twice what it
    /// brings at once, so that it is not reached before the trigger by flushes that do.
    pub(crate) fn level0_bytes_max(&self) -> u64 {
        self.level_base_bytes.saturating_mul(2)
    }

    /// Bytes that a table has at least before a guard ends it; less where tables are small themselves.
    pub(crate) fn guarded_bytes_min(&self) -> u64 {
        GUARDED_BYTES_MIN.min(self.table_bytes / GUARDED_PER_TABLE_MAX)
    }
}

/// What is written now and read most stays in memory, where it is little; the rest as far as there is room.
const METADATA_RESIDENCY: [Residency; limits::LEVELS_MAX] = {
    let mut levels = [Residency::ByBudget; limits::LEVELS_MAX];
    (levels[0], levels[1]) = (Residency::Resident, Residency::Resident);
    levels
};
const NAME_BYTES: RangeInclusive<usize> = 1..=255;
const GUARDED_BYTES_MIN: u64 = 2 << 20;
/// How many tables that end at guards make up one of full size at least.
const GUARDED_PER_TABLE_MAX: u64 = 16;

fn require(holds: bool, option: &str, range: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::invalid_input(format!("{option} must be {range}"))) }
}
