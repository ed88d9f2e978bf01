//! What a table says about itself, and the part of it that a manifest keeps.
//!
//! On disk a list of fields: `tag` varint, length varint, bytes. Numbers are eight bytes; a field that is absent is zero or
//! empty. The lowest bit of a tag says that a reader which does not know it must refuse the table; others are skipped.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use sediment_base::{Error, FileUuid, KeyOrder, KeyRange, Kind, RangeTombstones, Result, SeqNo, Slice, TableId};
use sediment_codec::{
    coding::{Reader, Writer},
    hash::ROW_DIGEST_VERSION,
    header::FileHeader,
};
use std::fmt;

/// What a manifest records of a table: enough to choose it, to plan with it, and to notice when its file is another one.
#[derive(Clone, Debug, PartialEq)]
pub struct TableMeta {
    /// Its number in the tree; names the file.
    pub id: TableId,
    /// The identity in its header.
    pub uuid: FileUuid,
    /// Length of the file.
    pub file_bytes: u64,
    /// The content root: a checksum over the checksums of all its frames.
    pub root: u64,
    /// All user keys, and those that range tombstones cover.
    pub range: KeyRange,
    /// Smallest sequence number of a row; 0 without rows.
    pub min_seqno: SeqNo,
    /// Largest sequence number of a row; 0 without rows.
    pub max_seqno: SeqNo,
    /// Rows of all kinds.
    pub rows: u64,
    /// Tombstones among them, weak ones included.
    pub tombstones: u64,
    /// Its range tombstones.
    pub ranges: RangeCounts,
    /// Its runs of removed keys.
    pub removed: RemovedCounts,
    /// Time of the oldest write inside, inherited through rewrites.
    pub oldest_write_us: u64,
}

/// The range tombstones of a table in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RangeCounts {
    /// How many.
    pub count: u64,
    /// Their smallest sequence number; 0 without any.
    pub min_seqno: SeqNo,
    /// Their largest; 0 without any.
    pub max_seqno: SeqNo,
}

/// The runs of removed keys of a table in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovedCounts {
    /// How many.
    pub count: u64,
    /// Who reads above finds nothing in them; 0 without any.
    pub seqno: SeqNo,
}

impl TableMeta {
    /// The largest sequence number of a row or range tombstone.
    #[inline]
    pub fn newest_seqno(&self) -> SeqNo {
        self.max_seqno.max(self.ranges.max_seqno)
    }

    /// The smallest sequence number of a row or range tombstone.
    #[inline]
    pub fn oldest_seqno(&self) -> SeqNo {
        match (self.rows, self.ranges.count) {
            (0, _) => self.ranges.min_seqno,
            (_, 0) => self.min_seqno,
            _ => self.min_seqno.min(self.ranges.min_seqno),
        }
    }
}

macro_rules! properties {
    ($($(#[$doc:meta])* $tag:literal $name:ident: $type:ty,)*) => {
        /// What a table says about itself.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Properties {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Properties {
            /// The bytes of the properties region.
            pub(crate) fn encode(&self) -> Vec<u8> {
                let mut out = Vec::new();
                $(if self.$name != <$type>::default() {
                    out.put_varint($tag);
                    self.$name.put_field(&mut out);
                })*
                out
            }

            /// Reads the bytes of the properties region.
            pub(crate) fn decode(payload: &[u8]) -> Result<Self> {
                let mut properties = Self::default();
                let mut reader = Reader::new(payload);
                while !reader.is_empty() {
                    let tag = reader.varint()?;
                    let at = reader.position() as u64;
                    let bytes = reader.length_prefixed()?;
                    match tag {
                        $($tag => properties.$name = <$type>::from_field(bytes).map_err(|error| error.at(at))?,)*
                        _ if tag & REQUIRED != 0 => return Err(unknown(tag)),
                        _ => {}
                    }
                }
                Ok(properties)
            }
        }

        impl fmt::Display for Properties {
            /// One field a line.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(if self.$name != <$type>::default() {
                    writeln!(f, "  {} {:?}", stringify!($name), self.$name)?;
                })*
                Ok(())
            }
        }
    };
}

