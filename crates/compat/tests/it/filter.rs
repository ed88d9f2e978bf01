//! Compaction filters (API 16).

use crate::common::{World, appending};
use lsm_tree::{
    AbstractTree, Error, Result, SeqNo, Tree, UserValue, ValueType,
    compaction::{CompactionAction, CompactionFilter, Factory, ItemAccessor, Leveled, PullDown, Verdict, filter::Context},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

type Seen = Arc<Mutex<Vec<String>>>;

/// Does what a value says, and notes what it is shown.
struct Obedient(Seen);

impl Factory for Obedient {
    fn name(&self) -> &str {
        "obedient"
    }

    fn make_filter(&self, ctx: &Context) -> Box<dyn CompactionFilter> {
        self.note(format!("made, last level {}", ctx.is_last_level));
        Box::new(Self(Arc::clone(&self.0)))
    }
}

impl Obedient {
    fn note(&self, text: String) {
        self.0.lock().expect("whole").push(text);
    }
}

impl CompactionFilter for Obedient {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _ctx: &Context) -> Result<Verdict> {
        assert!(!item.is_indirection());
        let value = item.value()?;
        self.note(format!("{}@{}", String::from_utf8_lossy(item.key()), item.seqno()));
        Ok(match &*value {
            b"remove" => Verdict::Remove,
            b"weak" => Verdict::RemoveWeak,
            b"replace" => Verdict::ReplaceValue(UserValue::from("replaced")),
            b"destroy" => Verdict::Destroy,
            b"fail" => return Err(Error::Unrecoverable),
            _ => Verdict::default(),
        })
    }

    fn finish(self: Box<Self>) {
        self.note("finished".to_owned());
    }
}

fn world() -> Result<(World, Seen)> {
    let seen = Seen::default();
    let factory: Arc<dyn Factory> = Arc::new(Obedient(Arc::clone(&seen)));
    Ok((World::with(|config| config.with_compaction_filter_factory(Some(factory)))?, seen))
}

#[test]
fn verdicts_are_carried_out() -> Result<()> {
    let (world, _) = world()?;
    for value in ["keep", "remove", "weak", "replace", "destroy"] {
        world.put(value, value);
    }
    world.flush();
    assert_eq!(world.keys().len(), 5, "a flush asks nobody");
    world.major(0);
    assert_eq!(
        (world.keys(), world.get("replace").as_deref()),
        (vec!["keep".to_owned(), "replace".to_owned()], Some("replaced"))
    );
    assert_eq!(world.tree.tombstone_count(), 0, "evicted on the last level");
    Ok(())
}

#[test]
fn destroyed_rows_uncover_older_ones_and_removed_ones_do_not() -> Result<()> {
    let (world, _) = world()?;
    for key in ["d", "r"] {
        world.put(key, "old");
    }
    world.flush();
    world.tree.compact(Arc::new(PullDown(0, 6)), 0)?;
    world.put("d", "destroy");
    world.put("r", "remove");
    world.flush();
    world.tree.compact(Arc::new(PullDown(0, 1)), 0)?;
    assert_eq!((world.get("d").as_deref(), world.get("r")), (Some("old"), None));
    Ok(())
}

#[test]
fn a_filter_sees_what_stays_and_no_tombstones() -> Result<()> {
    let (world, seen) = world()?;
    world.put("a", "old");
    let newest = world.put("a", "new");
    world.remove("b");
    world.write(|tree, now| {
        tree.remove_weak("c", now);
    });
    world.flush();
    assert!(seen.lock().expect("whole").is_empty(), "a flush asks nobody");
    world.major(SeqNo::MAX);
    let seen = std::mem::take(&mut *seen.lock().expect("whole"));
    assert_eq!(seen, ["made, last level true".to_owned(), format!("a@{newest}"), "finished".to_owned()]);
    Ok(())
}

#[test]
fn an_error_ends_the_compaction_which_then_changes_nothing() -> Result<()> {
    let (world, _) = world()?;
    world.put("a", "a");
    world.put("f", "fail");
    world.flush();
    let result = world.tree.major_compact(64 << 20, 0);
    assert!(matches!(result, Err(Error::Unrecoverable)), "{result:?}");
    assert_eq!((world.keys().len(), world.tree.table_count()), (2, 1));
    Ok(())
}

