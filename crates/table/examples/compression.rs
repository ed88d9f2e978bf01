//! What compression takes and saves on this machine, block by block: the table of `docs/compression.md`. Run with `--release`.
//!
//! `compression [rows [method]]`: rows are `json`, `repeating` or `random`; with a method (`lz4`, `zstd-1`, `zstd-3+dictionary`), blocks
//! of 4 KiB alone are unpacked with it, a hundred times each: for a profiler that counts instructions.

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sediment_base::{FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, TableId};
use sediment_codec::{
    compress::{Dictionary, Method, Packed, Packer, Unpacker, ZstdLevel},
    seal::{Region, Seal},
};
use sediment_env::{Env, fs::MemFs};
use sediment_table::{BlockCache, TableContext, TableOptions, TableWriter};
use std::{hint::black_box, path::PathBuf, sync::Arc};

const ROWS: u64 = 40_000;
const ROUNDS: usize = 9;
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

/// The plain blocks of a table of such rows.
fn blocks(kind: &str, block_bytes: usize) -> Result<Vec<Vec<u8>>> {
    let env = Env::simulated(MemFs::new(), 1);
    let cache = Arc::new(BlockCache::new(0));
    let context = TableContext::new(Arc::clone(&env.fs), env.random, FileUuid::default(), KeyOrder::bytewise(), cache);
    let path = PathBuf::from("table");
    let options = TableOptions { block_bytes, ..TableOptions::default() };
    let mut writer = TableWriter::create(&context, &options, path.clone(), TableId(1))?;
    for number in 0..ROWS {
        let key = format!("user{number:012}");
        writer.add(InternalKey::new(key.as_bytes(), number + 1, Kind::Value), RowFlags::NONE, &value(kind, number))?;
    }
    let meta = writer.finish()?;
    let mut bytes = vec![0; meta.file_bytes as usize];
    env.fs.open(&path)?.read_exact_at(0, &mut bytes)?;
    let (seal, mut at, mut blocks) = (Seal { uuid: meta.uuid }, 128, Vec::new());
    while at < bytes.len() - 128 {
        let (header, plain) = seal.open(&Unpacker::default(), at as u64, &bytes[at..])?;
        if header.region == Region::Data as u8 {
            blocks.push(plain.into_owned());
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
    let mut ways = vec![Way { name: "lz4".into(), method: Method::Lz4, has_dictionary: false }];
    for level in [1, 3, 6, 9] {
        for has_dictionary in [false, true] {
            let name = format!("zstd-{level}{}", if has_dictionary { "+dictionary" } else { "" });
            ways.push(Way { name, method: Method::Zstd(ZstdLevel::new(level)?), has_dictionary });
        }
    }
    Ok(ways)
}

/// Blocks, packed in one way.
struct Measured<'a> {
    plain: Vec<&'a [u8]>,
    stored: Vec<(Packed, Vec<u8>)>,
    packer: Packer,
    unpacker: Unpacker,
}

impl<'a> Measured<'a> {
    fn new(blocks: &'a [Vec<u8>], way: &Way) -> Result<Self> {
        let others = || {
            blocks.iter().enumerate().filter(|(number, _)| number % MEASURED > 0).map(|(_, block)| block).take(1 << 20 >> 12)
        };
        let samples: Vec<u8> = others().flatten().copied().collect();
        let lens: Vec<usize> = others().map(Vec::len).collect();
        let dictionary =
            way.has_dictionary.then(|| Dictionary::train(&samples, &lens, DICTIONARY_BYTES, ZstdLevel::FASTEST)).flatten();
        let dictionary = dictionary.map(Arc::new);
        let mut packer = Packer::new(way.method.clone(), dictionary.clone());
        let plain: Vec<&[u8]> = blocks.iter().step_by(MEASURED).map(Vec::as_slice).collect();
        let mut stored = Vec::new();
        for block in &plain {
            let mut out = block.to_vec();
            stored.push((packer.pack_from(0, &mut out)?, out));
        }
        Ok(Self { plain, stored, packer, unpacker: Unpacker::new(Arc::default(), dictionary, None) })
    }

    fn ratio(&self) -> f64 {
        let stored: usize = self.stored.iter().map(|(_, stored)| stored.len()).sum();
        stored as f64 / self.plain.iter().map(|plain| plain.len()).sum::<usize>() as f64
    }

    fn pack(&mut self) {
        let mut out = Vec::new();
        for block in &self.plain {
            out.clear();
            out.extend_from_slice(block);
            black_box(self.packer.pack_from(0, &mut out)).expect("blocks are compressed");
        }
    }

    fn unpack(&self) {
        let mut plain = vec![0; 64 << 10];
        for ((packed, stored), block) in self.stored.iter().zip(&self.plain) {
            self.unpacker.unpack_into(*packed, stored, &mut plain[..block.len()]).expect("it was packed");
            black_box(&plain);
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
        let blocks = blocks(kind, 4096)?;
        for way in ways()?.iter().filter(|way| way.name == *method) {
            let measured = Measured::new(&blocks, way)?;
            (0..100).for_each(|_| measured.unpack());
            println!("{} blocks, 100 times", measured.plain.len());
        }
        return Ok(());
    }
    for kind in kind.as_deref().map_or(vec!["json", "repeating", "random"], |kind| vec![kind]) {
        for block_bytes in [4 << 10, 8 << 10, 16 << 10] {
            println!("| {kind}, {} KiB | ratio | pack, ns | unpack, ns |\n|---|---|---|---|", block_bytes >> 10);
            let blocks = blocks(kind, block_bytes)?;
            for way in ways()? {
                let mut measured = Measured::new(&blocks, &way)?;
                let count = measured.plain.len();
                let (pack, unpack) = (best(&env, count, || measured.pack()), best(&env, count, || measured.unpack()));
                println!("| {} | {:.3} | {pack:.0} | {unpack:.0} |", way.name, measured.ratio());
            }
        }
    }
    Ok(())
}
