//! Every maximum of the engine, with its reason.

/// Longest user key, in bytes: lengths are stored in 16 bits in memtable records and in blocks.
pub const KEY_BYTES_MAX: usize = 65_535;

/// Longest bound of a range tombstone, in bytes: the key right behind the longest one has a byte more.
pub const RANGE_BOUND_BYTES_MAX: usize = KEY_BYTES_MAX + 1;

/// Longest value, in bytes. Values share a file with their keys, so the limit bounds one read and one allocation; it rises to
/// 4 GiB − 1 with separated values.
pub const VALUE_BYTES_MAX: usize = 64 << 20;

/// Largest plain size of a data block of many rows: offsets in a block are 16 bits wide.
pub const BLOCK_BYTES_MAX: usize = 64 << 10;

/// Values above this are stored in several frames, so that no single checksum or cipher message grows without bound.
pub const EXTENT_BYTES_MAX: usize = 4 << 20;

/// Largest stored size of one frame in a table or manifest: the longest value with its key in a block of its own. It caps what
/// an unverified length may make a reader allocate.
pub const FRAME_BYTES_MAX: usize = VALUE_BYTES_MAX + (1 << 20);

/// Largest compression dictionary, in bytes. It lies in each table that was written with it, and in memory while that is open.
pub const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// Largest encoded size of one write batch: its log records are replayed whole.
pub const BATCH_BYTES_MAX: usize = 256 << 20;

/// Longest keyspace name, in bytes of UTF-8: it travels in the catalog and in error messages.
pub const KEYSPACE_NAME_BYTES_MAX: usize = 255;

/// Ids and generations at or above this are not believed, wherever they are read: who counts on from one would run out. No
/// directory lives to see half of them.
pub const ID_END: u64 = 1 << 62;

/// Levels of a tree. Seven at a ratio of ten hold more than any disk.
pub const LEVELS_MAX: usize = 7;
