//! Sorted rows straight into tables: seen at once or not at all, and newer than what was there, wherever that is.

use crate::model::{Ends, Pair};
use sediment_base::{ErrorKind, KeyOrder, Result};
use sediment_env::{Env, Fs, fs::MemFs};
use std::{ops::Bound, path::Path};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:04}").into_bytes()
}

fn tables_on_disk(pair: &Pair) -> usize {
    pair.env.fs.read_dir(Path::new("/tree/tables")).unwrap().len()
}

#[test]
fn rows_are_seen_once_it_is_finished_and_go_below_what_they_do_not_meet() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for number in 0..40 {
        pair.write(&key(number), Some(b"old"))?;
    }
    pair.flush()?;
    pair.compact_all()?;
    let rows: Vec<_> = (1000..1400).map(|number| (key(number), Some(vec![7; 40]))).collect();
    let before = pair.next;
    let report = pair.ingest(&rows)?;
    assert!(report.rows == 400 && report.level > 0 && report.tables > 2, "nothing lies in its way: {report:?}");
    assert_eq!(pair.scanned(&ALL, before)?.len(), 40, "a reader of before does not see them");
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    pair.reopen()?;
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    assert_eq!(pair.tree.highest_seqno(), Some(pair.next - 1));
    assert!(pair.tree.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn they_are_newer_than_memtables_and_tables_and_older_than_what_follows() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    for number in 0..30 {
        pair.write(&key(number), Some(b"in a table"))?;
    }
    pair.flush()?;
    for number in 0..20 {
        pair.write(&key(number), Some(b"in the memtable"))?;
    }
    pair.pins.push(pair.next);
    let rows = [(key(3), Some(b"ingested".to_vec())), (key(4), None), (key(25), Some(b"ingested".to_vec()))];
    pair.ingest(&rows)?;
    pair.write(&key(3), Some(b"later"))?;
    let pinned = pair.pins[0];
    for _ in 0..3 {
        for seqno in [pinned, pair.next] {
            assert_eq!(pair.scanned(&ALL, seqno)?, pair.expected_range(&ALL, seqno), "at {seqno}");
            for number in 0..30 {
                let found = pair.tree.get(&key(number), seqno)?.map(|value| value.to_vec());
                assert_eq!(found, pair.expected(&key(number), seqno), "{number} at {seqno}");
            }
        }
        pair.flush()?;
        pair.compact_all()?;
    }
    Ok(())
}

#[test]
fn keys_out_of_order_are_refused_and_harmless() -> Result<()> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    let mut ingestion = pair.tree.ingest(1);
    ingestion.insert(b"b", b"1")?;
    for late in [&b"b"[..], b"a", b""] {
        assert_eq!(ingestion.insert(late, b"2").unwrap_err().kind(), ErrorKind::InvalidInput, "{late:?}");
    }
    ingestion.insert(b"c", b"3")?;
    ingestion.finish(pair.next)?;
    pair.next += 1;
    let keys: Vec<_> = pair.scanned(&ALL, pair.next)?.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"b", b"c"]);
    Ok(())
}

#[test]
fn what_is_not_finished_leaves_nothing() -> Result<()> {
    let pair = Pair::create_on(MemFs::new(), KeyOrder::bytewise(), 1)?;
    let mut ingestion = pair.tree.ingest(1);
    for number in 0..1000 {
        ingestion.insert(&key(number), &[1; 60])?;
    }
    assert!(tables_on_disk(&pair) > 3);
    drop(ingestion);
    while pair.tree.reclaim_one() {}
    assert_eq!((tables_on_disk(&pair), pair.scanned(&ALL, 99)?.len()), (0, 0));
    let empty = pair.tree.ingest(1);
    assert!(empty.is_empty());
    assert_eq!(empty.finish(5)?.tables, 0);
    Ok(())
}

#[test]
fn every_crash_shows_all_of_it_or_nothing() -> Result<()> {
    let disk = MemFs::new();
    disk.create_dir(Path::new("/tree"))?;
    disk.record();
    let mut pair = Pair::create_on(disk.clone(), KeyOrder::bytewise(), 1)?;
    let begin = disk.op_count();
    let rows: Vec<_> = (0..200).map(|number| (key(number), Some(vec![7; 40]))).collect();
    pair.ingest(&rows)?;
    let end = disk.op_count();
    let (history, mut images) = (disk.history(), 0);
    for point in history.points().filter(|point| *point > begin) {
        history.for_each_image(point, &sediment_env::fs::CrashPlan::ci(), &mut |name, image| {
            images += 1;
            let env = Env::simulated(image, 9);
            let tree = sediment_tree::Tree::open(&env, &pair.dir, pair.options.clone()).expect("opens");
            let found = tree.range::<Vec<u8>, _>(.., pair.next).count();
            let is_whole = found == 200 || found == 0 && point < end;
            assert!(is_whole, "{found} rows in image {name}");
        });
    }
    assert!(images > 100, "{images}");
    Ok(())
}
