//! What lies in a tree, and what another strategy than its own may ask for.

use crate::model::{Pair, compaction_under, go_on, small_options};
use sediment_base::{ErrorKind, FileUuid, KeyOrder, Kind, Result, SeqNo, TableId};
use sediment_env::{Env, fs::MemFs};
use sediment_tree::{
    Backlog, CompactionReport, FlushContext, Plan, RawRow, Retention, Strategy, Tree, TreeOptions, TreeView, order_at_creation,
};
use std::path::Path;

fn pair() -> Result<Pair> {
    Pair::stamped(Env::simulated(MemFs::new(), 1), small_options(KeyOrder::bytewise()), 0)
}

/// Asks a view for one thing.
pub(crate) struct Ask<F>(F);

impl<F> std::fmt::Debug for Ask<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ask")
    }
}

impl<F: Fn(&TreeView<'_>) -> Option<Plan> + Send + Sync> Strategy for Ask<F> {
    fn name(&self) -> &str {
        "ask"
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        self.0(tree)
    }

    fn scores(&self, _tree: &TreeView<'_>) -> Vec<f64> {
        Vec::new()
    }

    fn backlog(&self, _tree: &TreeView<'_>) -> Backlog {
        Backlog::default()
    }
}

pub(crate) fn ask<F: Fn(&TreeView<'_>) -> Option<Plan> + Send + Sync>(ask: F) -> Ask<F> {
    Ask(ask)
}

fn all(tree: &TreeView<'_>) -> Vec<TableId> {
    (0..tree.levels()).flat_map(|level| tree.tables(level)).map(|table| table.id).collect()
}

fn run(pair: &Pair, plan: Plan) -> Result<CompactionReport> {
    let retention = Retention::Watermark(0);
    pair.tree.compact(plan, &compaction_under(retention))
}

/// Tables by level.
fn levels(tree: &Tree) -> Vec<usize> {
    tree.table_metas().iter().map(|runs| runs.iter().map(Vec::len).sum()).collect()
}

#[test]
fn rows_and_range_tombstones_are_shown_as_they_lie() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"a", Some(b"old"))?;
    pair.flush()?;
    pair.write(b"a", None)?;
    pair.write(b"b", Some(b"b"))?;
    let seqno = pair.tree.highest_seqno().unwrap_or(0) + 1;
    pair.tree.remove_range(b"x", b"y", seqno)?;
    let rows = pair.tree.raw_rows::<&str, _>(..).collect::<Result<Vec<RawRow>>>()?;
    let shown: Vec<_> = rows.iter().map(|row| (&*row.key, row.kind, &*row.value)).collect();
    assert_eq!(shown, [(&b"a"[..], Kind::Tombstone, &b""[..]), (b"a", Kind::Value, b"old"), (b"b", Kind::Value, b"b")]);
    assert!(rows[0].seqno > rows[1].seqno);
    assert_eq!(pair.tree.raw_rows("b".."c").count(), 1);
    let ranges = pair.tree.raw_range_tombstones()?;
    assert_eq!(ranges.iter().map(|range| (&*range.start, range.seqno)).collect::<Vec<_>>(), [(&b"x"[..], seqno)]);

    let id = pair.tree.table_metas()[0][0][0].id;
    assert_eq!(pair.tree.table_rows(id)?.count(), 1);
    assert_eq!(pair.tree.table_properties(id)?.rows, 1);
    let next = pair.tree.next_table_id(false);
    assert_eq!((pair.tree.next_table_id(true), pair.tree.next_table_id(false)), (next, next.next()));
    assert_eq!(pair.tree.table_rows(next).expect_err("there is none").kind(), ErrorKind::InvalidInput);

    let active = pair.tree.memtables().remove(0);
    assert_eq!((active.ordinal(), active.rows(), active.raw_rows().count(), active.range_tombstones().len()), (1, 3, 2, 1));
    assert_eq!(active.max_seqno(), Some(seqno));
    Ok(())
}

#[test]
fn what_is_in_memory_alone_can_be_forgotten() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"a", Some(b"a"))?;
    pair.flush()?;
    pair.write(b"b", Some(b"b"))?;
    assert!(pair.tree.seal(0));
    pair.write(b"c", Some(b"c"))?;
    pair.tree.clear_memtables();
    assert_eq!((pair.tree.len(SeqNo::MAX)?, pair.tree.is_clean(), pair.tree.sealed_count()), (1, true, 0));
    pair.tree.insert(b"d", b"d", 100)?;
    assert_eq!(pair.tree.len(SeqNo::MAX)?, 2);
    Ok(())
}

