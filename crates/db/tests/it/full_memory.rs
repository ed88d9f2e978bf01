//! Writers who wait because memory for rows is used up.

use crate::disks::{DIR, small};
use sediment_env::{Env, MemFs};
use sedimentdb::{Db, Result, stats::Counter};
use std::thread;

/// Room that a flush makes is taken by whoever comes first. Who wakes up too late waits on.
#[test]
fn writers_who_take_each_others_room_wait_and_are_not_refused() -> Result<()> {
    let mut options = small();
    options.memory_bytes = 64 << 10;
    options.expert.background_threads = Some(1);
    let db = Db::builder(DIR).options(options).env(Env::simulated(MemFs::new(), 1)).open()?;
    let keyspace = db.keyspace("k")?;
    thread::scope(|scope| {
        for writer in 0..8 {
            let keyspace = &keyspace;
            scope.spawn(move || {
                for number in 0..4000 {
                    keyspace.insert(format!("{writer} {number:04}"), [7; 400]).expect("nothing has failed");
                }
            });
        }
    });
    assert_eq!(keyspace.iter().count(), 32_000);
    assert!(db.stats().counted.counter(Counter::WriteStops) > 0, "memory was never used up");
    Ok(())
}
