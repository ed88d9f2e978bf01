//! Every way to write: what the database makes of it, across batches, snapshots, flushes and reopenings.

use crate::disks::{DIR, open_env};
use sediment_env::{Env, MemFs};
use sedimentdb::{Comparator, Db, ErrorKind, Keyspace, KeyspaceOptions, MergeOperator, Result};
use std::{cmp::Ordering, ops::Bound, sync::Arc};

fn merging(operator: &str) -> KeyspaceOptions {
    KeyspaceOptions { merge_operator: Some(operator.into()), ..KeyspaceOptions::default() }
}

fn keys(keyspace: &Keyspace) -> Vec<String> {
    keyspace.iter().map(|row| String::from_utf8_lossy(&row.expect("read").0).into_owned()).collect()
}

fn number(keyspace: &Keyspace, key: &str) -> Option<i64> {
    let value = keyspace.get(key).expect("read")?;
    Some(i64::from_le_bytes(value[..].try_into().expect("eight bytes")))
}

#[test]
fn a_range_is_removed_at_its_place_among_the_writes() -> Result<()> {
    let disk = MemFs::new();
    let db = open_env(Env::simulated(disk, 1))?;
    let ks = db.keyspace("ks")?;
    for key in ["a", "b", "c", "d", "e"] {
        ks.insert(key, key)?;
    }
    let before = db.snapshot();
    let mut batch = db.batch();
    batch.insert(&ks, "b2", "early").remove_range(&ks, "b".."d").insert(&ks, "c", "late");
    batch.commit()?;
    assert_eq!(keys(&ks), ["a", "c", "d", "e"]);
    assert_eq!(ks.get("c")?.as_deref(), Some(&b"late"[..]));
    assert_eq!(before.iter(&ks).count(), 5, "a snapshot sees what was");
    db.flush()?;
    db.compact()?;
    assert_eq!((keys(&ks).len(), before.iter(&ks).count()), (4, 5));
    drop(before);
    db.compact()?;
    assert_eq!(keys(&ks), ["a", "c", "d", "e"]);
    Ok(())
}

#[test]
fn every_kind_of_bound_removes_what_a_range_with_it_shows() -> Result<()> {
    let bounds = |key: &str| [Bound::Unbounded, Bound::Included(key.to_owned()), Bound::Excluded(key.to_owned())];
    for low in bounds("b").into_iter().chain(bounds("")) {
        for high in bounds("d").into_iter().chain(bounds("")) {
            let db = open_env(Env::simulated(MemFs::new(), 1))?;
            let ks = db.keyspace("ks")?;
            for key in ["a", "b", "b\0", "c", "d", "d\0", "e", "\u{10FFFF}"] {
                ks.insert(key, "")?;
            }
            let range = (low.clone(), high.clone());
            let gone: Vec<_> = ks.range::<String, _>(range.clone()).map(|row| row.expect("read").0).collect();
            ks.remove_range::<String, _>(range.clone())?;
            assert_eq!(ks.range::<String, _>(range).count(), 0, "{low:?} {high:?}");
            assert_eq!(keys(&ks).len() + gone.len(), 8, "{low:?} {high:?}");
        }
    }
    Ok(())
}

#[test]
fn prefixes_without_a_successor_are_removed_whole() -> Result<()> {
    let db = open_env(Env::simulated(MemFs::new(), 1))?;
    let ks = db.keyspace("ks")?;
    for key in [&b"\xfe\xff"[..], b"\xff", b"\xff\xff\xff", b"a", b"ab", b"b"] {
        ks.insert(key, "")?;
    }
    ks.remove_prefix(b"\xff")?;
    ks.remove_prefix("a")?;
    let left: Vec<_> = ks.iter().map(|row| row.expect("read").0.to_vec()).collect();
    assert_eq!(left, [&b"b"[..], b"\xfe\xff"]);
    ks.remove_prefix("")?;
    assert!(ks.iter().next().is_none());
    Ok(())
}

