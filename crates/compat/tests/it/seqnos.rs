//! Numbers (API 1.1), and those of structural changes (1.2).

use crate::common::{World, io_kind};
use lsm_tree::{
    AbstractTree, Config, MAX_SEQNO, Result, SeqNo, SequenceNumberCounter, SequenceNumberGenerator,
    SharedSequenceNumberGenerator,
    compaction::{CompactionAction, Leveled},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

#[test]
fn a_read_sees_what_has_a_lower_number() -> Result<()> {
    let world = World::new()?;
    world.tree.insert("a", "0", 0);
    assert_eq!((world.get_at("a", 0), world.get_at("a", 1).as_deref()), (None, Some("0")));
    for latest in [SeqNo::MAX, MAX_SEQNO] {
        assert_eq!(world.get_at("a", latest).as_deref(), Some("0"));
        assert_eq!(world.keys_at(latest), ["a"]);
    }
    assert!(world.keys_at(0).is_empty());
    Ok(())
}

#[test]
fn writes_of_a_key_come_in_any_order_of_numbers() -> Result<()> {
    let world = World::new()?;
    for (seqno, value) in [(5, "five"), (2, "two"), (9, "nine")] {
        world.tree.insert("a", value, seqno);
    }
    world.flush();
    world.tree.insert("a", "seven", 7);
    let seen: Vec<_> = [2, 3, 6, 8, 10].into_iter().map(|seqno| world.tree.get("a", seqno)).collect::<Result<_>>()?;
    // The flush took 0, so these numbers are above its stamp.
    let expected = [None, Some("two"), Some("five"), Some("seven"), Some("nine")];
    assert_eq!(
        seen.iter().map(|value| value.as_ref().map(|value| value.to_vec())).collect::<Vec<_>>(),
        expected.map(|value| value.map(|value| value.as_bytes().to_vec()))
    );
    Ok(())
}

#[test]
fn a_counter_gives_the_number_before_it_counts() {
    let counter = SequenceNumberCounter::default();
    assert_eq!((counter.get(), counter.next(), counter.next(), counter.get()), (0, 0, 1, 2));
    let clone = counter.clone();
    clone.set(10);
    counter.fetch_max(7);
    assert_eq!(counter.get(), 10);
    counter.fetch_max(SeqNo::MAX);
    assert_eq!(clone.get(), MAX_SEQNO);
    assert_eq!(SequenceNumberCounter::new(4).next(), 4);
}

#[test]
#[should_panic(expected = "Ran out of sequence numbers")]
fn a_counter_that_has_run_out_panics() {
    SequenceNumberCounter::new(MAX_SEQNO).next();
}

#[test]
#[should_panic(expected = "Sequence number must not use the reserved MSB")]
fn a_counter_does_not_begin_in_the_reserved_half() {
    SequenceNumberCounter::new(MAX_SEQNO + 1);
}

#[test]
#[should_panic(expected = "Sequence number must not use the reserved MSB")]
fn a_counter_is_not_set_into_the_reserved_half() {
    SequenceNumberCounter::default().set(MAX_SEQNO + 1);
}

#[test]
fn a_flush_takes_a_number_and_shows_it() -> Result<()> {
    let world = World::new()?;
    assert_eq!(world.counters(), (0, 0), "opening touches none");
    let now = world.seqno.next();
    world.tree.insert("a", "a", now);
    world.flush();
    assert_eq!(world.counters(), (2, 2), "its stamp was 1");
    world.major(0);
    assert_eq!(world.counters(), (3, 3));
    Ok(())
}

#[test]
fn what_installs_takes_one_and_what_does_not_takes_none() -> Result<()> {
    let world = World::new()?;
    let took = |what: &str, taken: u64, act: &dyn Fn(&World)| {
        let before = world.seqno.get();
        act(&world);
        assert_eq!(world.seqno.get() - before, taken, "{what}");
        assert!(taken == 0 || world.visible.get() == world.seqno.get(), "{what} shows it");
    };
    took("a flush of nothing", 0, &World::flush);
    took("a compaction that finds nothing", 0, &|world| {
        let result = world.tree.compact(Arc::new(Leveled::default()), 0).expect("compacted");
        assert_eq!(result.action, CompactionAction::Nothing);
    });
    took("a major compaction of an empty tree", 1, &|world| world.major(0));
    took("dropping nothing", 1, &|world| world.tree.drop_range::<&str, _>(..).expect("dropped"));
    world.put("a", "a");
    took("a rotation", 0, &|world| assert!(world.tree.rotate_memtable().is_some()));
    took("a flush", 1, &World::flush);
    took("a move", 1, &|world| {
        let result = world.tree.compact(Arc::new(Leveled::default()), 0).expect("compacted");
        assert_eq!(result.action, CompactionAction::Moved);
    });
    took("a major compaction", 1, &|world| world.major(0));
    took("dropping a table", 1, &|world| world.tree.drop_range::<&str, _>(..).expect("dropped"));
    took("an ingestion of nothing", 0, &|world| world.tree.ingestion().and_then(|rows| rows.finish()).expect("finished"));
    took("an ingestion: its rows, and its stamp", 2, &|world| {
        let mut rows = world.tree.ingestion().expect("begun");
        rows.write("i", "i").expect("written");
        rows.finish().expect("finished");
    });
    took("a clear", 1, &|world| world.tree.clear().expect("cleared"));
    Ok(())
}

#[test]
fn neither_counter_is_touched_at_opening() -> Result<()> {
    let world = World::new()?;
    (0..5).for_each(|_| {
        world.put("a", "a");
    });
    world.flush();
    let folder = world.folder;
    drop(world.tree);
    let (seqno, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
    let tree = Config::new(&folder, seqno.clone(), visible.clone()).open()?;
    assert_eq!((seqno.get(), visible.get(), tree.version_free_list_len()), (0, 0, 0));
    assert_eq!(tree.get_highest_seqno(), Some(4));
    Ok(())
}

/// Gives even numbers alone.
#[derive(Debug, Default)]
struct Even(AtomicU64);

impl SequenceNumberGenerator for Even {
    fn next(&self) -> SeqNo {
        self.0.fetch_add(2, Ordering::SeqCst)
    }

    fn get(&self) -> SeqNo {
        self.0.load(Ordering::SeqCst)
    }

    fn set(&self, value: SeqNo) {
        self.0.store(value, Ordering::SeqCst);
    }

    fn fetch_max(&self, value: SeqNo) {
        self.0.fetch_max(value, Ordering::SeqCst);
    }
}

#[test]
fn a_generator_of_the_callers_may_leave_numbers_out() -> Result<()> {
    let (seqno, visible): (SharedSequenceNumberGenerator, SharedSequenceNumberGenerator) =
        (Arc::new(Even::default()), Arc::new(Even::default()));
    let folder = lsm_tree::get_tmp_folder();
    let tree = Config::new_with_generators(&folder, Arc::clone(&seqno), Arc::clone(&visible)).open()?;
    let now = seqno.next();
    tree.insert("a", "a", now);
    tree.flush_active_memtable(0)?;
    assert_eq!((now, seqno.get(), visible.get()), (0, 4, 3), "the stamp was 2");
    assert_eq!(tree.get("a", visible.get())?.as_deref(), Some(&b"a"[..]));
    Ok(())
}

/// Otherwise than in the family: no panic.
#[test]
fn a_read_of_history_that_is_gone_is_an_error() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.flush();
    world.put("a", "new");
    world.flush_with(SeqNo::MAX);
    assert_eq!(io_kind(world.tree.get("a", 1)), Some(std::io::ErrorKind::InvalidInput));
    assert!(world.tree.iter(1, None).all(|row| lsm_tree::Guard::key(row).is_err()));
    assert_eq!(world.get("a").as_deref(), Some("new"));
    Ok(())
}

#[test]
fn the_upper_half_is_reserved() {
    assert_eq!(MAX_SEQNO, 0x7FFF_FFFF_FFFF_FFFF);
    let counter = SequenceNumberCounter::new(MAX_SEQNO);
    assert_eq!(counter.get(), MAX_SEQNO, "it may stand at the end");
    counter.set(MAX_SEQNO);
}

#[test]
fn a_write_has_the_number_that_it_is_given_and_moves_no_counter() -> Result<()> {
    let world = World::new()?;
    world.tree.insert("a", "a", 7);
    world.tree.remove("b", 8);
    world.tree.remove_weak("c", 9);
    world.tree.merge("d", "d", 10);
    world.tree.remove_range("x", "y", 11);
    let mut batch = lsm_tree::WriteBatch::new();
    batch.insert("e", "e");
    world.tree.apply_batch(batch, 12)?;
    assert_eq!(world.counters(), (0, 0));
    let numbers: Vec<_> = world.tree.scan_since_seqno(0)?.map(|event| event.seqno()).collect();
    assert_eq!(numbers, [7, 8, 9, 10, 11, 12]);
    Ok(())
}

#[test]
fn a_flush_that_leaves_nothing_takes_a_number_too() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.remove_weak("a");
    world.flush_with(1);
    assert_eq!((world.tree.table_count(), world.counters()), (0, (3, 3)));
    Ok(())
}

