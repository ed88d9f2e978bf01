//! Edits as bytes and back, versions as edits make them; and samples for the tests of other rooms.

use super::{AddedTable, Edit, History, Identity, TableHome, VersionBuilder, format};
use crate::options::TreeOptions;
use sediment_base::{ErrorKind, FileUuid, KeyOrder, KeyRange, TableId, limits::LEVELS_MAX};
use sediment_env::{Env, fs::MemFs};
use sediment_table::{BlockCache, RangeCounts, RemovedCounts, Residency, TableContext, TableMeta};
use std::{path::Path, sync::Arc};

/// The home of a tree that has no files.
pub(crate) fn home() -> Arc<TableHome> {
    let env = Env::simulated(MemFs::new(), 1);
    let cache = Arc::new(BlockCache::new(1 << 16));
    let context = TableContext::new(env.fs, env.random, FileUuid([3; 16]), KeyOrder::bytewise(), cache);
    TableHome::new(context, Path::new("/tree").to_path_buf(), 77, TableId(1))
}

pub(crate) fn identity() -> Identity {
    Identity { order: "bytewise".into(), hash_version: 1, hash_seed: 77 }
}

/// `level run id min..max bytes rows tombstones [min..max of the seqnos [oldest write [hidden bytes]]]`
pub(crate) fn table(line: &str) -> AddedTable {
    let words: Vec<&str> = line.split_whitespace().collect();
    let parse = |word: &str| word.parse::<u64>().expect("a number");
    let number = |index: usize| parse(words[index]);
    let (min, max) = words[3].split_once("..").expect("min..max");
    let (min_seqno, max_seqno) = words.get(7).map_or(("1", "9"), |seqnos| seqnos.split_once("..").expect("min..max"));
    let meta = TableMeta {
        id: TableId(number(2)),
        uuid: FileUuid([number(2) as u8; 16]),
        file_bytes: number(4),
        root: number(2).wrapping_mul(1000),
        range: KeyRange::closed(min.into(), max.into()),
        min_seqno: parse(min_seqno),
        max_seqno: parse(max_seqno),
        rows: number(5),
        tombstones: number(6),
        ranges: RangeCounts::default(),
        removed: RemovedCounts::default(),
        oldest_write_us: words.get(8).map_or(0, |word| parse(word)),
    };
    AddedTable {
        level: number(0) as usize,
        run: TableId(number(1)),
        meta,
        hides_bytes: words.get(9).map_or(0, |word| parse(word)),
    }
}

fn snapshot(tables: &[&str]) -> Edit {
    let added = tables.iter().map(|line| table(line)).collect();
    Edit { identity: Some(identity()), added, ..Edit::default() }
}

fn full_edit() -> Edit {
    let mut with_ranges = table("2 0 9 d..f 7 3 0");
    with_ranges.meta.range.is_open = true;
    with_ranges.meta.ranges = RangeCounts { count: 3, min_seqno: 2, max_seqno: 1 << 50 };
    with_ranges.meta.removed = RemovedCounts { count: 2, seqno: 1 << 51 };
    with_ranges.hides_bytes = 1 << 33;
    let mut edit = snapshot(&["0 3 3 a..b 10 2 1", "6 0 4 c..c 1 1 0"]);
    edit.added.push(with_ranges);
    Edit {
        removed: vec![TableId(4), TableId(1 << 40)],
        outdated_runs: vec![TableId(3)],
        mark: Some(0),
        history: Some(History { oldest: 5, floor: 9 }),
        highest_seqno: Some(u64::MAX >> 1),
        next_table: Some(TableId(12)),
        operator: Some("add".into()),
        ..edit
    }
}

fn encoded(edit: &Edit) -> Vec<u8> {
    let mut bytes = Vec::new();
    format::encode_edit(edit, &mut bytes);
    bytes
}

#[test]
fn an_edit_reads_back() {
    for edit in [Edit::default(), full_edit(), snapshot(&[])] {
        assert_eq!(format::decode_edit(&encoded(&edit)).expect("just written"), edit);
    }
}

#[test]
fn any_bytes_give_an_edit_or_an_error() {
    let bytes = encoded(&full_edit());
    for end in 0..bytes.len() {
        let _ = format::decode_edit(&bytes[..end]);
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[end] ^= 1 << bit;
            let _ = format::decode_edit(&flipped);
        }
    }
}