#[test]
fn merges_survive_what_values_survive() -> Result<()> {
    let disk = MemFs::new();
    let db = open_env(Env::simulated(disk.clone(), 1))?;
    let ks = db.keyspace_with("counters", merging("add"))?;
    let add = |ks: &Keyspace, amount: i64| ks.merge("hits", amount.to_le_bytes());
    add(&ks, 5)?;
    let five = db.snapshot();
    add(&ks, -2)?;
    assert_eq!((number(&ks, "hits"), ks.contains_key("hits")?), (Some(3), true));
    db.flush()?;
    add(&ks, 10)?;
    assert_eq!(number(&ks, "hits"), Some(13));
    assert_eq!(five.get(&ks, "hits")?.as_deref(), Some(&5_i64.to_le_bytes()[..]));
    db.compact()?;
    drop((five, ks));
    db.close()?;
    let db = open_env(Env::simulated(disk, 2))?;
    let ks = db.keyspace("counters")?;
    assert_eq!(ks.options().merge_operator.as_deref(), Some("add"), "stored with it");
    add(&ks, 1)?;
    assert_eq!(number(&ks, "hits"), Some(14));
    ks.remove("hits")?;
    assert_eq!((number(&ks, "hits"), ks.contains_key("hits")?), (None, false));
    add(&ks, 7)?;
    ks.remove_range("a".."b")?;
    db.compact()?;
    assert_eq!(number(&ks, "hits"), Some(7), "nothing of before the remove");
    assert_eq!(ks.iter().next_back().expect("one row")?.1[..], 7_i64.to_le_bytes());
    Ok(())
}

#[test]
fn what_the_operator_refuses_is_told_to_readers_and_nothing_is_lost() -> Result<()> {
    let db = open_env(Env::simulated(MemFs::new(), 1))?;
    let ks = db.keyspace_with("counters", merging("add"))?;
    ks.insert("hits", "not a number")?;
    ks.merge("hits", 1_i64.to_le_bytes())?;
    ks.merge("fine", 1_i64.to_le_bytes())?;
    for _ in 0..2 {
        let error = ks.get("hits").unwrap_err();
        assert!(error.to_string().contains("\"add\"") && error.to_string().contains("8 bytes"), "{error}");
        assert!(ks.iter().any(|row| row.is_err()) && ks.iter().rev().any(|row| row.is_err()));
        assert_eq!(number(&ks, "fine"), Some(1));
        db.compact()?;
    }
    ks.insert("hits", 4_i64.to_le_bytes())?;
    assert_eq!(number(&ks, "hits"), Some(4));
    Ok(())
}

