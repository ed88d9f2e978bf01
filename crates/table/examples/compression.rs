//! What compression takes and saves on this machine, block by block: the table of `docs/compression.md`. Run with `--release`.
//!
//! `compression [rows [method [KiB]]]`: rows are `json`, `repeating` or `random`; with a method (`none`, `lz4`, `zstd-1`,
//! `zstd-3+dictionary`), blocks of one size alone, of 4 KiB where none is given, are loaded from a table in memory, ten times each: for a
//! profiler that counts instructions.

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sediment_base::{
    BlockCodec, Cursor, Error, FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, TableId, seqno::SEQNO_MAX,
};
use sediment_codec::{
    compress::{Dictionary, Method, Packer, ZstdLevel},
    seal::{Region, Seal},
};
use sediment_env::{Env, fs::MemFs};
use sediment_table::{BlockCache, DictionaryOptions, Table, TableContext, TableMeta, TableOptions, TableWriter};
use std::{
    hint::black_box,
    path::PathBuf,
    sync::{Arc, Mutex},
};

const ROWS: u64 = 40_000;
const ROUNDS: usize = 9;
/// How often each block is loaded for a profiler.
const LOADS: usize = 10;
const DICTIONARY_BYTES: usize = 16 << 10;
/// Of so many blocks one is measured; the dictionary is trained from others.
const MEASURED: usize = 8;

fn bits(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    mixed ^ (mixed >> 32)
}

/// The value of a row.
fn value(kind: &str, number: u64) -> Vec<u8> {
    let random = |n: u64| bits(number.wrapping_mul(64).wrapping_add(n).wrapping_add(1));
    let words = |from: u64, count: u64| (from..from + count).flat_map(move |n| random(n).to_le_bytes());
    match kind {
        "random" => words(0, 13).take(100).collect(),
        "repeating" => words(0, 6).chain(words(0, 6)).chain(words(6, 1)).take(100).collect(),
        _ => account(random).into_bytes(),
    }
}

/// JSON as programs store it: the same names in all, some values out of few, and some that nothing predicts.
fn account(random: impl Fn(u64) -> u64) -> String {
    let names = ["anna", "bertil", "cecilia", "david", "erik", "fatima", "georg", "hanna"];
    let cities = ["Stockholm", "Gothenburg", "Uppsala", "Lund", "Kiruna", "Visby"];
    let name = names[(random(0) % 8) as usize];
    format!(
        "{{\"name\":\"{name}\",\"email\":\"{name}{}@example.com\",\"city\":\"{}\",\"state\":\"{}\",\"balance\":{},\
         \"since\":\"2024-{:02}-{:02}T{:02}:{:02}Z\",\"token\":\"{:016x}\",\"visits\":{},\"tags\":[\"t{}\",\"t{}\"]}}",
        random(1) % 1000,
        cities[(random(2) % 6) as usize],
        ["active", "pending", "closed", "suspended"][(random(3) % 4) as usize],
        random(4) % 10_000_000,
        random(5) % 12 + 1,
        random(6) % 28 + 1,
        random(7) % 24,
        random(8) % 60,
        random(9),
        random(10) % 5000,
        random(11) % 40,
        random(12) % 40,
    )
}

/// Keeps what it is to compress, and compresses nothing.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<Vec<u8>>>);

impl BlockCodec for Recorder {
    fn id(&self) -> u8 {
        128
    }

    fn name(&self) -> &str {
        "recorder"
    }

    fn compress(&self, plain: &[u8], _: &mut Vec<u8>) -> Result<()> {
        self.0.lock().expect("one thread").push(plain.to_vec());
        Ok(())
    }

    fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<()> {
        Err(Error::unsupported("nothing was compressed"))
    }
}

