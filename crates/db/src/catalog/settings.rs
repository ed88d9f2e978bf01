//! The settings of a keyspace as bytes: tagged fields, a number or a name each; what was not set is not there.
//!
//! They follow at the end of the log's records and of the catalog, so that a keyspace without settings takes no byte for them.
//! Even tags are of what shapes files: who does not know one can read what was written under it. Odd ones are of what keys and operands
//! mean.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::options::{Compression, FilterKind, FilterWidths, Goal, KeyspaceOptions, Residency};
use sediment_base::{Error, ErrorKind, Result, block_codec};
use sediment_codec::{
    coding::{Reader, Writer},
    compress::ZstdLevel,
    fields::{put_field, read_fields},
};

const GOAL: u64 = 2;
const MEMTABLE_BYTES: u64 = 4;
const BLOCK_BYTES: u64 = 6;
const FILTER_BITS_PER_KEY: u64 = 8;
const TABLE_BYTES: u64 = 10;
const LEVEL0_TRIGGER: u64 = 12;
const LEVEL_RATIO: u64 = 14;
const LEVEL_BASE_BYTES: u64 = 16;
const COMPRESSION: u64 = 18;
const LEVEL0_COMPRESSION: u64 = 20;
const PREFIX_EXTRACTOR: u64 = 22;
const MERGE_OPERATOR: u64 = 23;
const STRATEGY: u64 = 24;
const FILTER: u64 = 26;
const COMPARATOR: u64 = 25;
const COMPACTION_FILTER: u64 = 28;
const DICTIONARY_BYTES: u64 = 30;
const DICTIONARY: u64 = 32;
const FILTER_WIDTHS: u64 = 34;
const ENTRY_CHECKSUMS: u64 = 36;
const LOCATORS: u64 = 38;
const FILTER_RESIDENCY: u64 = 40;
const FENCE_RESIDENCY: u64 = 42;

/// The goals by their numbers on disk.
const GOALS: [(u64, Goal); 3] = [(1, Goal::Balanced), (2, Goal::Write), (3, Goal::Space)];

/// The compressions by theirs, but for those that hold a number: that is in the lowest byte.
const COMPRESSIONS: [(u64, Compression); 2] = [(1, Compression::None), (2, Compression::Lz4)];
const ZSTD: u64 = 0x100;
const OTHER_CODEC: u64 = 0x200;

/// The kinds of filters by theirs.
const FILTERS: [(u64, FilterKind); 2] = [(1, FilterKind::SplitBlock), (2, FilterKind::Burr)];

/// How their bits are divided, by theirs.
const WIDTHS: [(u64, FilterWidths); 2] = [(1, FilterWidths::Uniform), (2, FilterWidths::ByLevel)];

/// Where filters and fences are, by theirs.
const RESIDENCIES: [(u64, Residency); 3] = [(1, Residency::ByBudget), (2, Residency::Resident), (3, Residency::Paged)];

/// What is on or off, by theirs.
const SWITCHES: [(u64, bool); 2] = [(1, false), (2, true)];

/// Appends what is set.
pub(super) fn put_settings(out: &mut Vec<u8>, options: &KeyspaceOptions) {
    let KeyspaceOptions {
        goal,
        memtable_bytes,
        block_bytes,
        compression,
        level0_compression,
        dictionary_bytes,
        dictionary,
        filter,
        filter_bits_per_key,
        filter_widths,
        locators,
        filter_residency,
        fence_residency,
        entry_checksums,
        prefix_extractor,
        compaction_filter,
        table_bytes,
        strategy,
        level0_trigger,
        level_ratio,
        level_base_bytes,
        merge_operator,
        comparator,
    } = options;
    let numbers = [
        (GOAL, number_of(&GOALS, *goal)),
        (MEMTABLE_BYTES, memtable_bytes.map(|bytes| bytes as u64)),
        (BLOCK_BYTES, block_bytes.map(|bytes| bytes as u64)),
        (FILTER_BITS_PER_KEY, filter_bits_per_key.map(u64::from)),
        (TABLE_BYTES, *table_bytes),
        (LEVEL0_TRIGGER, level0_trigger.map(|runs| runs as u64)),
        (LEVEL_RATIO, *level_ratio),
        (LEVEL_BASE_BYTES, *level_base_bytes),
        (COMPRESSION, compression.map(compression_number)),
        (LEVEL0_COMPRESSION, level0_compression.map(compression_number)),
        (DICTIONARY_BYTES, dictionary_bytes.map(u64::from)),
        (FILTER, number_of(&FILTERS, *filter)),
        (FILTER_WIDTHS, number_of(&WIDTHS, *filter_widths)),
        (ENTRY_CHECKSUMS, number_of(&SWITCHES, *entry_checksums)),
        (LOCATORS, number_of(&SWITCHES, *locators)),
        (FILTER_RESIDENCY, number_of(&RESIDENCIES, *filter_residency)),
        (FENCE_RESIDENCY, number_of(&RESIDENCIES, *fence_residency)),
    ];
    for (tag, number) in numbers {
        if let Some(number) = number {
            let mut bytes = Vec::new();
            bytes.put_varint(number);
            put_field(out, tag, &bytes);
        }
    }
    let names = [
        (PREFIX_EXTRACTOR, prefix_extractor),
        (MERGE_OPERATOR, merge_operator),
        (STRATEGY, strategy),
        (COMPACTION_FILTER, compaction_filter),
        (DICTIONARY, dictionary),
        (COMPARATOR, comparator),
    ];
    for (tag, name) in names {
        if let Some(name) = name {
            put_field(out, tag, name.as_bytes());
        }
    }
}

