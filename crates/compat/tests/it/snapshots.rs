//! Versions and snapshots (API 1.2).

use crate::common::{World, io_kind};
use lsm_tree::{
    AbstractTree, Result,
    compaction::{CompactionFilter, Factory, ItemAccessor, PullDown, Verdict, filter::Context},
};
use std::sync::Arc;

#[test]
fn an_old_snapshot_sees_what_a_drop_took() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    let snapshot = world.visible.get();
    world.tree.drop_range("a".."b")?;
    assert_eq!((world.get_at("a", snapshot).as_deref(), world.get("a")), (Some("a"), None));
    assert_eq!((world.keys_at(snapshot), world.keys()), (vec!["a".to_owned()], vec![]));
    Ok(())
}

#[test]
fn an_old_snapshot_does_not_see_what_an_ingestion_brought() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    let snapshot = world.visible.get();
    let mut rows = world.tree.ingestion()?;
    rows.write("a", "new")?;
    rows.finish()?;
    assert_eq!((world.get_at("a", snapshot).as_deref(), world.get("a").as_deref()), (Some("old"), Some("new")));
    Ok(())
}

#[test]
fn an_old_snapshot_sees_what_compactions_left_out() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    world.flush();
    let snapshot = world.visible.get();
    world.put("a", "new");
    world.flush();
    world.tree.major_compact(64 << 20, 0)?;
    world.tree.compact(Arc::new(PullDown(0, 6)), 0)?;
    assert_eq!((world.get_at("a", snapshot).as_deref(), world.get("a").as_deref()), (Some("old"), Some("new")));
    Ok(())
}

struct RemoveAll;

impl Factory for RemoveAll {
    fn name(&self) -> &str {
        "remove all"
    }

    fn make_filter(&self, _ctx: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Self)
    }
}

impl CompactionFilter for RemoveAll {
    fn filter_item(&mut self, _item: ItemAccessor<'_>, _ctx: &Context) -> Result<Verdict> {
        Ok(Verdict::Remove)
    }
}

#[test]
fn an_old_snapshot_sees_what_a_filter_removed() -> Result<()> {
    let world = World::with(|config| config.with_compaction_filter_factory(Some(Arc::new(RemoveAll))))?;
    world.put("a", "a");
    world.flush();
    let snapshot = world.visible.get();
    world.major(0);
    assert_eq!((world.get_at("a", snapshot).as_deref(), world.get("a")), (Some("a"), None));
    Ok(())
}

#[test]
fn history_is_kept_up_to_the_watermark() -> Result<()> {
    let world = World::new()?;
    assert_eq!(world.tree.version_free_list_len(), 0);
    world.put("a", "0");
    world.flush();
    assert_eq!(world.tree.version_free_list_len(), 1);
    world.put("a", "1");
    world.flush();
    assert_eq!(world.tree.version_free_list_len(), 2);
    let (stamp_before, watermark) = (world.seqno.get() - 1, world.visible.get());
    world.put("a", "2");
    world.flush_with(watermark);
    // The newest of before with a stamp below the watermark stays.
    assert!(stamp_before < watermark && world.tree.version_free_list_len() == 1);
    assert_eq!(world.get_at("a", watermark).as_deref(), Some("1"));
    let world = world.reopened(|config| config)?;
    assert_eq!((world.tree.version_free_list_len(), world.get("a").as_deref()), (0, Some("2")));
    Ok(())
}

#[test]
fn a_clear_leaves_no_history() -> Result<()> {
    let world = World::new()?;
    world.put("a", "a");
    world.flush();
    world.put("b", "b");
    world.tree.clear()?;
    assert_eq!((world.tree.version_free_list_len(), world.tree.table_count(), world.tree.disk_space()), (0, 0, 0));
    assert_eq!((world.keys(), world.tree.sealed_memtable_count()), (vec![], 0));
    let files = || std::fs::read_dir(world.folder.path().join("tables")).map(Iterator::count);
    assert!(world.eventually(|| files().is_ok_and(|files| files == 0)), "the space is back before anything else is written");
    world.put("c", "c");
    world.flush();
    let world = world.reopened(|config| config)?;
    assert_eq!(world.keys(), ["c"]);
    world.tree.clear()?;
    let world = world.reopened(|config| config)?;
    assert!(world.keys().is_empty());
    Ok(())
}

#[test]
fn an_old_snapshot_sees_what_a_flush_left_out() -> Result<()> {
    let world = World::new()?;
    world.put("a", "old");
    let snapshot = world.visible.get();
    world.put("a", "new");
    world.flush_with(snapshot);
    assert_eq!((world.rows(), world.get_at("a", snapshot).as_deref()), (vec!["a@1".to_owned()], Some("old")));
    Ok(())
}

#[test]
fn a_version_has_the_stamp_0_after_reopening() -> Result<()> {
    let world = World::new()?;
    let first = world.put("a", "0");
    world.put("a", "1");
    world.flush();
    let world = world.reopened(|config| config)?;
    assert_eq!((world.get_at("a", first + 1).as_deref(), world.get("a").as_deref()), (Some("0"), Some("1")));
    assert_eq!(world.keys_at(0).len(), 0);
    Ok(())
}

/// Otherwise than in the family: no answer is better than a wrong one.
#[test]
fn what_a_flush_left_out_is_refused_after_reopening() -> Result<()> {
    let world = World::new()?;
    world.put("a", "0");
    let snapshot = world.visible.get();
    world.put("a", "1");
    world.flush_with(snapshot);
    let world = world.reopened(|config| config)?;
    assert_eq!(io_kind(world.tree.get("a", snapshot)), Some(std::io::ErrorKind::InvalidInput));
    assert_eq!(world.get("a").as_deref(), Some("1"));
    Ok(())
}

#[test]
fn a_clear_takes_what_is_sealed_and_leaves_linked_files_whole() -> Result<()> {
    let world = World::in_all_places()?;
    let path = world.tree.current_version().iter_tables().next().expect("one").path.to_path_buf();
    let (link, bytes) = (world.folder.path().with_extension("link"), std::fs::read(&path)?);
    std::fs::hard_link(&path, &link)?;
    world.tree.clear()?;
    assert_eq!((world.keys(), world.tree.sealed_memtable_count()), (vec![], 0));
    assert!(world.eventually(|| !path.exists()));
    assert!(world.tree.active_memtable().is_empty());
    let linked = std::fs::read(&link)?;
    std::fs::remove_file(link)?;
    assert_eq!(linked, bytes);
    Ok(())
}

#[test]
fn a_version_that_is_stamped_with_the_watermark_is_not_below_it() -> Result<()> {
    for (watermark, kept) in [(3, 2), (4, 1), (5, 1), (6, 0)] {
        let world = World::new()?;
        for stamp in [1, 3] {
            world.put("a", "a");
            world.flush();
            assert_eq!(world.seqno.get(), stamp + 1);
        }
        world.put("a", "a");
        world.flush_with(watermark);
        assert_eq!(world.tree.version_free_list_len(), kept, "{watermark}");
    }
    Ok(())
}
