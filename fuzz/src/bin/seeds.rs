//! Writes the seeds of every target into `corpus/<target>/`, made by the real writers: each once with checksums checked, once
//! bypassed.

use sediment_base::Generation;
use sediment_codec::{
    compress::{Method, Packer, ZstdLevel},
    current::Current,
    frame::{Fragment, Record, RecordWriter, payload_crc},
    header::{FileHeader, FileKind},
    seal::{FrameId, Region, Seal},
};
use sediment_fuzz::{DB_UUID, EPOCH, FRAME_OFFSET, UUID, stores, tables, tokens};
use sediment_table::FilterKind;
use std::{error::Error, fs, path::Path, sync::Arc};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    header()?;
    compression()?;
    seal()?;
    record()?;
    table()?;
    current()?;
    stores()?;
    tokens::some()?.iter().try_for_each(|(name, token)| seed("scan_token", name, token))?;
    seed("coding", "script", b"\x05\x00\x01\x02\x04\x05\x07\x01\x02\x03\x04\x05\x06\x07\xac\x02\x03abc")?;
    for name in ["CURRENT", "LOCK", "manifest-17", "catalog-3", "tables", "lost", ".creating-00000000000000ff", "CURRENT.tmp"] {
        seed("filename", name, name.as_bytes())?;
    }
    Ok(())
}

fn header() -> Result<()> {
    let header = FileHeader { generation: Generation(3), ..FileHeader::new(FileKind::Table, DB_UUID, 42, UUID) };
    seed("header", "head", &header.encode())?;
    seed("header", "tail", &header.encode_tail(8192))
}

fn seal() -> Result<()> {
    let seal = Seal { uuid: UUID };
    for (name, plain) in [("empty", 0), ("short", 20), ("long", 500)] {
        let plain: Vec<u8> = (0..plain).map(|i| i as u8).collect();
        let mut frame = Vec::new();
        seal.seal(FrameId { region: Region::Data as u8, kind: 1, ordinal: 9 }, FRAME_OFFSET, &plain, &mut frame)?;
        seed("seal", name, &frame)?;
    }
    Ok(())
}

/// Blocks as the target `unpack` takes them, and dictionaries.
fn compression() -> Result<()> {
    let dictionary = Arc::new(tables::dictionary());
    let plain = b"key-aa and key-ab and key-ac, again and again and again".repeat(5);
    for (name, codec, method, has_dictionary) in [
        ("lz4", 0, Method::Lz4, false),
        ("zstd", 1, Method::Zstd(ZstdLevel::FASTEST), false),
        ("dictionary", 3, Method::Zstd(ZstdLevel::DEFAULT), true),
    ] {
        let mut packer = Packer::new(method, has_dictionary.then(|| Arc::clone(&dictionary)));
        let mut block = vec![codec];
        block.extend((plain.len() as u16).to_le_bytes());
        block.extend(&plain);
        packer.pack_from(3, &mut block)?;
        seed("unpack", name, &block)?;
    }
    seed("dictionary", "trained", dictionary.bytes())?;
    seed("dictionary", "raw", &plain)
}

fn record() -> Result<()> {
    let mut writer = RecordWriter::new(UUID, EPOCH, 0);
    let mut log = Vec::new();
    let fragments = [Fragment::Whole, Fragment::First, Fragment::Middle, Fragment::Last];
    for (i, fragment) in fragments.into_iter().enumerate() {
        let payload = vec![i as u8; i * 7];
        let record = Record { kind: 1, fragment, keyspace: 2, count: 1, seqno: i as u64, synced_upto: writer.offset() };
        writer.append(&record, &payload, payload_crc(&payload), &mut log)?;
    }
    seed("record", "log", &log)?;
    log[70] ^= 1;
    seed("record", "rot", &log)
}

