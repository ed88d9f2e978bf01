//! What large compactions leave in the memory of the system.

use crate::model::{Helping, Pair, go_on, small_options};
use sediment_base::{KeyOrder, Result, stats::Counter};
use sediment_env::{Env, MemFs};
use sediment_tree::TreeOptions;
use std::{collections::BTreeMap, path::PathBuf};

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:05}").into_bytes()
}

fn write_all(pair: &mut Pair) -> Result<()> {
    (0..1000).try_for_each(|number| pair.write(&key(number), Some(&[7; 100])))?;
    pair.flush()
}

fn read(pair: &Pair, numbers: std::ops::Range<u32>) -> Result<()> {
    for number in numbers {
        assert!(pair.tree.get(&key(number), pair.next)?.is_some());
    }
    Ok(())
}

/// A run of a thousand rows over another, which together are so much too small.
fn two_runs(disk: &MemFs, missing_bytes: u64) -> Result<Pair> {
    let options = TreeOptions { table_bytes: 16 << 10, ..small_options(KeyOrder::bytewise()) };
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), 1), options)?;
    write_all(&mut pair)?;
    pair.compact_all()?;
    write_all(&mut pair)?;
    assert!(disk.evicted().is_empty(), "nothing is large by default");
    pair.options.cold_input_bytes = file_bytes(&pair).values().sum::<u64>() + missing_bytes;
    pair.tree.set_options(&pair.options)?;
    Ok(pair)
}

/// Bytes that the system was told not to keep, by file, each once.
fn evicted(disk: &MemFs) -> BTreeMap<PathBuf, u64> {
    let (mut all, mut files) = (disk.evicted(), BTreeMap::new());
    all.sort_by(|(a, x), (b, y)| a.cmp(b).then(x.start.cmp(&y.start)));
    for (file, bytes) in all {
        let (count, end) = files.entry(file).or_insert((0, 0));
        *count += bytes.end.saturating_sub(bytes.start.max(*end));
        *end = bytes.end.max(*end);
    }
    files.into_iter().map(|(file, (count, _))| (file, count)).collect()
}

fn file_bytes(pair: &Pair) -> BTreeMap<PathBuf, u64> {
    let metas = pair.tree.table_metas().concat().concat();
    metas.iter().map(|meta| (PathBuf::from(format!("/tree/tables/{}", meta.id.0)), meta.file_bytes)).collect()
}

#[test]
fn a_large_one_leaves_nothing_of_what_nobody_reads() -> Result<()> {
    for helping in [None, Some(Helping::inline(3)), Some(Helping::threads(3))] {
        let disk = MemFs::new();
        let mut pair = two_runs(&disk, 0)?;
        pair.helping = helping;
        let inputs = file_bytes(&pair);
        pair.compact_all()?;
        let (evicted, outputs) = (evicted(&disk), file_bytes(&pair));
        assert!(outputs.keys().all(|file| !inputs.contains_key(file)));
        for (file, bytes) in inputs.iter().chain(&outputs) {
            let evicted = evicted.get(file).copied().unwrap_or(0);
            // What is read when it is opened stays: fence, filter and properties.
            assert!((bytes / 2..*bytes).contains(&evicted), "{evicted} of {bytes} in {}", file.display());
        }
        let counted = pair.options.stats.get(Counter::CompactionBytesEvicted);
        let all: u64 = evicted.values().sum();
        // Two portions may both read the block at their border.
        assert!((all..=all + 30 * 512).contains(&counted), "{counted}, {all}");
        read(&pair, 0..1000)?;
    }
    Ok(())
}

#[test]
fn blocks_that_are_handed_on_stay() -> Result<()> {
    let disk = MemFs::new();
    let pair = two_runs(&disk, 0)?;
    (0..3).try_for_each(|_| read(&pair, 0..1000))?;
    pair.compact_all()?;
    let (evicted, outputs) = (evicted(&disk), file_bytes(&pair));
    assert!(outputs.keys().all(|file| !evicted.contains_key(file)), "all is wanted: {evicted:?}");
    assert!(!evicted.is_empty(), "older rows are not, and were read");
    Ok(())
}

#[test]
fn flushes_and_small_compactions_leave_everything() -> Result<()> {
    let disk = MemFs::new();
    two_runs(&disk, 1)?.compact_all()?;
    assert_eq!(evicted(&disk), BTreeMap::new());
    // A flush is of no size that counts.
    let disk = MemFs::new();
    let options = TreeOptions { cold_input_bytes: 1, ..small_options(KeyOrder::bytewise()) };
    write_all(&mut Pair::create_with(Env::simulated(disk.clone(), 1), options)?)?;
    assert_eq!(evicted(&disk), BTreeMap::new());
    Ok(())
}

/// What comes into the first level, while there are deeper ones, is soon compacted again.
#[test]
fn only_deep_levels_are_cold() -> Result<()> {
    let disk = MemFs::new();
    let options = TreeOptions { cold_input_bytes: 1, ..small_options(KeyOrder::bytewise()) };
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), 1), options)?;
    let (mut shallow, mut deep) = (0, 0);
    for _ in 0..6 {
        write_all(&mut pair)?;
        while let Some(plan) = pair.tree.pick_compaction(9) {
            let (text, before) = (plan.to_string(), disk.evicted().len());
            let target: usize = text.rsplit(' ').next().expect("a level").parse().expect("its number");
            let levels = pair.tree.table_metas();
            let has_tables = |levels: &[Vec<_>]| levels.iter().any(|level| !level.is_empty());
            let is_shallow = has_tables(&levels[target + 1..]) && !has_tables(&levels[1..target]);
            let report = pair.tree.compact(plan, &pair.compaction(&go_on))?;
            if !report.moved {
                assert_eq!(disk.evicted().len() == before, is_shallow, "{text}");
                shallow += u32::from(is_shallow);
                deep += u32::from(!is_shallow);
            }
        }
    }
    assert!(shallow > 0 && deep > 0, "{shallow}, {deep}");
    Ok(())
}