/// Otherwise than in the family: nothing has changed, so there is no version more.
#[test]
fn what_finds_nothing_takes_a_number_and_installs_nothing() -> Result<()> {
    let world = World::new()?;
    world.major(0);
    world.tree.drop_range("x".."y")?;
    assert_eq!((world.counters(), world.tree.version_free_list_len()), ((2, 2), 0));
    Ok(())
}

#[test]
fn a_read_at_0_sees_nothing_even_where_history_is_gone() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.flush();
    world.put("a", "new");
    world.flush_with(SeqNo::MAX);
    assert_eq!(world.tree.get("a", 0)?, None);
    assert!(world.keys_at(0).is_empty() && world.tree.is_empty(0, None)?);
    Ok(())
}

/// Otherwise than in the family, where points and scans disagree.
#[test]
fn points_and_scans_agree_on_rows_of_one_number() -> Result<()> {
    let world = World::new()?;
    world.tree.insert("a", "table", 5);
    world.flush();
    world.tree.insert("a", "memory", 5);
    let point = world.tree.get("a", SeqNo::MAX)?.expect("there");
    let scanned = world.tree.iter(SeqNo::MAX, None).next().expect("there");
    assert_eq!(lsm_tree::Guard::value(scanned)?, point);
    Ok(())
}

#[test]
fn generators_may_be_replaced() -> Result<()> {
    let (seqno, visible) = (SequenceNumberCounter::new(10), SequenceNumberCounter::default());
    let world =
        World::with(|config| config.seqno_generator(seqno.clone().into()).visible_seqno_generator(visible.clone().into()))?;
    world.tree.insert("a", "a", seqno.next());
    world.flush();
    assert_eq!((world.counters(), seqno.get(), visible.get()), ((0, 0), 12, 12));
    Ok(())
}
