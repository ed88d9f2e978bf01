//! A small table made by the real writer, tables in which one part is replaced, and everything one can ask of a table.

use sediment_base::{Cursor, InternalKey, KeyOrder, Kind, RangeTombstone, RowFlags, SeqNo, TableId, prefix_extractor::by_name};
use sediment_codec::{
    checksum::crc64,
    coding::Writer,
    compress::{Dictionary, Method, Unpacker, ZstdLevel},
    hash::key_hash,
    header::{FileHeader, HEADER_BYTES},
    seal::{FrameHeader, FrameId, Region, Seal},
};
use sediment_env::{MemFs, SeededRandom};
use sediment_table::{
    BlockCache, DictionaryOptions, FilterKind, RemovedRuns, Residency, Table, TableContext, TableOptions, TableWriter,
    check::check_table, dump::dump_table,
};
use sediment_testkit::as_it_is::AsItIs;
use std::{path::Path, sync::Arc};

const PATH: &str = "table";
const ENTRY_BYTES: usize = 32;
const ENTRIES_AT: usize = 24;

/// One part of a table.
struct Part {
    id: FrameId,
    plain: Vec<u8>,
}

/// A table of a few blocks: several versions of a key, tombstones, an empty value, a value with a block of its own, range
/// tombstones.
pub fn sample(filter: FilterKind) -> Vec<u8> {
    let prefix_extractor = by_name("fixed-5");
    // So few that a BuRR filter of these keys is more than a list.
    let filter_bits_per_key = if filter == FilterKind::Burr { 4 } else { 10 };
    written(&TableOptions {
        block_bytes: 512,
        filter,
        filter_bits_per_key,
        prefix_extractor,
        hash_seed: 7,
        created_us: 1,
        ..TableOptions::default()
    })
}

/// The same rows with runs of removed keys.
pub fn with_removed_runs() -> Vec<u8> {
    let options = TableOptions { block_bytes: 512, hash_seed: 7, created_us: 1, ..TableOptions::default() };
    let runs = [("key-ac", "key-ad"), ("key-bj", "key-bk")].map(|(start, end)| (start.into(), end.into()));
    finished(&options, |writer| writer.set_removed_runs(RemovedRuns { seqno: 200, runs: runs.into() }))
}

/// The same rows with a locator.
pub fn located() -> Vec<u8> {
    written(&TableOptions { block_bytes: 512, locator: true, hash_seed: 7, created_us: 1, ..TableOptions::default() })
}

/// Rows whose filter is in pages.
pub fn paged(filter: FilterKind) -> Vec<u8> {
    let (rows, filter_bits_per_key) = if filter == FilterKind::Burr { (1500_u32, 24) } else { (150, 255) };
    let disk = MemFs::new();
    let options = TableOptions { filter, filter_bits_per_key, hash_seed: 7, created_us: 1, ..TableOptions::default() };
    let mut writer = TableWriter::create(&context(&disk), &options, PATH.into(), TableId(1)).expect("an empty disk");
    for i in 0..rows {
        let key = [b"key-", &i.swap_bytes().to_le_bytes()[..]].concat();
        writer.add(InternalKey::new(&key, 100, Kind::Value), RowFlags::NONE, b"").expect("rows ascend");
    }
    writer.finish().expect("a sound disk");
    disk.tree().into_values().next().expect("it was just written")
}

/// Rows whose fence is in leaves: many short blocks, one key with the versions of several.
pub fn with_leaves() -> Vec<u8> {
    let disk = MemFs::new();
    let options = TableOptions { block_bytes: 256, hash_seed: 7, created_us: 1, ..TableOptions::default() };
    let mut writer = TableWriter::create(&context(&disk), &options, PATH.into(), TableId(1)).expect("an empty disk");
    for i in 0..500_u32 {
        let key = [b"key-", &i.max(40).swap_bytes().to_le_bytes()[..]].concat();
        writer.add(InternalKey::new(&key, u64::from(1000 - i), Kind::Value), RowFlags::NONE, &[1; 90]).expect("rows ascend");
    }
    writer.finish().expect("a sound disk");
    disk.tree().into_values().next().expect("it was just written")
}

/// The rows of [`sample`] with digests.
pub fn digested() -> Vec<u8> {
    written(&TableOptions { block_bytes: 512, hash_seed: 7, row_digests: true, created_us: 1, ..TableOptions::default() })
}

