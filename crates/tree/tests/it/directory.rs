//! What a directory must hold to be a tree, what is said when it does not, and what is removed from it when.

use crate::model::{Ends, Pair, owned, small_options};
use sediment_base::{Comparator, ErrorKind, FileUuid, KeyOrder, Result, SeqNo, filename};
use sediment_env::{
    Env, Fs,
    fs::{MemFs, is_not_found},
};
use sediment_tree::{Tree, TreeOptions, dump_current, dump_manifest, is_not_created};
use std::{
    cmp::Ordering,
    ops::{Bound, ControlFlow},
    path::Path,
    sync::Arc,
};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

#[derive(Debug)]
struct Reversed;

impl Comparator for Reversed {
    fn name(&self) -> &str {
        "reversed"
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        b.cmp(a)
    }
}

fn options() -> TreeOptions {
    small_options(KeyOrder::bytewise())
}

/// A tree of a few tables on a disk of its own.
fn filled() -> Result<(MemFs, Pair)> {
    let disk = MemFs::new();
    let mut pair = Pair::create_on(disk.clone(), KeyOrder::bytewise(), 1)?;
    for round in 0..4_u32 {
        for key in 0..60_u32 {
            pair.write(format!("key-{key:03}").as_bytes(), Some(format!("value {round} {key}").as_bytes()))?;
        }
        pair.flush()?;
    }
    Ok((disk, pair))
}

fn table_files(disk: &MemFs) -> Vec<String> {
    let entries = disk.read_dir(Path::new("/tree/tables")).expect("the directory is there");
    entries.into_iter().map(|entry| entry.name).collect()
}

#[test]
fn opening_writes_nothing() -> Result<()> {
    let (disk, mut pair) = filled()?;
    disk.record();
    pair.reopen()?;
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    let history = disk.history();
    assert!(history.is_empty(), "the first op is {}", history.describe(0));
    Ok(())
}

#[test]
fn a_tree_that_was_never_created_is_told_from_a_damaged_one() -> Result<()> {
    let env = Env::simulated(MemFs::new(), 1);
    let dir = Path::new("/tree");
    let open = || Tree::open(&env, dir, options());
    assert!(is_not_created(&open().expect_err("no directory")));
    env.fs.create_dir(dir)?;
    assert!(is_not_created(&open().expect_err("an empty directory")));
    env.fs.create(&dir.join("LOCK"))?;
    env.fs.create_dir(&dir.join("tables"))?;
    assert!(is_not_created(&open().expect_err("nothing of a tree")));
    env.fs.create_dir(&dir.join(".creating-00000000000000ff"))?;
    env.fs.create(&dir.join("manifest-1"))?;
    assert!(is_not_created(&open().expect_err("a creation that was cut short")));

    let tree = Tree::create(&env, dir, FileUuid([1; 16]), options())?;
    assert_eq!(tree.manifest_position().generation.0, 2, "generations are not used again");
    drop(tree);
    drop(open()?);
    let again = Tree::create(&env, dir, FileUuid([1; 16]), options());
    assert_eq!(again.expect_err("it exists").kind(), ErrorKind::InvalidInput);

    env.fs.remove_file(&dir.join(filename::CURRENT))?;
    let error = open().expect_err("CURRENT is gone");
    assert!(error.kind() == ErrorKind::Corruption && !is_not_created(&error), "{error}");
    assert_eq!(Tree::create(&env, dir, FileUuid([1; 16]), options()).expect_err("not over it").kind(), ErrorKind::Corruption);
    Ok(())
}

#[test]
fn damage_is_named() -> Result<()> {
    type Damage = fn(&MemFs, &Path) -> Result<()>;
    let cases: [(&str, Damage); 6] = [
        ("CURRENT", |disk, _| disk.flip(Path::new("/tree/CURRENT"), 140, 3)),
        ("CURRENT", |disk, _| disk.flip(Path::new("/tree/CURRENT"), 10, 0)),
        ("manifest-", |disk, manifest| disk.flip(manifest, 300, 1)),
        ("manifest-", |disk, manifest| disk.remove_file(manifest)),
        ("tables/", |disk, _| disk.remove_file(&Path::new("/tree/tables").join(&table_files(disk)[0]))),
        ("tables/", |disk, _| {
            let path = Path::new("/tree/tables").join(&table_files(disk)[0]);
            let len = disk.open(&path)?.len()?;
            disk.write_raw(&path, len, b"x")
        }),
    ];
    for (index, (name, damage)) in cases.into_iter().enumerate() {
        let (disk, pair) = filled()?;
        let manifest = filename::manifest(&pair.dir, pair.tree.manifest_position().generation);
        let (env, dir) = (pair.env.clone(), pair.dir.clone());
        drop(pair);
        damage(&disk, &manifest)?;
        let error = Tree::open(&env, &dir, options()).expect_err("damaged");
        let file = error.location().expect("it has a place").file;
        assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported), "case {index}: {error}");
        assert!(file.to_string_lossy().contains(name), "case {index}: {error}");
    }
    Ok(())
}