/// Reads settings to the end of `reader`. A number that this version would not take is `Unsupported`: a later one may.
pub(super) fn read_settings(reader: &mut Reader<'_>) -> Result<KeyspaceOptions> {
    let start = reader.position() as u64;
    let mut options = KeyspaceOptions::default();
    read_fields(reader, "a keyspace's settings", |tag, field| {
        match tag {
            GOAL => set(&mut options.goal, known(&GOALS, "goal", field.varint()?)?)?,
            MEMTABLE_BYTES => set(&mut options.memtable_bytes, narrow(field)?)?,
            BLOCK_BYTES => set(&mut options.block_bytes, narrow(field)?)?,
            FILTER_BITS_PER_KEY => set(&mut options.filter_bits_per_key, narrow(field)?)?,
            TABLE_BYTES => set(&mut options.table_bytes, narrow(field)?)?,
            LEVEL0_TRIGGER => set(&mut options.level0_trigger, narrow(field)?)?,
            LEVEL_RATIO => set(&mut options.level_ratio, narrow(field)?)?,
            LEVEL_BASE_BYTES => set(&mut options.level_base_bytes, narrow(field)?)?,
            COMPRESSION => set(&mut options.compression, compression_of(field.varint()?)?)?,
            LEVEL0_COMPRESSION => set(&mut options.level0_compression, compression_of(field.varint()?)?)?,
            DICTIONARY_BYTES => set(&mut options.dictionary_bytes, narrow(field)?)?,
            DICTIONARY => set(&mut options.dictionary, name(field)?)?,
            FILTER => set(&mut options.filter, known(&FILTERS, "filter", field.varint()?)?)?,
            FILTER_WIDTHS => set(&mut options.filter_widths, known(&WIDTHS, "filter widths", field.varint()?)?)?,
            ENTRY_CHECKSUMS => set(&mut options.entry_checksums, known(&SWITCHES, "entry checksums", field.varint()?)?)?,
            LOCATORS => set(&mut options.locators, known(&SWITCHES, "locators", field.varint()?)?)?,
            FILTER_RESIDENCY => {
                set(&mut options.filter_residency, known(&RESIDENCIES, "filter residency", field.varint()?)?)?;
            }
            FENCE_RESIDENCY => {
                set(&mut options.fence_residency, known(&RESIDENCIES, "fence residency", field.varint()?)?)?;
            }
            PREFIX_EXTRACTOR => set(&mut options.prefix_extractor, name(field)?)?,
            MERGE_OPERATOR => set(&mut options.merge_operator, name(field)?)?,
            STRATEGY => set(&mut options.strategy, name(field)?)?,
            COMPACTION_FILTER => set(&mut options.compaction_filter, name(field)?)?,
            COMPARATOR => set(&mut options.comparator, name(field)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    options.validate("stored ").map_err(|error| error.with_kind(ErrorKind::Unsupported).at(start))?;
    Ok(options)
}

fn set<T>(setting: &mut Option<T>, value: T) -> Result<()> {
    match setting.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::corruption("a setting of a keyspace is given twice")),
    }
}

fn compression_number(compression: Compression) -> u64 {
    match compression {
        Compression::Zstd(level) => ZSTD | u64::from(level.get()),
        Compression::Other(id) => OTHER_CODEC | u64::from(id),
        // The others are all there.
        _ => number_of(&COMPRESSIONS, Some(compression)).unwrap_or_default(),
    }
}

fn compression_of(number: u64) -> Result<Compression> {
    let [low, ..] = number.to_le_bytes();
    match number & !0xFF {
        ZSTD => {
            let level = ZstdLevel::new(low).map_err(|error| error.with_kind(ErrorKind::Unsupported))?;
            Ok(Compression::Zstd(level))
        }
        OTHER_CODEC if block_codec::IDS.contains(&low) => Ok(Compression::Other(low)),
        _ => known(&COMPRESSIONS, "compression", number),
    }
}

/// The number on disk of what is set.
fn number_of<T: Copy + PartialEq>(all: &[(u64, T)], wanted: Option<T>) -> Option<u64> {
    all.iter().find(|(_, known)| Some(*known) == wanted).map(|(number, _)| *number)
}

fn known<T: Copy>(all: &[(u64, T)], what: &str, number: u64) -> Result<T> {
    let known = all.iter().find(|(known, _)| *known == number).map(|(_, known)| *known);
    known.ok_or_else(|| Error::unsupported(format!("{what} {number} of a keyspace is not known to this version")))
}

fn name(field: &mut Reader<'_>) -> Result<String> {
    String::from_utf8(field.rest().to_vec()).map_err(|_| Error::corruption("a name in a keyspace's settings is not UTF-8"))
}

fn narrow<T: TryFrom<u64>>(field: &mut Reader<'_>) -> Result<T> {
    let number = field.varint()?;
    T::try_from(number)
        .map_err(|_| Error::unsupported(format!("a keyspace's setting of {number} is not known to this version")))
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn full() -> KeyspaceOptions {
        KeyspaceOptions {
            goal: Some(Goal::Space),
            memtable_bytes: Some(1 << 20),
            block_bytes: Some(1024),
            filter: Some(FilterKind::Burr),
            filter_bits_per_key: Some(0),
            filter_widths: Some(FilterWidths::ByLevel),
            locators: Some(true),
            filter_residency: Some(Residency::Paged),
            fence_residency: Some(Residency::Resident),
            entry_checksums: Some(true),
            prefix_extractor: Some("fixed-4".into()),
            compaction_filter: Some("expiry".into()),
            table_bytes: Some(1 << 21),
            level0_trigger: Some(3),
            level_ratio: Some(7),
            level_base_bytes: Some(1 << 22),
            compression: Some(Compression::Lz4),
            level0_compression: Some(Compression::None),
            dictionary_bytes: Some(1 << 14),
            dictionary: Some("events".into()),
            merge_operator: Some("add".into()),
            strategy: Some("tiered".into()),
            comparator: Some("odd".into()),
        }
    }

    fn bytes(options: &KeyspaceOptions) -> Vec<u8> {
        let mut out = Vec::new();
        put_settings(&mut out, options);
        out
    }

    fn read(bytes: &[u8]) -> Result<KeyspaceOptions> {
        read_settings(&mut Reader::new(bytes))
    }

    #[test]
    fn what_is_set_reads_back_and_what_is_not_takes_no_byte() {
        assert_eq!(bytes(&KeyspaceOptions::default()), b"");
        let goals = GOALS.map(|(_, goal)| KeyspaceOptions { goal: Some(goal), ..KeyspaceOptions::default() });
        let compressions = (1..=22).map(|level| Compression::Zstd(ZstdLevel::new(level).unwrap()));
        let compressions =
            compressions.chain([Compression::None, Compression::Lz4, Compression::Other(128), Compression::Other(255)]);
        let compressions = compressions.map(|of| KeyspaceOptions { compression: Some(of), ..KeyspaceOptions::default() });
        for options in goals.into_iter().chain(compressions).chain([KeyspaceOptions::default(), full()]) {
            assert_eq!(read(&bytes(&options)).unwrap(), options);
        }
    }

    #[test]
    fn a_cut_loses_whole_settings_or_is_noticed() {
        let bytes = bytes(&full());
        let whole = (0..bytes.len()).filter(|len| read(&bytes[..*len]).is_ok()).count();
        assert_eq!(whole, 23, "each setting ends where a shorter list may end");
    }

    #[test]
    fn strangers_are_skipped_or_refused_and_nothing_is_said_twice() {
        let with = |tag, number: &[u8]| {
            let mut bytes = bytes(&full());
            put_field(&mut bytes, tag, number);
            read(&bytes)
        };
        assert_eq!(with(98, b"later").unwrap(), full());
        assert_eq!(with(99, b"later").unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(with(GOAL, &[2]).unwrap_err().kind(), ErrorKind::Corruption);
    }

    #[test]
    fn numbers_that_no_setting_takes_are_refused() {
        let one = |tag, number| {
            let mut field = Vec::new();
            field.put_varint(number);
            let mut bytes = Vec::new();
            put_field(&mut bytes, tag, &field);
            read(&bytes).unwrap_err()
        };
        let cases = [
            (GOAL, 0),
            (GOAL, 4),
            (MEMTABLE_BYTES, 1),
            (BLOCK_BYTES, 65_537),
            (FILTER_BITS_PER_KEY, 256),
            (TABLE_BYTES, 0),
            (LEVEL0_TRIGGER, 0),
            (LEVEL_RATIO, 1),
            (LEVEL_BASE_BYTES, u64::MAX),
            (COMPRESSION, 0),
            (LEVEL0_COMPRESSION, 3),
            (COMPRESSION, 0x100),
            (COMPRESSION, 0x117),
            (COMPRESSION, 0x27F),
            (COMPRESSION, 0x300),
            (DICTIONARY_BYTES, (1 << 20) + 1),
            (FILTER, 0),
            (FILTER, 3),
            (FILTER_WIDTHS, 0),
            (FILTER_WIDTHS, 3),
            (ENTRY_CHECKSUMS, 0),
            (ENTRY_CHECKSUMS, 3),
            (LOCATORS, 0),
            (LOCATORS, 3),
            (FILTER_RESIDENCY, 0),
            (FILTER_RESIDENCY, 4),
            (FENCE_RESIDENCY, 0),
            (FENCE_RESIDENCY, 4),
        ];
        for (tag, number) in cases {
            assert_eq!(one(tag, number).kind(), ErrorKind::Unsupported, "{tag} {number}");
        }
    }
}
