//! What readers want stays in memory when a compaction writes it anew, and nothing else comes there.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, Result, stats::Counter};
use sediment_env::{
    Env, FaultFs, MemFs,
    fs::{Call, Fault, FaultRule},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:04}").into_bytes()
}

/// Four hundred rows in one run, of which some are read now and then.
fn read_now_and_then(env: Env) -> Result<Pair> {
    let mut pair = Pair::create_with(env, small_options(KeyOrder::bytewise()))?;
    (0..400).try_for_each(|number| pair.write(&key(number), Some(&[7; 100])))?;
    pair.flush()?;
    pair.compact_all()?;
    (0..3).for_each(|_| assert!(misses(&pair, 100..120) <= 20));
    Ok(pair)
}

/// Blocks that reading these keys has to load.
fn misses(pair: &Pair, numbers: std::ops::Range<u32>) -> u64 {
    let before = pair.options.stats.get(Counter::BlockCacheMisses);
    for number in numbers {
        let found = pair.tree.get(&key(number), pair.next).expect("it can be read");
        assert_eq!(found.map(|value| value.to_vec()), pair.expected(&key(number), pair.next));
    }
    pair.options.stats.get(Counter::BlockCacheMisses) - before
}

/// Every tenth row is written again, and everything rewritten.
fn rewrite(pair: &mut Pair) -> Result<()> {
    (0..40).try_for_each(|number| pair.write(&key(number * 10), Some(&[8; 90])))?;
    pair.flush()?;
    pair.compact_all()
}

#[test]
fn blocks_that_are_wanted_are_there_after_a_compaction() -> Result<()> {
    let mut pair = read_now_and_then(Env::simulated(MemFs::new(), 1))?;
    assert_eq!(misses(&pair, 300..301), 1, "read once, it is not wanted");
    for _ in 0..3 {
        rewrite(&mut pair)?;
        assert_eq!(misses(&pair, 100..120), 0);
    }
    assert_eq!(misses(&pair, 300..301), 1);
    Ok(())
}

#[test]
fn what_cannot_be_read_for_it_fails_nothing() -> Result<()> {
    let disk = MemFs::new();
    let faults = Arc::new(FaultFs::new(Arc::new(disk.clone())));
    let mut pair = read_now_and_then(Env { fs: faults.clone(), ..Env::simulated(disk, 1) })?;
    (0..40).try_for_each(|number| pair.write(&key(number * 10), Some(&[8; 90])))?;
    pair.flush()?;
    // From the edit's sync on, no table can be read.
    let is_installed = AtomicBool::new(false);
    faults.arm(FaultRule::nth(0, Fault::Eio).sticky().matching(move |call, path| {
        let path = path.to_string_lossy();
        is_installed.fetch_or(call == Call::Sync && path.contains("manifest"), SeqCst);
        is_installed.load(SeqCst) && call == Call::Read && path.contains("tables")
    }));
    pair.compact_all()?;
    faults.disarm();
    assert!(!faults.injected().is_empty(), "it was tried");
    assert!(misses(&pair, 0..400) > 0);
    Ok(())
}