#[test]
fn a_filter_sees_every_version_that_stays() -> Result<()> {
    let (world, seen) = world()?;
    world.put("a", "old");
    world.put("a", "new");
    world.flush();
    world.compact(PullDown(0, 6), 0);
    let above = world.put("b", "b");
    world.flush();
    world.compact(PullDown(0, 1), 0);
    let seen = std::mem::take(&mut *seen.lock().expect("whole"));
    let above = format!("b@{above}");
    let last = ["made, last level true", "a@1", "a@0", "finished"];
    assert_eq!(seen, [&last[..], &["made, last level false", &above, "finished"]].concat(), "one filter for each compaction");
    Ok(())
}

#[test]
fn verdicts_above_the_last_level_keep_the_number() -> Result<()> {
    let (world, _) = world()?;
    for key in ["remove", "replace", "weak"] {
        world.put(key, "old");
    }
    world.flush();
    world.compact(PullDown(0, 6), 0);
    let numbers = ["remove", "replace", "weak"].map(|key| world.put(key, key));
    world.flush();
    world.compact(PullDown(0, 1), 0);
    let version = world.tree.current_version();
    let table = version.level(1).expect("there").tables().next().expect("one");
    let rows: Vec<_> = table.iter().map(|row| row.map(|row| (row.key.seqno, row.key.value_type))).collect::<Result<_>>()?;
    let kinds = [ValueType::Tombstone, ValueType::Value, ValueType::WeakTombstone];
    assert_eq!(rows, numbers.into_iter().zip(kinds).collect::<Vec<_>>());
    assert_eq!(world.get("replace").as_deref(), Some("replaced"));
    Ok(())
}

#[test]
fn a_move_asks_nobody() -> Result<()> {
    let (world, seen) = world()?;
    world.put("a", "remove");
    world.flush();
    assert_eq!(world.compact(Leveled::default(), 0).action, CompactionAction::Moved);
    assert_eq!((seen.lock().expect("whole").len(), world.keys()), (0, vec!["a".to_owned()]));
    Ok(())
}

#[test]
fn operands_are_passed_raw_and_stay_operands() -> Result<()> {
    let (world, seen) = world()?;
    let first = world.merge("k", "replace");
    let second = world.merge("k", "b");
    world.flush();
    world.major(0);
    assert_eq!(world.rows(), [format!("k@{first} M"), format!("k@{second} M")]);
    assert!(seen.lock().expect("whole").contains(&format!("k@{first}")));
    let world = world.reopened(appending)?;
    assert_eq!(world.get("k").as_deref(), Some("replacedb"));
    Ok(())
}

/// Keeps everything, and asks its tree meanwhile whether it compacts.
struct Asking(Arc<Mutex<Option<Tree>>>, Arc<AtomicBool>);

impl Factory for Asking {
    fn name(&self) -> &str {
        "asking"
    }

    fn make_filter(&self, _ctx: &Context) -> Box<dyn CompactionFilter> {
        let tree = self.0.lock().expect("whole");
        self.1.store(tree.as_ref().is_some_and(|tree| tree.is_compacting()), Ordering::Relaxed);
        Box::new(Obedient(Seen::default()))
    }
}

#[test]
fn a_tree_says_that_it_compacts() -> Result<()> {
    let (own, seen) = (Arc::default(), Arc::default());
    let factory = Asking(Arc::clone(&own), Arc::clone(&seen));
    let world = World::with(|config| config.with_compaction_filter_factory(Some(Arc::new(factory))))?;
    let tree: Tree = world.tree.clone().try_into().expect("standard");
    *own.lock().expect("whole") = Some(tree.clone());
    world.put("a", "a");
    world.flush();
    world.major(0);
    assert!(seen.load(Ordering::Relaxed) && !tree.is_compacting());
    own.lock().expect("whole").take();
    Ok(())
}