#[test]
fn unknown_fields_are_skipped_where_they_may_be() {
    let with_field = |tag: u8| [encoded(&full_edit()), vec![tag, 2, 0xAA, 0xBB]].concat();
    assert_eq!(format::decode_edit(&with_field(98)).expect("an even tag may be skipped"), full_edit());
    assert_eq!(format::decode_edit(&with_field(99)).expect_err("an odd one not").kind(), ErrorKind::Unsupported);
}

#[test]
fn a_payload_does_not_verify_anywhere_else() {
    let place = format::RecordPlace { uuid: FileUuid([1; 16]), kind: 2, offset: 128 };
    let mut payload = encoded(&full_edit());
    let root = format::seal_payload(place, &mut payload);
    assert_eq!(format::open_payload(place, &payload).expect("sealed here").1, root);
    for other in [
        format::RecordPlace { uuid: FileUuid([2; 16]), ..place },
        format::RecordPlace { kind: 1, ..place },
        format::RecordPlace { offset: 136, ..place },
    ] {
        assert_eq!(format::open_payload(other, &payload).expect_err("moved").kind(), ErrorKind::Corruption);
    }
}

#[test]
fn a_version_is_what_its_snapshot_makes() {
    let home = home();
    let mut builder = VersionBuilder::empty(&home);
    builder
        .apply(snapshot(&["0 1 1 a..m 10 1 0", "0 2 2 a..c 10 1 0", "0 2 3 d..m 10 1 0", "1 0 4 a..z 10 1 0"]))
        .expect("sound");
    let added = vec![table("0 9 9 b..b 1 1 0"), table("2 0 4 a..z 10 1 0")];
    builder
        .apply(Edit { removed: vec![TableId(4)], added, mark: Some(7), highest_seqno: Some(9), ..Edit::default() })
        .expect("sound");
    let version = builder.build().expect("sound");
    version.check(&home.context.order);
    let runs: Vec<Vec<u64>> = version.runs.iter().map(|run| run.tables().iter().map(|file| file.meta.id.0).collect()).collect();
    assert_eq!(runs, [vec![9], vec![2, 3], vec![1], vec![4]], "newest first");

    let mut again = VersionBuilder::empty(&home);
    again.apply(version.snapshot(TableId(10))).expect("sound");
    let again = again.build().expect("sound");
    assert_eq!(again.snapshot(TableId(10)), version.snapshot(TableId(10)));
    assert_eq!(home.next_id(), TableId(10));
}

#[test]
fn removed_runs_that_are_outdated_stay_so() {
    let home = home();
    let noting = |line| {
        let mut added = table(line);
        added.meta.removed = RemovedCounts { count: 1, seqno: 20 };
        added
    };
    let edit = Edit { added: vec![noting("1 0 1 a..c 10 1 1"), noting("1 0 2 d..f 10 1 1")], ..snapshot(&[]) };
    let mut builder = VersionBuilder::empty(&home);
    builder.apply(edit).expect("sound");
    builder.apply(Edit { outdated_runs: vec![TableId(1)], ..Edit::default() }).expect("sound");
    let removed = |builder: VersionBuilder<'_>| {
        let version = builder.build().expect("sound");
        let counts = [1, 2].map(|id| version.table(TableId(id)).map(|placed| placed.file.removed().count));
        (version, counts)
    };
    let (version, counts) = removed(builder);
    assert_eq!(counts, [Some(0), Some(1)]);

    // One who moves a table may not know yet.
    let moved = Edit { removed: vec![TableId(1)], added: vec![noting("2 0 1 a..c 10 1 1")], ..Edit::default() };
    let mut again = VersionBuilder::empty(&home);
    again.apply(version.snapshot(TableId(10))).expect("sound");
    again.apply(moved.clone()).expect("sound");
    assert_eq!(removed(again).1, [Some(0), Some(1)]);
    let mut again = VersionBuilder::from_version(&home, &version);
    again.apply(moved).expect("sound");
    let (version, counts) = removed(again);
    assert_eq!(counts, [Some(0), Some(1)]);
    assert!(version.runs.iter().all(|run| run.has_covers()), "asked, but not believed");
}