#[test]
fn merging_without_an_operator_is_refused_before_it_is_logged() -> Result<()> {
    let db = open_env(Env::simulated(MemFs::new(), 1))?;
    let ks = db.keyspace("plain")?;
    let error = ks.merge("a", "1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("KeyspaceOptions::merge_operator"), "{error}");
    let error = db.keyspace_with("other", merging("misspelt")).unwrap_err();
    assert!(error.to_string().contains("add, append, max"), "{error}");
    let error = ks.set_options(merging("add")).unwrap_err();
    assert!(error.to_string().contains("for good"), "{error}");
    ks.insert("a", "1")?;
    assert_eq!(keys(&ks), ["a"]);
    Ok(())
}

#[derive(Debug)]
struct Longest;

impl MergeOperator for Longest {
    fn name(&self) -> &str {
        "longest"
    }

    fn fold(&self, _key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> Result<Vec<u8>> {
        let all = base.into_iter().chain(operands.iter().copied());
        Ok(all.max_by_key(|value| value.len()).unwrap_or_default().to_vec())
    }
}

#[test]
fn an_operator_that_is_not_brought_again_loses_nothing() -> Result<()> {
    let disk = MemFs::new();
    let open = |operator: Option<Arc<dyn MergeOperator>>, seed| {
        let builder = Db::builder(DIR).env(Env::simulated(disk.clone(), seed));
        operator.into_iter().fold(builder, |builder, operator| builder.merge_operator(operator)).open()
    };
    let db = open(Some(Arc::new(Longest)), 1)?;
    let ks = db.keyspace_with("names", merging("longest"))?;
    ks.merge("a", "long")?;
    db.flush()?;
    ks.merge("a", "longer")?;
    drop(ks);
    db.close()?;
    let db = open(None, 2)?;
    let ks = db.keyspace("names")?;
    assert!(ks.get("a").unwrap_err().to_string().contains("without the merge operator"));
    let error = ks.merge("a", "longest").unwrap_err();
    assert!(error.to_string().contains("\"longest\"") && error.to_string().contains("DbBuilder"), "{error}");
    db.compact()?;
    drop(ks);
    db.close()?;
    let db = open(Some(Arc::new(Longest)), 3)?;
    assert_eq!(db.keyspace("names")?.get("a")?.as_deref(), Some(&b"longer"[..]));
    Ok(())
}

#[derive(Debug)]
struct Backwards;

impl Comparator for Backwards {
    fn name(&self) -> &str {
        "backwards"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }
}

#[test]
fn an_order_of_keys_is_stored_and_asked_for() -> Result<()> {
    let disk = MemFs::new();
    let builder = |seed| Db::builder(DIR).env(Env::simulated(disk.clone(), seed));
    let options = KeyspaceOptions { comparator: Some("backwards".into()), ..KeyspaceOptions::default() };
    let db = builder(1).comparator(Arc::new(Backwards)).open()?;
    let ks = db.keyspace_with("ks", options)?;
    for key in ["a", "b", "c", "d"] {
        ks.insert(key, "")?;
    }
    assert_eq!(keys(&ks), ["d", "c", "b", "a"]);
    ks.remove_range("c".."a")?;
    assert_eq!(keys(&ks), ["d", "a"]);
    for refused in [ks.remove_range("c"..="a"), ks.remove_prefix("a")] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(ks.prefix("a").next().expect("an error").is_err());
    drop(ks);
    db.close()?;
    let error = builder(2).open().unwrap_err();
    assert!(error.to_string().contains("\"backwards\"") && error.to_string().contains("DbBuilder::comparator"), "{error}");
    let db = builder(3).comparator(Arc::new(Backwards)).open()?;
    assert_eq!(keys(&db.keyspace("ks")?), ["d", "a"]);
    Ok(())
}

#[test]
fn weak_removes_hide_all_that_is_older() -> Result<()> {
    let db = open_env(Env::simulated(MemFs::new(), 1))?;
    let ks = db.keyspace("ks")?;
    ks.insert("a", "1")?;
    db.compact()?;
    ks.insert("a", "2")?;
    ks.remove_weak("a")?;
    for _ in 0..3 {
        assert_eq!(ks.get("a")?, None);
        db.compact()?;
    }
    Ok(())
}

#[test]
fn ingested_rows_are_seen_when_it_is_finished_and_are_durable_then() -> Result<()> {
    let disk = crate::disks::recorded();
    let db = open_env(Env::simulated(disk.clone(), 1))?;
    let ks = db.keyspace("ks")?;
    ks.insert("b", "before")?;
    let before = db.snapshot();
    let mut ingest = ks.ingest()?;
    for key in ["a", "b", "c"] {
        ingest.insert(key, "ingested")?;
    }
    assert_eq!(ingest.insert("b", "again").unwrap_err().kind(), ErrorKind::InvalidInput);
    ks.insert("c", "meanwhile")?;
    assert_eq!(keys(&ks), ["b", "c"]);
    ingest.finish()?;
    assert_eq!(keys(&ks), ["a", "b", "c"]);
    let values: Vec<_> = ks.iter().map(|row| row.expect("read").1).collect();
    assert_eq!(values, ["ingested", "ingested", "ingested"], "newer than what was written before its end");
    assert_eq!(before.iter(&ks).count(), 1);
    ks.insert("c", "after")?;
    assert_eq!(ks.get("c")?.as_deref(), Some(&b"after"[..]));
    drop((before, ks));
    drop(db);
    let db = open_env(Env::simulated(crate::disks::powerless(&disk), 2))?;
    assert_eq!(keys(&db.keyspace("ks")?), ["a", "b", "c"], "what was acknowledged survives a power loss");
    Ok(())
}

#[test]
fn an_ingestion_into_what_was_cleared_or_dropped_is_refused() -> Result<()> {
    let db = open_env(Env::simulated(MemFs::new(), 1))?;
    let ks = db.keyspace("ks")?;
    let begin = || {
        let mut ingest = ks.ingest().expect("begun");
        ingest.insert("a", "1").expect("the first key");
        ingest
    };
    let ingest = begin();
    ks.clear()?;
    assert_eq!(ingest.finish().unwrap_err().kind(), ErrorKind::Conflict);
    let ingest = begin();
    drop(begin());
    db.drop_keyspace("ks")?;
    assert_eq!(ingest.finish().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(ks.ingest().unwrap_err().kind(), ErrorKind::Closed);
    assert!(db.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn a_swap_happens_if_the_key_holds_what_is_expected() -> Result<()> {
    let db = open_env(Env::simulated(MemFs::new(), 1))?;
    let ks = db.keyspace_with("ks", merging("append"))?;
    assert_eq!(ks.compare_and_swap("a", Some(b"1"), Some(b"2"))?, Err(None));
    assert_eq!(ks.compare_and_swap("a", None, Some(b"1"))?, Ok(()));
    assert_eq!(ks.compare_and_swap("a", None, Some(b"2"))?, Err(Some("1".into())));
    ks.merge("a", "2")?;
    assert_eq!(ks.compare_and_swap("a", Some(b"12"), Some(b"3"))?, Ok(()));
    ks.remove_range("a".."b")?;
    assert_eq!(ks.compare_and_swap("a", Some(b"3"), Some(b"4"))?, Err(None));
    assert_eq!(ks.compare_and_swap("a", None, None)?, Ok(()), "nothing stays nothing");
    assert_eq!(ks.compare_and_swap("", None, Some(b"1")).unwrap_err().kind(), ErrorKind::InvalidInput);
    db.drop_keyspace("ks")?;
    assert_eq!(ks.compare_and_swap("a", None, None).unwrap_err().kind(), ErrorKind::Closed);
    Ok(())
}

/// Threads count one number up and another down by swaps alone, beside writers of other keys, and none of the steps is lost.
#[test]
fn swaps_of_many_threads_lose_no_step() -> Result<()> {
    const THREADS: u64 = 4;
    const STEPS: u64 = 300;
    let dir = tempfile::tempdir().expect("a directory");
    let db = Db::open(dir.path())?;
    let ks = db.keyspace("ks")?;
    let step = |key: &str, by: u64| -> Result<()> {
        let mut held = ks.get(key)?;
        loop {
            let number = held.as_ref().map_or(0, |held| u64::from_le_bytes(held[..].try_into().expect("eight bytes")));
            let next = number.wrapping_add(by).to_le_bytes();
            match ks.compare_and_swap(key, held.as_deref(), Some(&next))? {
                Ok(()) => return Ok(()),
                Err(found) => held = found,
            }
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (ks, step) = (&ks, &step);
            scope.spawn(move || {
                for number in 0..STEPS {
                    step("up", 1).expect("swapped");
                    step("down", u64::MAX).expect("swapped");
                    ks.insert(format!("other-{thread}-{number}"), "x").expect("written");
                }
            });
        }
    });
    let number = |key: &str| number(&ks, key).expect("counted");
    assert_eq!(number("up"), (THREADS * STEPS) as i64);
    assert_eq!(number("down"), -((THREADS * STEPS) as i64));
    Ok(())
}