/// The same rows in blocks of Zstandard, with a dictionary.
pub fn compressed() -> Vec<u8> {
    let known = Some(Arc::new(dictionary()));
    written(&TableOptions {
        block_bytes: 512,
        codec: Method::Zstd(ZstdLevel::FASTEST),
        dictionary: DictionaryOptions { bytes_max: 0, known, table_bytes: 1 << 30 },
        hash_seed: 7,
        created_us: 1,
        ..TableOptions::default()
    })
}

/// The same rows in dense blocks, which are not compressed.
pub fn dense() -> Vec<u8> {
    let codec = Method::Other(Arc::new(AsItIs));
    let options = TableOptions { block_bytes: 512, codec, hash_seed: 7, created_us: 1, ..TableOptions::default() };
    let (header, parts) = take_apart(&written(&options));
    put_together(&header, &parts, false)
}

/// A dictionary in the format of Zstandard, with its tables, for rows like those of [`compressed`].
pub fn dictionary() -> Dictionary {
    let samples: Vec<Vec<u8>> =
        (0..32_u8).map(|i| [b"key-", [b'a' + i % 4, i].as_slice(), &[i % 5; 40]].concat().repeat(9)).collect();
    let lens: Vec<usize> = samples.iter().map(Vec::len).collect();
    Dictionary::train(&samples.concat(), &lens, 600, ZstdLevel::FASTEST).expect("much repeats")
}

fn written(options: &TableOptions) -> Vec<u8> {
    finished(options, |_| {})
}

fn finished(options: &TableOptions, finish: impl FnOnce(&mut TableWriter)) -> Vec<u8> {
    let disk = MemFs::new();
    let context = context(&disk);
    let mut writer = TableWriter::create(&context, options, PATH.into(), TableId(1)).expect("an empty disk");
    for i in 0..20_u8 {
        let key = [b"key-", &[b'a' + i / 5, b'a' + i][..]].concat();
        for seqno in (1..=u64::from(i % 3) + 1).rev() {
            let kind = if (u64::from(i) + seqno) % 5 == 0 { Kind::Tombstone } else { Kind::Value };
            let value = if kind == Kind::Value { vec![i; usize::from(i) * 3] } else { Vec::new() };
            writer.add(InternalKey::new(&key, 100 + seqno, kind), RowFlags::NONE, &value).expect("rows ascend");
        }
    }
    writer.add(InternalKey::new(b"large", 3, Kind::Value), RowFlags::NONE, &[0x5A; 3000]).expect("rows ascend");
    let range = |start: &str, end: &str, seqno| RangeTombstone { start: start.into(), end: end.into(), seqno };
    writer.add_range_tombstones([range("key-b", "key-d", 90), range("", "key-c", 150), range("x", "", 4)]);
    finish(&mut writer);
    writer.finish().expect("a sound disk");
    disk.tree().into_values().next().expect("it was just written")
}

/// The table with the first frame of one region holding something else, all checksums and the footer made to fit. Blocks keep
/// their length, because the fence tells where the next one is.
pub fn with_part(table: &[u8], region: Region, content: &[u8]) -> Vec<u8> {
    let (header, mut parts) = take_apart(table);
    let part = parts.iter_mut().find(|part| part.id.region == region as u8).expect("every table has it");
    let length = if region == Region::Data { part.plain.len() } else { content.len() };
    part.plain = content.to_vec();
    part.plain.resize(length, 0);
    put_together(&header, &parts, region == Region::Footer)
}

/// The content of the first frame of one region.
pub fn part(table: &[u8], region: Region) -> Vec<u8> {
    let (_, parts) = take_apart(table);
    parts.into_iter().find(|part| part.id.region == region as u8).expect("every table has it").plain
}