fn table() -> Result<()> {
    let table = tables::sample(FilterKind::SplitBlock);
    let small = tables::sample(FilterKind::Burr);
    seed("table", "sample", &table)?;
    seed("table", "burr", &small)?;
    seed("table", "zstd", &tables::compressed())?;
    seed("table", "locator", &tables::located())?;
    seed("locator", "sample", &tables::part(&tables::located(), Region::Locator))?;
    seed("table", "removed_runs", &tables::with_removed_runs())?;
    seed("removed_runs", "sample", &tables::part(&tables::with_removed_runs(), Region::RemovedRuns))?;
    seed("table", "dense", &tables::dense())?;
    seed("dense_block", "sample", &tables::part(&tables::dense(), Region::Data))?;
    seed("table", "digests", &tables::digested())?;
    seed("digested_block", "sample", &tables::part(&tables::digested(), Region::Data))?;
    seed("burr", "sample", &tables::part(&small, Region::Filter))?;
    for (choice, kind) in [FilterKind::SplitBlock, FilterKind::Burr].into_iter().enumerate() {
        let head = tables::part(&tables::paged(kind), Region::Filter);
        seed("paged_filter", &format!("sample{choice}"), &[&[choice as u8], &head[..]].concat())?;
    }
    seed("table", "leaves", &tables::with_leaves())?;
    for (choice, region) in [Region::Fence, Region::Leaves].into_iter().enumerate() {
        let part = tables::part(&tables::with_leaves(), region);
        seed("fence_leaves", &format!("sample{choice}"), &[&[choice as u8], &part[..]].concat())?;
    }
    let parts = [
        ("block", Region::Data),
        ("fence", Region::Fence),
        ("ranges", Region::RangeTombstones),
        ("filter", Region::Filter),
        ("prefix_filter", Region::PrefixFilter),
        ("properties", Region::Properties),
        ("footer", Region::Footer),
    ];
    parts.into_iter().try_for_each(|(target, region)| seed(target, "sample", &tables::part(&table, region)))
}

fn current() -> Result<()> {
    for (name, kind) in [("tree", FileKind::Manifest), ("database", FileKind::Catalog)] {
        let current = Current { kind, generation: Generation(3), uuid: UUID, root: 77 };
        seed("current", name, &current.encode(DB_UUID, UUID))?;
    }
    Ok(())
}

fn stores() -> Result<()> {
    let tree = stores::sample_tree();
    seed("manifest", "sample", &tree[&stores::path_of(&tree, FileKind::Manifest)])?;
    let edit = stores::last_payload(&tree, FileKind::Manifest);
    seed("edit", "sample", &edit[..edit.len() - 8])?;
    let database = stores::sample_database();
    seed("catalog", "sample", &database[&stores::path_of(&database, FileKind::Catalog)])?;
    seed("keyspaces", "sample", &stores::last_payload(&database, FileKind::Catalog))?;
    seed("wal", "sample", &database[&stores::path_of(&database, FileKind::Wal)])?;
    seed("entry", "batch", b"\x01\0\x01\0\0\x01\x01a\x01b")?;
    seed("entry", "create", b"\x02\0\x01\0\x09\0\0\0\x09\0\0\0\0\0\0\0\x03new")?;
    let settings = b"\x02\x01\x03\x06\x02\x80\x04\x0e\x01\x05";
    seed("entry", "create_with", &[&b"\x02\0\x01\0\x09\0\0\0\x09\0\0\0\0\0\0\0\x03new"[..], settings].concat())?;
    seed("entry", "configure", &[&b"\x0e\0\x01\0\x01\0\0\0"[..], settings].concat())?;
    seed("entry", "drop", b"\x03\0\x01\0\x01\0\0\0")?;
    seed("entry", "anchor", &[&b"\x0a\0\0\0"[..], &[1, 0, 0, 0, 0, 0, 0, 0].repeat(3)].concat())?;
    seed("entry", "end", b"\x0b\0\0\0")?;
    seed("entry", "trim", b"\x0d\0\0\0\x01\0\0\0\0\0\0\0")
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    for (switch, suffix) in [(0, "checked"), (1, "bypassed")] {
        fs::write(folder.join(format!("{name}-{suffix}")), [&[switch], bytes].concat())?;
    }
    Ok(())
}