#[test]
fn damage_in_a_table_is_met_where_it_lies() -> Result<()> {
    let (disk, mut pair) = filled()?;
    for name in table_files(&disk) {
        disk.flip(&Path::new("/tree/tables").join(name), 400, 2)?;
    }
    pair.options = options();
    pair.reopen()?;
    let mut scan = pair.tree.range(ALL, pair.next);
    let error = scan.by_ref().find_map(Result::err).expect("the scan meets it");
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert!(scan.next().is_none() && scan.next_back().is_none());
    let error = pair.compact_all().expect_err("nothing is laundered");
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert_eq!(table_files(&disk).len() as u64, pair.tree.stats().levels[0].tables as u64, "inputs stay, outputs go");
    assert!(!pair.tree.verify()?.faults.is_empty());
    Ok(())
}

#[test]
fn another_order_is_refused() -> Result<()> {
    let (_, pair) = filled()?;
    let order = KeyOrder::custom(Arc::new(Reversed));
    let error = Tree::open(&pair.env, &pair.dir, small_options(order.clone())).expect_err("another order");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let reversed = Tree::create(&pair.env, Path::new("/reversed"), FileUuid([1; 16]), small_options(order))?;
    assert_eq!(reversed.prefix(b"a", 1).expect_err("no prefixes there").kind(), ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn inputs_live_as_long_as_a_scan_over_them() -> Result<()> {
    let (disk, pair) = filled()?;
    let expected = pair.expected_range(&ALL, pair.next);
    let mut scan = pair.tree.range(ALL, pair.next);
    let first = owned(scan.next().expect("rows"))?;
    let before = table_files(&disk);
    pair.compact_all()?;
    assert!(before.iter().all(|name| table_files(&disk).contains(name)), "the scan holds them");
    let mut found = vec![first];
    for row in scan {
        found.push(owned(row)?);
    }
    assert_eq!(found, expected);
    assert!(pair.eventually(|| !before.iter().any(|name| table_files(&disk).contains(name))), "they went with the scan");
    Ok(())
}

#[test]
fn a_scan_outlives_the_tree_and_then_removes_nothing() -> Result<()> {
    let (disk, pair) = filled()?;
    let expected = pair.expected_range(&ALL, pair.next);
    let scan = pair.tree.range(ALL, pair.next);
    pair.compact_all()?;
    drop(pair);
    let before = table_files(&disk);
    assert_eq!(scan.map(owned).collect::<Result<Vec<_>>>()?, expected);
    assert_eq!(table_files(&disk), before, "the directory may be somebody else's by now");
    Ok(())
}

#[test]
fn a_dropped_tree_goes_with_its_last_reader() -> Result<()> {
    let (disk, pair) = filled()?;
    let expected = pair.expected_range(&ALL, pair.next);
    let scan = pair.tree.range(ALL, pair.next);
    pair.tree.delete_when_unused();
    drop(pair);
    assert_eq!(scan.map(owned).collect::<Result<Vec<_>>>()?, expected);
    assert!(is_not_found(&disk.read_dir(Path::new("/tree")).expect_err("all of it is gone")));
    Ok(())
}

#[test]
fn orphans_move_aside_and_go_with_the_next_generation() -> Result<()> {
    let (disk, mut pair) = filled()?;
    disk.create(Path::new("/tree/tables/900"))?;
    disk.create(Path::new("/tree/manifest-77"))?;
    pair.reopen()?;
    let lost = |disk: &MemFs| disk.read_dir(Path::new("/tree/lost")).map_or(0, |entries| entries.len());
    assert_eq!((pair.tree.move_orphans()?, pair.tree.move_orphans()?, lost(&disk)), (2, 0, 2));
    pair.reopen()?;
    pair.write(b"key", Some(b"value"))?;
    pair.flush()?;
    assert_eq!(lost(&disk), 0);
    assert_eq!(pair.tree.manifest_position().generation.0, 79, "no generation is used again");
    assert!(table_files(&disk).contains(&"901".to_owned()), "no id is used again: {:?}", table_files(&disk));
    Ok(())
}

#[test]
fn history_that_is_gone_is_not_made_up() -> Result<()> {
    let (_, mut pair) = filled()?;
    let old = pair.next / 2;
    assert!(pair.tree.get(b"key-001", old).is_ok_and(|value| value.is_some()), "level 0 still has every flush");
    pair.compact_all()?;
    for error in [pair.tree.get(b"key-001", old).err(), pair.tree.range(ALL, old).next().and_then(Result::err)] {
        assert_eq!(error.expect("refused").kind(), ErrorKind::HistoryGone);
    }
    assert!(pair.tree.history_floor() <= pair.next);
    pair.reopen()?;
    assert_eq!(pair.tree.get(b"key-001", old).expect_err("kept in the manifest").kind(), ErrorKind::HistoryGone);
    assert_eq!(pair.tree.get(b"key-001", 0)?, None);
    Ok(())
}

#[test]
fn a_cancelled_compaction_leaves_nothing() -> Result<()> {
    let (disk, pair) = filled()?;
    let before = table_files(&disk);
    let error = pair.tree.compact_all(&pair.compaction(&|_| ControlFlow::Break(()))).expect_err("cancelled");
    assert_eq!((error.kind(), table_files(&disk)), (ErrorKind::Cancelled, before));
    assert!(pair.tree.pick_compaction(9).is_some(), "what it had reserved is free again");
    pair.compact_all()?;
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    Ok(())
}

/// Pickers and tables follow the new settings at once, and old tables are read as before.
#[test]
fn settings_change_while_a_tree_is_open() -> Result<()> {
    let (disk, pair) = filled()?;
    let tables = table_files(&disk).len();
    assert!(pair.tree.set_options(&TreeOptions { level_ratio: 1, ..options() }).is_err());
    let other_order = TreeOptions { order: KeyOrder::custom(Arc::new(Reversed)), ..options() };
    pair.tree.set_options(&TreeOptions { level0_trigger: 100, level_base_bytes: 1 << 30, ..other_order })?;
    assert!(pair.tree.pick_compaction(9).is_none(), "nothing is due any more");
    pair.tree.set_options(&TreeOptions { level0_trigger: 1, table_bytes: 1 << 30, ..options() })?;
    assert!(pair.tree.pick_compaction(9).is_some(), "and now it is");
    pair.compact_all()?;
    assert!(tables > 1);
    assert!(pair.eventually(|| table_files(&disk).len() == 1), "tables are cut at the new size");
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    Ok(())
}

#[test]
fn rows_beyond_the_limits_are_refused() -> Result<()> {
    let (_, pair) = filled()?;
    let refused = [
        pair.tree.insert(b"", b"value", 1),
        pair.tree.insert(&[7; 65_536], b"value", 1),
        pair.tree.insert(b"key", &vec![0; (64 << 20) + 1], 1),
        pair.tree.insert(b"key", b"value", SeqNo::MAX),
        pair.tree.remove(b"", 1),
    ];
    assert!(refused.into_iter().all(|result| result.expect_err("refused").kind() == ErrorKind::InvalidInput));
    assert_eq!(pair.tree.get(b"", pair.next)?, None);
    Ok(())
}

#[test]
fn the_manifest_turns_over_and_prints() -> Result<()> {
    let (disk, mut pair) = filled()?;
    pair.reopen()?;
    let first = pair.tree.manifest_position();
    for round in 0..900_u32 {
        pair.write(format!("{round}").as_bytes(), Some(b"v"))?;
        pair.flush()?;
        if round % 8 == 0 {
            pair.compact_due()?;
        }
    }
    let last = pair.tree.manifest_position();
    assert!(last.generation.0 >= first.generation.0 + 2, "{last:?}");
    let names = disk.read_dir(&pair.dir)?.into_iter().filter(|entry| entry.name.starts_with("manifest-")).count();
    assert_eq!(names, 2, "the generation before the current one is kept, and no other");
    pair.tree.check_position(first)?;
    let ahead = sediment_tree::ManifestPosition { length: last.length + 8, ..last };
    assert_eq!(pair.tree.check_position(ahead).expect_err("it lost something").kind(), ErrorKind::Corruption);

    let mut text = String::new();
    dump_current(&disk, &pair.dir.join(filename::CURRENT), &mut text)?;
    dump_manifest(&disk, &filename::manifest(&pair.dir, last.generation), &mut text)?;
    assert!(text.contains(&format!("generation {}", last.generation)) && text.contains("order \"bytewise\""), "{text}");
    pair.reopen()?;
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next));
    Ok(())
}

#[test]
fn the_same_calls_make_the_same_files() -> Result<()> {
    let bytes = |disk: &MemFs| disk.tree();
    let (one, pair_one) = filled()?;
    let (two, pair_two) = filled()?;
    for (disk, pair) in [(&one, &pair_one), (&two, &pair_two)] {
        pair.compact_due()?;
        let live = pair.tree.stats().levels.iter().map(|level| level.tables).sum::<usize>();
        assert!(pair.eventually(|| table_files(disk).len() == live), "inputs go");
    }
    assert_eq!(bytes(&one), bytes(&two));
    Ok(())
}