/// Opens a table and asks it everything.
pub fn exercise(bytes: &[u8]) {
    let disk = crate::disk([(PATH, bytes)]);
    let context = context(&disk);
    let _ = dump_table(&context, Path::new(PATH), &mut String::new());
    let checked = check_table(&context, Path::new(PATH), None);
    let Ok(table) = Table::open_alone(&context, Path::new(PATH)) else { return };
    let table = Arc::new(table);
    let seed = table.properties().hash_seed;
    let mut keys = vec![b"".to_vec(), b"key-aa".to_vec(), b"key-bz".to_vec(), b"large".to_vec(), b"\xff".to_vec()];
    let is_sound = checked.is_ok_and(|report| report.faults.is_empty());
    let mut rows: Vec<(Vec<u8>, SeqNo, Kind)> = Vec::new();
    let ended_well = walk(&table, bytes.len(), |key| rows.push((key.user_key.to_vec(), key.seqno, key.kind)));
    if is_sound {
        assert_sound(&table, &rows, ended_well);
    }
    keys.extend(rows.into_iter().map(|(key, _, _)| key).take(64));
    for key in &keys {
        let hash = key_hash(seed, key);
        let _ = (table.may_contain(hash), table.may_contain_prefix(key));
        if let Some(ranges) = table.range_tombstones() {
            let cover = ranges.cover(key, SeqNo::MAX, &KeyOrder::bytewise());
            assert!(cover == 0 || ranges.oldest(key, &KeyOrder::bytewise()) <= Some(cover), "the newest is not the oldest");
        }
        if let Some(removed) = table.removed_runs() {
            let cover = removed.cover(key, SeqNo::MAX, &KeyOrder::bytewise());
            assert!(cover == 0 || cover > table.meta().max_seqno, "it lies above the rows");
        }
        for read_seqno in [0, 1, 102, SeqNo::MAX] {
            let _ = table.get(key, hash, read_seqno);
        }
        let _ = seek(&table, key);
    }
}

/// What the check found no fault in can be read in order, and every key in it is found.
fn assert_sound(table: &Table, rows: &[(Vec<u8>, SeqNo, Kind)], ended_well: bool) {
    assert!(ended_well, "a table without faults can be read");
    let key = |row: &'_ (Vec<u8>, SeqNo, Kind)| (row.0.clone(), std::cmp::Reverse((row.1, row.2)));
    assert!(rows.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])), "rows of a table without faults ascend");
    for versions in rows.chunk_by(|a, b| a.0 == b.0) {
        let (user_key, seqno, kind) = &versions[0];
        let found = table.get(user_key, key_hash(table.properties().hash_seed, user_key), SeqNo::MAX);
        let found = found.expect("a table without faults can be read").expect("it has the key");
        assert_eq!((found.seqno, found.kind), (*seqno, *kind));
        assert!(
            (0..=user_key.len())
                .all(|len| table.may_contain_prefix(&user_key[..len]).expect("a table without faults can be read")),
            "it has the prefixes of the key"
        );
    }
}

fn seek(table: &Arc<Table>, key: &[u8]) -> sediment_base::Result<()> {
    let mut cursor = table.cursor();
    cursor.seek(InternalKey::before(key))?;
    if cursor.is_valid() {
        cursor.prev()?;
    }
    cursor.seek_before(InternalKey::new(key, 50, Kind::Value))?;
    if cursor.is_valid() {
        let _ = (cursor.key().user_key.len(), cursor.value().len(), cursor.flags());
        cursor.next()?;
    }
    Ok(())
}

