//! What reads and writes cost with checksums of rows and without, for counting instructions. Run it twice under callgrind with another
//! count: what differs, divided by what the counts differ by, is the cost of one row.
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/entry_checksums 100000 get on
//! ```

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sedimentdb::{Db, Env, Keyspace, KeyspaceOptions, Options, env::MemFs};
use std::hint::black_box;

const ROWS: u64 = 2_000;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"user____--------";
    key[8..].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    key
}

fn fill(users: &Keyspace, rows: u64) -> sedimentdb::Result<()> {
    (0..rows).try_for_each(|number| users.insert(key(number), [7; 100]))
}

fn scan(users: &Keyspace, rows: u64) -> sedimentdb::Result<u64> {
    let mut scanned = 0;
    while scanned < rows {
        let mut iter = users.iter();
        while let Some(row) = iter.next_ref()? {
            black_box(row);
            scanned += 1;
        }
    }
    Ok(scanned)
}

fn main() -> sedimentdb::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let count: u64 = args.first().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let what = args.get(1).map_or("get", String::as_str);
    let entry_checksums = Some(args.get(2).is_some_and(|switch| switch == "on"));
    let mut options = Options::default();
    options.expert.background_threads = Some(0);
    let db = Db::builder("db").options(options).env(Env::simulated(MemFs::new(), 1)).open()?;
    let users = db.keyspace_with("users", KeyspaceOptions { entry_checksums, ..KeyspaceOptions::default() })?;
    fill(&users, if what.starts_with("insert") { count } else { ROWS })?;
    if !what.ends_with("memtable") {
        db.flush()?;
    }
    let found = match what {
        "get" | "get-memtable" => (0..ROWS + count)
            .filter(|read| black_box(users.get(key(read * 7_919 % ROWS))).is_ok_and(|value| value.is_some()))
            .count() as u64,
        "scan" | "scan-memtable" => scan(&users, count)?,
        "insert-compact" => db.compact().map(|()| count)?,
        _ => count,
    };
    println!("{found} rows");
    Ok(())
}
