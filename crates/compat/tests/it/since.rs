//! What was written since a number (API 23).

use crate::common::World;
use lsm_tree::{AbstractTree, Result, ScanSinceEvent};

#[test]
fn events_ascend_from_the_number_on() -> Result<()> {
    let world = World::new()?;
    let first = world.put("a", "old");
    world.put("a", "new");
    world.flush();
    world.remove("b");
    world.write(|tree, now| {
        tree.remove_weak("c", now);
    });
    world.write(|tree, now| {
        tree.merge("m", "operand", now);
    });
    let range = world.write(|tree, now| {
        tree.remove_range("x", "y", now);
    });
    let events: Vec<_> = world.tree.scan_since_seqno(0)?.collect();
    assert!(events.iter().map(ScanSinceEvent::seqno).is_sorted());
    assert_eq!(events.len(), 6, "superseded versions are there");
    assert_eq!(events[0], ScanSinceEvent::Insert { key: "a".into(), value: "old".into(), seqno: first });
    assert!(matches!(&events[2], ScanSinceEvent::PointTombstone { key, .. } if *key == "b"));
    assert!(matches!(&events[3], ScanSinceEvent::PointTombstone { key, .. } if *key == "c"));
    assert!(matches!(&events[4], ScanSinceEvent::MergeOperand { operand, .. } if *operand == "operand"));
    let expected = ScanSinceEvent::RangeTombstone { start_key: "x".into(), end_key: "y".into(), seqno: range };
    assert_eq!(events[5], expected);
    assert_eq!(world.tree.scan_since_seqno(range)?.collect::<Vec<_>>(), [expected], "the number itself is in it");
    assert_eq!(world.tree.scan_since_seqno(range + 1)?.count(), 0);
    Ok(())
}

#[test]
fn ingested_rows_have_the_number_of_their_ingestion() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    let mut rows = world.tree.ingestion()?;
    rows.write("i", "i")?;
    rows.finish()?;
    let events: Vec<_> = world.tree.scan_since_seqno(1)?.collect();
    assert!(matches!(&events[..], [ScanSinceEvent::Insert { key, seqno, .. }] if *key == "i" && *seqno > 0), "{events:?}");
    let tree: lsm_tree::Tree = world.tree.clone().try_into().expect("standard");
    assert_eq!(tree.scan_since_seqno(0)?.count(), 2);
    Ok(())
}

#[test]
fn what_comes_later_is_not_in_it() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    let events = world.tree.scan_since_seqno(0)?;
    world.put("b", "b");
    world.flush();
    assert_eq!(events.count(), 1);
    Ok(())
}

#[test]
fn tables_of_both_settings_are_read_together() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.tree.update_runtime_config(|config| config.seqno_in_index = true)?;
    let middle = world.put("b", "b");
    world.flush();
    let last = world.put("c", "c");
    let since = |seqno| world.tree.scan_since_seqno(seqno).map(|events| events.map(|event| event.seqno()).collect::<Vec<_>>());
    assert_eq!((since(0)?, since(middle)?, since(last)?), (vec![0, middle, last], vec![middle, last], vec![last]));
    Ok(())
}
