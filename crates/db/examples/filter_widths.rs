//! How often filters are wrong where each key has as many bits, and where small levels have more: the figures of `docs/filters.md`.
//!
//! ```text
//! cargo run --release -p sedimentdb --example filter_widths -- [rows=400000]
//! ```

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sedimentdb::{Db, Env, FilterKind, FilterWidths, KeyspaceOptions, Options, env::MemFs, stats::Counter};

const ASKED: u64 = 400_000;

fn main() -> sedimentdb::Result<()> {
    let rows = std::env::args().nth(1).and_then(|rows| rows.parse().ok()).unwrap_or(400_000);
    println!("filters                  bits per key   of level 0, 1, 2, 3 (rows)   blocks in vain per 1000 absent keys");
    for (kind, bits) in
        [(FilterKind::SplitBlock, 10), (FilterKind::SplitBlock, 8), (FilterKind::Burr, 8), (FilterKind::Burr, 6)]
    {
        for widths in [FilterWidths::Uniform, FilterWidths::ByLevel] {
            for strategy in ["leveled", "lazy"] {
                measure(rows, kind, bits, widths, strategy)?;
            }
        }
    }
    Ok(())
}

fn measure(rows: u64, kind: FilterKind, bits: u8, widths: FilterWidths, strategy: &str) -> sedimentdb::Result<()> {
    let mut options = Options::default();
    options.expert.background_threads = Some(0);
    let db = Db::builder("db").options(options).env(Env::simulated(MemFs::new(), 1)).open()?;
    let keyspace = db.keyspace_with(
        "k",
        KeyspaceOptions {
            // 32 bytes a row: a hundredth of the rows fits into level 1.
            memtable_bytes: Some((rows as usize / 10).max(8 << 10)),
            table_bytes: Some(rows.max(1 << 10) / 2),
            level_base_bytes: Some((rows * 32 / 110).max(1 << 10)),
            level0_trigger: Some(4),
            level_ratio: Some(10),
            filter: Some(kind),
            filter_bits_per_key: Some(bits),
            filter_widths: Some(widths),
            strategy: Some(strategy.into()),
            ..KeyspaceOptions::default()
        },
    )?;
    // Each is written twice, in another order.
    for number in (0..rows * 2).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % rows) {
        keyspace.insert(key(number), [7; 8])?;
    }
    db.flush()?;
    let before = db.stats().counted;
    for number in 0..ASKED {
        let mut absent = key(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % rows);
        absent.push(b'x');
        assert!(keyspace.get(absent)?.is_none(), "it was not written");
    }
    let stats = db.stats();
    let wrong = stats.counted.since(&before).counter(Counter::FilterFalsePositives);
    let levels = &stats.keyspaces[0].levels;
    let all: u64 = levels.iter().map(|level| level.rows).sum();
    let mean: f64 = levels.iter().map(|level| level.filter_bits_per_key * level.rows as f64).sum::<f64>() / all as f64;
    let each: Vec<_> = levels
        .iter()
        .filter(|level| level.rows > 0)
        .map(|level| format!("{:.2} ({}, {} runs)", level.filter_bits_per_key, level.rows, level.runs))
        .collect();
    let in_vain = wrong as f64 * 1000.0 / ASKED as f64;
    println!("{kind:?} {bits} {widths:?} {strategy}: {mean:.3}   {}   {in_vain:.2}", each.join(", "));
    Ok(())
}

fn key(number: u64) -> Vec<u8> {
    format!("{number:012}").into_bytes()
}