#[test]
fn edits_that_cannot_be_are_corruption() {
    let home = home();
    let broken = [
        snapshot(&["1 0 1 a..m 10 1 0", "1 0 2 m..z 10 1 0"]),
        snapshot(&["1 0 1 a..m 10 1 0", "2 0 1 n..z 10 1 0"]),
        snapshot(&["7 0 1 a..m 10 1 0"]),
        snapshot(&["1 0 1 m..a 10 1 0"]),
        snapshot(&["1 0 4611686018427387904 a..m 10 1 0"]),
        Edit { removed: vec![TableId(3)], ..snapshot(&[]) },
        Edit { outdated_runs: vec![TableId(3)], ..snapshot(&[]) },
        Edit { history: Some(History { oldest: 10, floor: 9 }), ..snapshot(&[]) },
        Edit { history: Some(History { oldest: 8, floor: 9 }), highest_seqno: Some(7), ..snapshot(&[]) },
        Edit { highest_seqno: Some(u64::MAX >> 1), ..snapshot(&[]) },
        Edit { mark: Some(u64::MAX), ..snapshot(&[]) },
        Edit { next_table: Some(TableId(u64::MAX)), ..snapshot(&[]) },
        Edit { identity: None, ..snapshot(&[]) },
    ];
    for edit in broken {
        let mut builder = VersionBuilder::empty(&home);
        let built = builder.apply(edit.clone()).and_then(|()| builder.build());
        assert_eq!(built.expect_err("refused").kind(), ErrorKind::Corruption, "{edit:?}");
    }
}

#[test]
fn a_run_finds_the_one_table_of_a_key() {
    let home = home();
    let mut builder = VersionBuilder::empty(&home);
    let lines = ["1 0 1 prefix-aa..prefix-bb 1 1 0", "1 0 2 prefix-bc..prefix-bc 1 1 0", "1 0 3 prefix-d..prefix-f 1 1 0"];
    builder.apply(snapshot(&lines)).expect("sound");
    let version = builder.build().expect("sound");
    let run = &version.levels[1].runs[0];
    let find = |key: &str| run.find(key.as_bytes(), &home.context.order).map(|file| file.meta.id.0);
    let found: Vec<_> =
        ["prefix-a", "prefix-aa", "prefix-b", "prefix-bb", "prefix-bbb", "prefix-bc", "prefix-c", "prefix-e", "q"]
            .into_iter()
            .map(find)
            .collect();
    assert_eq!(found, [None, Some(1), Some(1), Some(1), None, Some(2), None, Some(3), None]);
}

#[test]
fn an_edit_cannot_make_a_tree_another_one() {
    let home = home();
    let mut builder = VersionBuilder::empty(&home);
    builder.apply(snapshot(&[])).expect("sound");
    builder.apply(snapshot(&[])).expect("the same tree");
    let other = Edit { identity: Some(Identity { hash_seed: 78, ..identity() }), ..Edit::default() };
    assert_eq!(builder.apply(other).expect_err("another seed").kind(), ErrorKind::Corruption);
}

#[test]
fn tables_are_opened_as_the_settings_say_of_their_level_at_that_time() {
    let home = home();
    let in_memory = |level| {
        let context = home.context_of(level);
        (context.filter_residency, context.fence_residency)
    };
    let mut settings = TreeOptions::new(Arc::new(BlockCache::new(1 << 16)));
    home.set_residency(&settings);
    for level in 0..LEVELS_MAX {
        let expected = if level < 2 { Residency::Resident } else { Residency::ByBudget };
        assert_eq!(in_memory(level), (expected, expected), "by default, level {level}");
    }
    settings.fence_residency = [Residency::Paged; LEVELS_MAX];
    (settings.fence_residency[0], settings.filter_residency[3]) = (Residency::ByBudget, Residency::Paged);
    home.set_residency(&settings);
    assert_eq!(in_memory(0), (Residency::Resident, Residency::ByBudget));
    assert_eq!(in_memory(1), (Residency::Resident, Residency::Paged));
    assert_eq!(in_memory(3), (Residency::Paged, Residency::Paged));
    assert_eq!(in_memory(LEVELS_MAX), in_memory(LEVELS_MAX - 1), "one that is deeper than any");
}
