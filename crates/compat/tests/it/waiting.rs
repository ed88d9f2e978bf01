//! What goes on at once, and what waits for what (API 4, 8).

use crate::common::World;
use lsm_tree::{
    AbstractTree, Result,
    compaction::{CompactionAction, CompactionFilter, Factory, ItemAccessor, MoveDown, PullDown, Verdict, filter::Context},
};
use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

/// Keeps everything; a compaction says that it has begun, and goes on when it is told to.
struct Held(Mutex<(Sender<()>, Receiver<()>)>);

struct Kept;

impl Factory for Held {
    fn name(&self) -> &str {
        "held"
    }

    fn make_filter(&self, _ctx: &Context) -> Box<dyn CompactionFilter> {
        let ends = self.0.lock().expect("whole");
        // Nobody listens to later compactions, and nobody holds them.
        if ends.0.send(()).is_ok() {
            let _ = ends.1.recv();
        }
        Box::new(Kept)
    }
}

impl CompactionFilter for Kept {
    fn filter_item(&mut self, _item: ItemAccessor<'_>, _ctx: &Context) -> Result<Verdict> {
        Ok(Verdict::Keep)
    }
}

/// Does something on another thread while level 0, of two tables with the key `a`, is being merged into level 1.
fn during_a_compaction(prepare: impl FnOnce(&World), act: impl FnOnce(&World) + Send) -> World {
    let ((begun, begins), (go, goes)) = (channel(), channel());
    let factory = Arc::new(Held(Mutex::new((begun, goes))));
    let world = World::with(|config| config.with_compaction_filter_factory(Some(factory))).expect("opened");
    prepare(&world);
    for _ in 0..2 {
        world.put("a", "a");
        world.flush();
    }
    std::thread::scope(|scope| {
        let world = &world;
        let compacting = scope.spawn(move || world.compact(PullDown(0, 1), 0));
        begins.recv().expect("it begins");
        drop(begins);
        let (started, starts) = channel();
        let acting = scope.spawn(move || {
            started.send(()).expect("heard");
            act(world);
        });
        starts.recv().expect("it starts");
        (0..1000).for_each(|_| std::thread::yield_now());
        go.send(()).expect("it waits");
        assert_eq!(compacting.join().expect("whole").action, CompactionAction::Merged);
        acting.join().expect("whole");
    });
    world
}

#[test]
fn a_drop_waits_for_a_compaction_under_way() {
    let world = during_a_compaction(|_| {}, |world| world.tree.drop_range("a"..="a").expect("dropped"));
    assert_eq!((world.tree.table_count(), world.keys().len()), (0, 0), "it met the table that was written meanwhile");
}

#[test]
fn a_major_compaction_waits_for_one_under_way() {
    let world = during_a_compaction(|_| {}, |world| world.major(0));
    assert_eq!(world.levels(), [0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn a_compaction_of_other_tables_goes_on_meanwhile() {
    let other = |world: &World| {
        world.put("x", "x");
        world.flush();
        world.compact(MoveDown(0, 3), 0);
    };
    let (done, dones) = channel();
    let world = during_a_compaction(other, move |world| {
        done.send(world.compact(MoveDown(3, 4), 0).action).expect("heard");
    });
    assert_eq!((dones.recv().ok(), world.levels()), (Some(CompactionAction::Moved), vec![0, 1, 0, 0, 1, 0, 0]));
}

#[test]
fn reads_and_writes_go_on_meanwhile() {
    let world = during_a_compaction(
        |_| {},
        |world| {
            world.put("b", "b");
            world.flush();
            assert_eq!((world.get("a").as_deref(), world.keys().len()), (Some("a"), 2));
        },
    );
    assert_eq!(world.levels()[..2], [1, 1]);
}

#[test]
fn the_end_of_an_ingestion_waits_for_the_flush_lock() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    let lock = world.tree.get_flush_lock();
    std::thread::scope(|scope| {
        let (started, starts) = channel();
        let world = &world;
        let finishing = scope.spawn(move || {
            let mut rows = world.tree.ingestion()?;
            rows.write("a", "new")?;
            started.send(()).expect("heard");
            rows.finish()
        });
        starts.recv().expect("it starts");
        (0..1000).for_each(|_| std::thread::yield_now());
        world.put("b", "b");
        assert_eq!(world.get("a").as_deref(), Some("old"));
        drop(lock);
        finishing.join().expect("whole")
    })?;
    assert_eq!((world.get("a").as_deref(), world.tree.active_memtable().is_empty()), (Some("new"), true));
    Ok(())
}

#[test]
fn a_flush_waits_for_the_lock() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    let lock = world.tree.get_flush_lock();
    std::thread::scope(|scope| {
        let (started, starts) = channel();
        let world = &world;
        let flushing = scope.spawn(move || {
            started.send(()).expect("heard");
            world.flush();
        });
        let _ = starts.recv();
        (0..1000).for_each(|_| std::thread::yield_now());
        world.put("b", "b");
        assert_eq!(world.tree.table_count(), 0);
        drop(lock);
        flushing.join().expect("whole");
    });
    assert_eq!(world.rows(), ["a@0", "b@1"], "it sealed nothing before it had the lock");
    Ok(())
}