#[test]
fn tables_sink_as_they_are_where_nothing_is_met() -> Result<()> {
    let mut pair = pair()?;
    for key in [b"a", b"b"] {
        pair.write(key, Some(b"v"))?;
        pair.flush()?;
    }
    let down = |target| ask(move |tree: &TreeView<'_>| tree.relocate(all(tree), target));
    assert!(pair.tree.pick_with(&down(0), 1).is_none() && pair.tree.pick_with(&down(9), 1).is_none());
    let plan = pair.tree.pick_with(&down(4), 1).expect("nothing is in the way");
    assert!(pair.tree.pick_with(&down(4), 1).is_none(), "they are taken");
    let report = run(&pair, plan)?;
    assert_eq!((report.moved, report.tables_out, &levels(&pair.tree)[..5]), (true, 2, &[0, 0, 0, 0, 2][..]));
    pair.write(b"a", Some(b"new"))?;
    pair.flush()?;
    let newest = |tree: &TreeView<'_>| tree.relocate(tree.tables(0).map(|table| table.id), 5);
    assert!(pair.tree.pick_with(&ask(newest), 1).is_none(), "an older one is in the way");
    pair.write(b"a", Some(b"newest"))?;
    pair.flush()?;
    let both = |tree: &TreeView<'_>| tree.relocate(tree.tables(0).map(|table| table.id), 3);
    assert!(pair.tree.pick_with(&ask(both), 1).is_none(), "one level has no room for two of one key");
    assert_eq!(pair.tree.get(b"a", SeqNo::MAX)?.as_deref(), Some(&b"newest"[..]));
    Ok(())
}

#[test]
fn tables_are_dropped_and_older_reads_find_them() -> Result<()> {
    let mut pair = pair()?;
    pair.write(b"a", Some(b"a"))?;
    pair.flush()?;
    pair.write(b"b", Some(b"b"))?;
    let before = pair.tree.highest_seqno().map_or(0, |highest| highest + 1);
    let dropping = ask(|tree: &TreeView<'_>| tree.drop_tables(all(tree)));
    let plan = pair.tree.pick_alone(&dropping, 1).expect("one table");
    assert!(plan.to_string().starts_with("discard level 0 ("), "{plan}");
    let report = run(&pair, plan)?;
    assert_eq!((report.tables_in, report.tables_dropped, report.tables_out), (1, 1, 0));
    assert_eq!((pair.tree.len(SeqNo::MAX)?, pair.tree.len(before)?), (1, 2));
    assert!(pair.tree.pick_alone(&dropping, 1).is_none());
    Ok(())
}

#[test]
fn tables_are_dropped_only_where_a_stamp_can_be_had() -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    let tree = Tree::create(&env, Path::new("/tree"), FileUuid::default(), small_options(KeyOrder::bytewise()))?;
    tree.insert(b"a", b"a", 1)?;
    tree.seal(1);
    tree.flush(&FlushContext {
        retention: Retention::newest(2),
        now_us: 1,
        through: SeqNo::MAX,
        covered: None,
        before_publish: &|_| Ok(()),
        on_slice: &go_on,
    })?;
    let plan = tree.pick_with(&ask(|tree: &TreeView<'_>| tree.drop_tables(all(tree))), 1).expect("one table");
    let retention = Retention::newest(2);
    let dropped = tree.compact(plan, &compaction_under(retention));
    assert_eq!(dropped.expect_err("somebody may read it").kind(), ErrorKind::InvalidInput);
    assert_eq!(tree.len(SeqNo::MAX)?, 1);
    Ok(())
}

#[test]
fn a_plan_may_want_tables_of_another_size() -> Result<()> {
    let mut pair = pair()?;
    for n in 0..2000_u32 {
        pair.write(format!("{n:05}").as_bytes(), Some(&[b'v'; 100]))?;
    }
    pair.flush()?;
    let merging = |bytes| ask(move |tree: &TreeView<'_>| tree.rewrite(all(tree), 6).map(|plan| plan.with_table_bytes(bytes)));
    run(&pair, pair.tree.pick_alone(&merging(u64::MAX), 1).expect("tables"))?;
    assert_eq!(levels(&pair.tree)[6], 1);
    run(&pair, pair.tree.pick_alone(&merging(20_000), 1).expect("tables"))?;
    assert!(levels(&pair.tree)[6] > 5, "{:?}", levels(&pair.tree));
    Ok(())
}

#[test]
fn operands_are_read_raw_where_that_is_wished() -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    for reads_raw_operands in [false, true] {
        let options = TreeOptions { reads_raw_operands, merge_operator: None, ..small_options(KeyOrder::bytewise()) };
        let dir = format!("/raw-{reads_raw_operands}");
        let tree = Tree::create(&env, Path::new(&dir), FileUuid::default(), options)?;
        tree.insert(b"k", b"base", 1)?;
        tree.merge(b"k", b"one", 2)?;
        tree.merge(b"k", b"two", 3)?;
        let (point, scanned) = (tree.get(b"k", 9), tree.first(9));
        if reads_raw_operands {
            assert_eq!((point?.as_deref(), scanned?.map(|row| row.1)), (Some(&b"two"[..]), Some("two".into())));
            assert_eq!(tree.get(b"k", 3)?.as_deref(), Some(&b"one"[..]));
        } else {
            assert!(point.is_err() && scanned.is_err());
        }
    }
    Ok(())
}

#[test]
fn the_order_of_its_creation_is_told() -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    drop(Tree::create(&env, Path::new("/tree"), FileUuid::default(), small_options(KeyOrder::bytewise_named("plain")))?);
    let error = Tree::open(&env, Path::new("/tree"), small_options(KeyOrder::bytewise())).expect_err("another name");
    assert_eq!(order_at_creation(&error), Some("plain"));
    let missing = Tree::open(&env, Path::new("/none"), small_options(KeyOrder::bytewise())).expect_err("not there");
    assert_eq!(order_at_creation(&missing), None);
    Ok(())
}

#[test]
fn weak_tombstones_are_ingested_as_such() -> Result<()> {
    let pair = pair()?;
    let mut rows = pair.tree.ingest(1);
    rows.remove_weak(b"a")?;
    rows.insert(b"b", b"b")?;
    rows.finish(7)?;
    let kinds: Vec<Kind> = pair.tree.raw_rows::<&str, _>(..).map(|row| row.map(|row| row.kind)).collect::<Result<_>>()?;
    assert_eq!(kinds, [Kind::WeakTombstone, Kind::Value]);
    Ok(())
}