properties! {
    /// Rows of all kinds.
    2 rows: u64,
    /// Rows that are values.
    4 values: u64,
    /// Rows that are tombstones.
    6 tombstones: u64,
    /// Rows that are weak tombstones.
    8 weak_tombstones: u64,
    /// Rows that are operands.
    10 operands: u64,
    /// Range tombstones.
    12 range_tombstones: u64,
    /// Distinct user keys.
    14 user_keys: u64,
    /// Data blocks.
    16 blocks: u64,
    /// Bytes of the user keys of all rows.
    18 key_bytes: u64,
    /// Bytes of the stored values of all rows.
    20 value_bytes: u64,
    /// Smallest sequence number of a row.
    22 min_seqno: u64,
    /// Largest sequence number of a row.
    24 max_seqno: u64,
    /// Smallest sequence number of a range tombstone.
    26 range_min_seqno: u64,
    /// Largest sequence number of a range tombstone.
    28 range_max_seqno: u64,
    /// Name of the order of user keys.
    30 comparator: String,
    /// Name of the extractor whose prefixes the prefix filter knows; empty where there is none.
    32 prefix_extractor: String,
    /// Seed of the key hash that lookups must bring.
    34 hash_seed: u64,
    /// Number of the key hash function. A reader must know it.
    37 hash_version: u64,
    /// Creation time in microseconds since 1970.
    38 created_us: u64,
    /// Time of the oldest write inside, inherited through rewrites.
    40 oldest_write_us: u64,
    /// Earliest expiry of a row. Reserved.
    42 min_expiry_us: u64,
    /// Latest expiry of a row. Reserved.
    44 max_expiry_us: u64,
    /// The guard that the table lies behind. Reserved.
    46 guard: Slice,
    /// Where the table was routed to. Reserved.
    48 route: Slice,
    /// Smallest user key, range tombstones included; empty where one has no start.
    50 min_key: Slice,
    /// Largest user key, range tombstones included; empty where one has no end.
    52 max_key: Slice,
    /// The sequence number of every row, where that was not yet known when they were written; stored with each row is 0 then. A reader
    /// must know it.
    55 global_seqno: u64,
    /// Rows that are references into blob files.
    56 blob_rows: u64,
    /// Neighbouring blocks whose first keys have the same head.
    58 fence_ties: u64,
    /// Who wrote it.
    60 writer: String,
    /// Not 0 where the largest user key is the end of a range tombstone, and itself lies outside.
    62 is_max_key_open: u64,
    /// Name of the codec that its blocks were compressed with, where it is none of ours. A reader must know it.
    65 block_codec: String,
    /// Number of the function of the digests that all rows have; 0 where they have none.
    66 row_digests: u64,
    /// Runs of removed keys.
    68 removed_runs: u64,
    /// Who reads above this sequence number finds nothing in them.
    70 removed_seqno: u64,
    /// How its blocks were to be compressed; empty if not at all. Each of them says how it was.
    72 compression: String,
}

const REQUIRED: u64 = 1;

impl Properties {
    /// Counts one row more.
    pub(crate) fn count_row(&mut self, kind: Kind, is_new_key: bool, is_blob: bool) {
        let count = match kind {
            Kind::Value => &mut self.values,
            Kind::Tombstone => &mut self.tombstones,
            Kind::WeakTombstone => &mut self.weak_tombstones,
            Kind::Operand => &mut self.operands,
        };
        *count = count.saturating_add(1);
        self.rows = self.rows.saturating_add(1);
        self.user_keys = self.user_keys.saturating_add(u64::from(is_new_key));
        self.blob_rows = self.blob_rows.saturating_add(u64::from(is_blob));
    }