/// Goes forwards and back; whether both ways ended without an error, after as many rows.
fn walk(table: &Arc<Table>, rows_max: usize, mut visit: impl FnMut(InternalKey<'_>)) -> bool {
    let mut cursor = table.cursor();
    let mut rows = [0; 2];
    let mut moved = cursor.seek_to_first();
    while moved.is_ok() && cursor.is_valid() {
        visit(cursor.key());
        let _ = (std::hint::black_box(cursor.value()), cursor.flags());
        rows[0] += 1;
        assert!(rows[0] <= rows_max, "more rows than bytes");
        moved = cursor.next();
    }
    if moved.is_err() {
        assert!(!cursor.is_valid() && cursor.seek_to_first().is_err(), "an error stays");
        return false;
    }
    moved = cursor.seek_to_last();
    while moved.is_ok() && cursor.is_valid() {
        rows[1] += 1;
        assert!(rows[1] <= rows_max, "more rows than bytes");
        moved = cursor.prev();
    }
    if moved.is_ok() {
        assert_eq!(rows[0], rows[1], "as many rows back as forwards");
    }
    moved.is_ok()
}

fn context(disk: &MemFs) -> TableContext {
    let (fs, random, cache) = (Arc::new(disk.clone()), Arc::new(SeededRandom::new(1)), Arc::new(BlockCache::new(1 << 20)));
    // The check puts together what readers leave in the file.
    let (filter_residency, fence_residency) = (Residency::Paged, Residency::Paged);
    let context = TableContext::new(fs, random, crate::DB_UUID, KeyOrder::bytewise(), cache);
    TableContext { filter_residency, fence_residency, codecs: Arc::new([Arc::new(AsItIs)]), ..context }
}

fn take_apart(table: &[u8]) -> (FileHeader, Vec<Part>) {
    let header = FileHeader::decode(table).expect("a sound table");
    let seal = Seal { uuid: header.uuid };
    let unpacker = Unpacker::new(Arc::default(), None, Some(Arc::new(AsItIs)));
    let mut parts = Vec::new();
    let mut at = HEADER_BYTES;
    while at < table.len() - HEADER_BYTES {
        let (frame, plain) = seal.open(&unpacker, at as u64, &table[at..]).expect("a sound table");
        at += frame.frame_bytes() as usize;
        let id = FrameId { region: frame.region, kind: frame.kind, ordinal: frame.ordinal };
        parts.push(Part { id, plain: plain.into_owned() });
    }
    (header, parts)
}

fn put_together(header: &FileHeader, parts: &[Part], footer_stays: bool) -> Vec<u8> {
    let seal = Seal { uuid: header.uuid };
    let mut out = header.encode().to_vec();
    let (footer, body) = parts.split_last().expect("every table has a footer");
    let mut frames = Vec::new();
    for part in body {
        let offset = out.len() as u64;
        frames.push((offset, seal.seal(part.id, offset, &part.plain, &mut out).expect("not too long")));
    }
    let footer_at = out.len() as u64;
    let content = if footer_stays { footer.plain.clone() } else { footer_of(&frames, &footer.plain) };
    seal.seal(footer.id, footer_at, &content, &mut out).expect("not too long");
    out.extend(header.encode_tail(footer_at));
    out
}

/// The footer for these frames, with the flags and kinds that `like` gives its regions.
fn footer_of(frames: &[(u64, FrameHeader)], like: &[u8]) -> Vec<u8> {
    let regions: Vec<_> = frames.chunk_by(|(_, a), (_, b)| a.region == b.region).collect();
    let root = frames.iter().fold(0, |root, (_, frame)| crc64(root, &frame.checksum.to_le_bytes()));
    let mut out = Vec::new();
    out.put_u64(root);
    out.put_u32(frames.len() as u32);
    out.put_u16(regions.len() as u16);
    out.put_u16(ENTRY_BYTES as u16);
    out.put_u64(0);
    for (i, region) in regions.into_iter().enumerate() {
        let like = &like[ENTRIES_AT + i * ENTRY_BYTES..];
        let (offset, first) = &region[0];
        out.put_bytes(&[first.region, like[1], like[2], 0]);
        out.put_u32(region.len() as u32);
        out.put_u64(*offset);
        out.put_u64(region.iter().map(|(_, frame)| frame.frame_bytes()).sum());
        out.put_u64(region.iter().map(|(_, frame)| u64::from(frame.plain_len)).sum());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_zstandard_can_be_asked_everything() {
        let table = compressed();
        assert!(!table.windows(4).all(|bytes| bytes != [0x28, 0xB5, 0x2F, 0xFD]), "a frame of it is among the blocks");
        exercise(&table);
    }

    #[test]
    fn a_table_taken_apart_goes_together_again() {
        for table in [FilterKind::SplitBlock, FilterKind::Burr].map(sample) {
            for region in
                [Region::Data, Region::Fence, Region::Filter, Region::PrefixFilter, Region::Properties, Region::Footer]
            {
                assert!(with_part(&table, region, &part(&table, region)) == table, "{region:?}");
            }
            exercise(&table);
        }
        for table in [FilterKind::SplitBlock, FilterKind::Burr].map(paged) {
            let head = part(&table, Region::Filter);
            assert!(with_part(&table, Region::Filter, &head) == table && head.len() < 500, "the filter goes on in pages");
            exercise(&table);
        }
        let leaves = with_leaves();
        for region in [Region::Fence, Region::Leaves] {
            assert!(with_part(&leaves, region, &part(&leaves, region)) == leaves, "{region:?}");
        }
        exercise(&leaves);
        let dense = dense();
        assert!(with_part(&dense, Region::Data, &part(&dense, Region::Data)) == dense);
        exercise(&dense);
        let located = located();
        assert!(with_part(&located, Region::Locator, &part(&located, Region::Locator)) == located);
        exercise(&located);
        let removed = with_removed_runs();
        assert!(with_part(&removed, Region::RemovedRuns, &part(&removed, Region::RemovedRuns)) == removed);
        exercise(&removed);
    }
}