/// A table of such rows, on a disk in memory.
fn table(kind: &str, options: &TableOptions) -> Result<(TableContext, TableMeta)> {
    let env = Env::simulated(MemFs::new(), 1);
    let cache = Arc::new(BlockCache::new(0));
    let context = TableContext::new(Arc::clone(&env.fs), env.random, FileUuid::default(), KeyOrder::bytewise(), cache);
    let mut writer = TableWriter::create(&context, options, path(), TableId(1))?;
    for number in 0..ROWS {
        let key = format!("user{number:012}");
        writer.add(InternalKey::new(key.as_bytes(), number + 1, Kind::Value), RowFlags::NONE, &value(kind, number))?;
    }
    let meta = writer.finish()?;
    Ok((context, meta))
}

fn path() -> PathBuf {
    PathBuf::from("table")
}

/// The blocks of a table of such rows that is not compressed.
fn stored_blocks(kind: &str, block_bytes: usize) -> Result<Vec<Vec<u8>>> {
    let (context, meta) = table(kind, &TableOptions { block_bytes, ..TableOptions::default() })?;
    let mut bytes = vec![0; meta.file_bytes as usize];
    context.fs.open(&path())?.read_exact_at(0, &mut bytes)?;
    let (seal, mut at, mut blocks) = (Seal { uuid: meta.uuid }, 128, Vec::new());
    while at < bytes.len() - 128 {
        let (header, stored) = seal.verify(at as u64, &bytes[at..])?;
        if header.region == Region::Data as u8 {
            blocks.push(stored.to_vec());
        }
        at += header.frame_bytes() as usize;
    }
    Ok(blocks)
}

/// One way to compress.
struct Way {
    name: String,
    method: Method,
    has_dictionary: bool,
}

fn ways() -> Result<Vec<Way>> {
    let way = |name: &str, method| Way { name: name.into(), method, has_dictionary: false };
    let mut ways = vec![way("none", Method::None), way("lz4", Method::Lz4)];
    for level in [1, 3, 6, 9] {
        for has_dictionary in [false, true] {
            let name = format!("zstd-{level}{}", if has_dictionary { "+dictionary" } else { "" });
            ways.push(Way { name, method: Method::Zstd(ZstdLevel::new(level)?), has_dictionary });
        }
    }
    Ok(ways)
}

/// Blocks of one size: as they are, and as they are compressed.
struct Blocks {
    kind: String,
    block_bytes: usize,
    as_they_are: Vec<Vec<u8>>,
    plain: Vec<Vec<u8>>,
}

impl Blocks {
    fn new(kind: &str, block_bytes: usize) -> Result<Self> {
        let as_they_are = stored_blocks(kind, block_bytes)?;
        let recorder = Arc::new(Recorder::default());
        let codec = Method::Other(Arc::clone(&recorder) as Arc<dyn BlockCodec>);
        table(kind, &TableOptions { block_bytes, codec, ..TableOptions::default() })?;
        let plain = std::mem::take(&mut *recorder.0.lock().expect("one thread"));
        Ok(Self { kind: kind.into(), block_bytes, as_they_are, plain })
    }

    /// Those that are measured.
    fn measured(blocks: &[Vec<u8>]) -> impl Iterator<Item = &Vec<u8>> {
        blocks.iter().step_by(MEASURED)
    }

    /// From others than those that are measured.
    fn dictionary(&self) -> Option<Arc<Dictionary>> {
        let others = || self.plain.iter().enumerate().filter(|(number, _)| number % MEASURED > 0).map(|(_, block)| block);
        let others = || others().take(1 << 20 >> 12);
        let samples: Vec<u8> = others().flatten().copied().collect();
        let lens: Vec<usize> = others().map(Vec::len).collect();
        Dictionary::train(&samples, &lens, DICTIONARY_BYTES, ZstdLevel::FASTEST).map(Arc::new)
    }
}

/// Blocks, packed in one way.
struct Measured<'a> {
    blocks: &'a Blocks,
    packer: Packer,
    table: Table,
    /// A key of each block.
    keys: Vec<Vec<u8>>,
}