    /// What a manifest records of the table that has these properties.
    pub(crate) fn meta(&self, header: &FileHeader, file_bytes: u64, root: u64) -> TableMeta {
        TableMeta {
            id: TableId(header.file_id),
            uuid: header.uuid,
            file_bytes,
            root,
            range: self.range(),
            min_seqno: self.min_seqno,
            max_seqno: self.max_seqno,
            rows: self.rows,
            tombstones: self.all_tombstones(),
            ranges: RangeCounts {
                count: self.range_tombstones,
                min_seqno: self.range_min_seqno,
                max_seqno: self.range_max_seqno,
            },
            removed: RemovedCounts { count: self.removed_runs, seqno: self.removed_seqno },
            oldest_write_us: self.oldest_write_us,
        }
    }

    /// Counts the range tombstones and widens the bounds, which so far are those of the rows, if there are any.
    pub(crate) fn count_ranges(&mut self, tombstones: &RangeTombstones, order: &KeyOrder) {
        let seqnos = || tombstones.iter().map(|tombstone| tombstone.seqno);
        self.range_tombstones = tombstones.len() as u64;
        self.range_min_seqno = seqnos().min().unwrap_or(0);
        self.range_max_seqno = seqnos().max().unwrap_or(0);
        let covered = tombstones.iter().map(|tombstone| KeyRange {
            min: tombstone.start.clone(),
            max: tombstone.end.clone(),
            is_open: true,
        });
        let of_rows = (self.rows > 0).then(|| self.range());
        if let Some(all) = of_rows.into_iter().chain(covered).reduce(|a, b| a.union(b, order)) {
            (self.min_key, self.max_key, self.is_max_key_open) = (all.min, all.max, all.is_open.into());
        }
    }

    /// The bounds of the table.
    pub(crate) fn range(&self) -> KeyRange {
        KeyRange { min: self.min_key.clone(), max: self.max_key.clone(), is_open: self.is_max_key_open != 0 }
    }

    /// Whether all rows have digests of the function that this version knows. Others are not looked at.
    pub fn has_digests(&self) -> bool {
        self.row_digests == u64::from(ROW_DIGEST_VERSION)
    }

    /// Tombstones of both kinds.
    pub(crate) fn all_tombstones(&self) -> u64 {
        self.tombstones.saturating_add(self.weak_tombstones)
    }
}

#[cold]
fn unknown(tag: u64) -> Error {
    Error::unsupported(format!("the table has property {tag}, which this version does not know; upgrade Sediment"))
}

trait Field: Sized {
    fn put_field(&self, out: &mut Vec<u8>);
    fn from_field(bytes: &[u8]) -> Result<Self>;
}

impl Field for u64 {
    fn put_field(&self, out: &mut Vec<u8>) {
        out.put_length_prefixed(&self.to_le_bytes());
    }

    fn from_field(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let value = reader.u64()?;
        reader.expect_end()?;
        Ok(value)
    }
}

impl Field for String {
    fn put_field(&self, out: &mut Vec<u8>) {
        out.put_length_prefixed(self.as_bytes());
    }

    fn from_field(bytes: &[u8]) -> Result<Self> {
        Self::from_utf8(bytes.to_vec()).map_err(|_| Error::corruption("a name is not UTF-8"))
    }
}

impl Field for Slice {
    fn put_field(&self, out: &mut Vec<u8>) {
        out.put_length_prefixed(self);
    }

    fn from_field(bytes: &[u8]) -> Result<Self> {
        Ok(bytes.into())
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests {
    use super::*;
    use sediment_base::ErrorKind;

    #[test]
    fn fields_come_back_and_strangers_are_skipped_or_refused() {
        let mut properties =
            Properties { rows: 9, comparator: "bytewise".into(), min_key: "a".into(), ..Properties::default() };
        properties.count_row(Kind::WeakTombstone, true, false);
        let mut bytes = properties.encode();
        assert_eq!(Properties::decode(&bytes).unwrap(), properties);
        bytes.put_varint(1000);
        bytes.put_length_prefixed(b"of a later version");
        assert_eq!(Properties::decode(&bytes).unwrap(), properties);
        for tag in [1001, 57] {
            let mut refused = bytes.clone();
            refused.put_varint(tag);
            refused.put_length_prefixed(b"");
            assert_eq!(Properties::decode(&refused).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}
