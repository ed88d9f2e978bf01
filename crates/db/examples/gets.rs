//! Point reads of blocks in the cache, by filters (`table`) or locators (`locator`), and of a memtable, for counting instructions. Run it twice under callgrind with another
//! number of reads: what differs, divided by the reads that differ, is the cost of one.
//!
//! ```text
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null target/release/examples/gets 100000 table
//! ```

#![expect(clippy::print_stdout, reason = "it reports to people")]

use sedimentdb::{Db, Env, Options, env::MemFs};
use std::hint::black_box;

const ROWS: u64 = 2_000;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"user____--------";
    key[8..].copy_from_slice(&(number % ROWS).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    key
}

fn main() -> sedimentdb::Result<()> {
    let mut args = std::env::args().skip(1);
    let reads: u64 = args.next().and_then(|reads| reads.parse().ok()).unwrap_or(100_000);
    let place = args.next().unwrap_or_else(|| "table".to_owned());
    let mut options = Options::default();
    options.expert.background_threads = Some(0);
    options.expert.locators = Some(place == "locator");
    let db = Db::builder("db").options(options).env(Env::simulated(MemFs::new(), 1)).open()?;
    let users = db.keyspace("users")?;
    for number in 0..ROWS {
        users.insert(key(number), [7; 100])?;
    }
    if place != "memtable" {
        db.flush()?;
    }
    for number in 0..ROWS {
        users.get(key(number))?;
    }
    let found = (0..reads).filter(|read| black_box(users.get(key(read * 7_919))).is_ok_and(|value| value.is_some())).count();
    println!("{found} of {reads} reads found their row");
    Ok(())
}
