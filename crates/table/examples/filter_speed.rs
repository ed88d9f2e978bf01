//! What filters take of space and time on this machine. Run with `--release`; times are nanoseconds, of one thread.
//!
//! A filter is built when its table is finished, so the time of building is what finishing takes longer than without one. *Warm*
//! questions go to one table, *cold* ones each to another of so many that their filters are a few times larger than the processor's
//! cache. Given `count`, it builds and asks once, for a tool that counts instructions.

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sediment_base::{FileUuid, InternalKey, KeyOrder, Kind, Result, RowFlags, TableId};
use sediment_codec::hash::key_hash;
use sediment_env::{Clock, Env, MemFs, SeededRandom};
use sediment_table::{BlockCache, FilterKind, Table, TableContext, TableOptions, TableWriter};
use std::{hint::black_box, path::Path, sync::Arc};

const PATH: &str = "table";
const QUESTIONS: u64 = 1_000_000;
const COLD_BYTES: u64 = 128 << 20;

fn main() -> Result<()> {
    let clock = Env::system().clock;
    let rounds = if std::env::args().any(|arg| arg == "count") { 1 } else { 7 };
    println!(
        "{:12} {:>9} {:>9} {:>8} {:>8} {:>7} {:>7} {:>7}",
        "", "bits/key", "of least", "rate", "build", "found", "absent", "cold"
    );
    for keys in [100_000, 1_000_000] {
        println!("--- {keys} keys");
        let plain = Measure::new(&clock, keys, rounds).finish(&options(FilterKind::SplitBlock, 0))?;
        for bits in [8, 10, 12, 16] {
            Measure::new(&clock, keys, rounds).report(FilterKind::SplitBlock, bits, plain)?;
        }
        for bits in 1..=16 {
            Measure::new(&clock, keys, rounds).report(FilterKind::Burr, bits, plain)?;
        }
    }
    Ok(())
}

fn options(filter: FilterKind, filter_bits_per_key: u8) -> TableOptions {
    TableOptions { filter, filter_bits_per_key, block_bytes: 64 << 10, ..TableOptions::default() }
}

fn key(number: u64) -> [u8; 8] {
    number.swap_bytes().to_le_bytes()
}

fn hash(number: u64) -> u64 {
    key_hash(0, &key(number))
}

/// The table without a filter, and what finishing it takes.
#[derive(Clone, Copy)]
struct Finished {
    bytes: u64,
    us: u64,
}

struct Measure<'a> {
    clock: &'a Arc<dyn Clock>,
    context: TableContext,
    keys: u64,
    rounds: u64,
}

impl<'a> Measure<'a> {
    fn new(clock: &'a Arc<dyn Clock>, keys: u64, rounds: u64) -> Self {
        let (fs, random, cache) = (Arc::new(MemFs::new()), Arc::new(SeededRandom::new(1)), Arc::new(BlockCache::new(1 << 20)));
        let context = TableContext::new(fs, random, FileUuid::default(), KeyOrder::bytewise(), cache);
        Self { clock, context, keys, rounds }
    }

    /// The best of several rounds.
    fn best(&self, mut run: impl FnMut() -> Result<u64>) -> Result<u64> {
        (0..self.rounds).map(|_| run()).try_fold(u64::MAX, |best, us| Ok(best.min(us?)))
    }

    fn time(&self, run: impl FnOnce()) -> u64 {
        let start = self.clock.monotonic_us();
        run();
        self.clock.monotonic_us() - start
    }

    fn finish(&self, options: &TableOptions) -> Result<Finished> {
        let mut bytes = 0;
        let us = self.best(|| {
            let _ = self.context.fs.remove_file(Path::new(PATH));
            let mut writer = TableWriter::create(&self.context, options, PATH.into(), TableId(1))?;
            for number in 0..self.keys {
                writer.add(InternalKey::new(&key(number), 1, Kind::Value), RowFlags::NONE, b"")?;
            }
            let start = self.clock.monotonic_us();
            bytes = writer.finish()?.file_bytes;
            Ok(self.clock.monotonic_us() - start)
        })?;
        Ok(Finished { bytes, us })
    }

    fn report(&self, kind: FilterKind, bits: u8, plain: Finished) -> Result<()> {
        let finished = self.finish(&options(kind, bits))?;
        let filter_bytes = finished.bytes - plain.bytes;
        let bits_per_key = filter_bytes as f64 * 8.0 / self.keys as f64;
        let build = finished.us.saturating_sub(plain.us) as f64 * 1000.0 / self.keys as f64;
        let table = Table::open_alone(&self.context, Path::new(PATH))?;
        let questions = |first: u64, span: u64| (0..QUESTIONS).map(move |i| hash(first + i.wrapping_mul(7_919) % span));
        let (found, absent): (Vec<u64>, Vec<u64>) =
            (questions(0, self.keys).collect(), questions(1 << 40, QUESTIONS).collect());
        let wrong = absent.iter().filter(|hash| table.may_contain(**hash).is_ok_and(|may| may)).count();
        let rate = wrong as f64 / QUESTIONS as f64;
        let ask = |hashes: &[u64]| {
            let us =
                self.best(|| Ok(self.time(|| hashes.iter().for_each(|hash| _ = black_box(table.may_contain(*hash).is_ok())))));
            us.map(|us| us as f64 * 1000.0 / QUESTIONS as f64)
        };
        let (found, warm) = (ask(&found)?, ask(&absent)?);
        let cold = self.cold(filter_bytes, &absent)?;
        // The rate of the one kind is what was asked for, whatever came out of so many questions.
        let least = if kind == FilterKind::Burr { f64::from(bits) } else { -rate.log2() };
        println!(
            "{:12} {bits_per_key:9.3} {:8.2}% {:7.4}% {build:8.1} {found:7.1} {warm:7.1} {cold:7.1}",
            format!("{kind:?} {bits}"),
            (bits_per_key / least - 1.0) * 100.0,
            rate * 100.0,
        );
        Ok(())
    }

    /// What a question takes that finds nothing in the processor's cache.
    fn cold(&self, filter_bytes: u64, absent: &[u64]) -> Result<f64> {
        let count = COLD_BYTES.div_ceil(filter_bytes) as usize;
        let tables: Vec<Table> =
            (0..count).map(|_| Table::open_alone(&self.context, Path::new(PATH))).collect::<Result<_>>()?;
        let us = self.best(|| {
            Ok(self.time(|| {
                for (i, hash) in absent.iter().enumerate() {
                    black_box(tables[i.wrapping_mul(7_919) % count].may_contain(*hash).is_ok());
                }
            }))
        })?;
        Ok(us as f64 * 1000.0 / QUESTIONS as f64)
    }
}