impl<'a> Measured<'a> {
    fn new(blocks: &'a Blocks, way: &Way) -> Result<Self> {
        let known = if way.has_dictionary { blocks.dictionary() } else { None };
        let packer = Packer::new(way.method.clone(), known.clone());
        let dictionary = DictionaryOptions { bytes_max: 0, known, table_bytes: u64::MAX };
        let (block_bytes, codec) = (blocks.block_bytes, way.method.clone());
        let options = TableOptions { block_bytes, codec, dictionary, filter_bits_per_key: 0, ..TableOptions::default() };
        let (context, meta) = table(&blocks.kind, &options)?;
        let table = Arc::new(Table::open(&context, &path(), &meta)?);
        let (mut cursor, mut keys) = (table.cursor(), Vec::new());
        cursor.seek_to_first()?;
        while let Some(block) = cursor.whole_block() {
            keys.push(block.first_key().to_vec());
            cursor.pass_block()?;
        }
        Ok(Self { blocks, packer, table: Table::open(&context, &path(), &meta)?, keys })
    }

    fn count(&self) -> usize {
        self.keys.iter().step_by(MEASURED).len()
    }

    fn pack(&mut self) -> usize {
        let Blocks { as_they_are, plain, .. } = self.blocks;
        let mut bytes = 0;
        for (block, as_it_is) in Blocks::measured(plain).zip(Blocks::measured(as_they_are)) {
            let packed = self.packer.pack(block, as_it_is.len()).expect("blocks are compressed");
            bytes += black_box(packed).map_or(as_it_is.len(), |(_, stored)| stored.len());
        }
        bytes
    }

    fn ratio(&mut self) -> f64 {
        self.pack() as f64 / Blocks::measured(&self.blocks.as_they_are).map(Vec::len).sum::<usize>() as f64
    }

    /// Reads from memory, proves, unpacks, expands, and looks for one key.
    fn load(&self) {
        for key in self.keys.iter().step_by(MEASURED) {
            let found = self.table.get(key, self.table.key_hash(key), SEQNO_MAX).expect("it was written");
            assert!(black_box(found).is_some());
        }
    }
}

/// The best of several rounds, in nanoseconds a block.
fn best(env: &Env, blocks: usize, mut run: impl FnMut()) -> f64 {
    let mut time = || {
        let start = env.clock.monotonic_us();
        run();
        env.clock.monotonic_us() - start
    };
    (0..ROUNDS).map(|_| time()).min().unwrap_or(0) as f64 * 1000.0 / blocks as f64
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (kind, method) = (arguments.next(), arguments.next());
    let env = Env::system();
    if let (Some(kind), Some(method)) = (&kind, &method) {
        let kib = arguments.next().and_then(|kib| kib.parse().ok()).unwrap_or(4);
        let blocks = Blocks::new(kind, kib << 10)?;
        for way in ways()?.iter().filter(|way| way.name == *method) {
            let measured = Measured::new(&blocks, way)?;
            (0..LOADS).for_each(|_| measured.load());
            println!("{} blocks, {LOADS} times", measured.count());
        }
        return Ok(());
    }
    for kind in kind.as_deref().map_or(vec!["json", "repeating", "random"], |kind| vec![kind]) {
        for block_bytes in [4 << 10, 8 << 10, 16 << 10] {
            println!("| {kind}, {} KiB | ratio | pack, ns | load, ns |\n|---|---|---|---|", block_bytes >> 10);
            let blocks = Blocks::new(kind, block_bytes)?;
            for way in ways()? {
                let mut measured = Measured::new(&blocks, &way)?;
                let count = measured.count();
                let pack = best(&env, count, || {
                    measured.pack();
                });
                let load = best(&env, count, || measured.load());
                println!("| {} | {:.3} | {pack:.0} | {load:.0} |", way.name, measured.ratio());
            }
        }
    }
    Ok(())
}
