//! A memtable that has lost a bit: every way to its rows finds it, and none of it comes into a table.

use super::{BegunGet, FlushContext, Tree};
use crate::options::TreeOptions;
use crate::retention::Retention;
use sediment_base::{Error, ErrorKind, FileUuid, InternalKey, Kind, Result, Slice, merge_operator::Append};
use sediment_codec::hash::key_hash;
use sediment_env::{Env, fs::MemFs};
use sediment_raw::epoch::pin;
use sediment_table::BlockCache;
use std::{ops::ControlFlow, path::Path, sync::Arc};

const LAST: u64 = 100;

fn tree(entry_checksums: bool) -> (Env, Tree) {
    let env = Env::simulated(MemFs::new(), 1);
    let mut options = TreeOptions::new(Arc::new(BlockCache::new(1 << 20)));
    options.merge_operator = Some(Arc::new(Append));
    options.entry_checksums = entry_checksums;
    let tree = Tree::create(&env, Path::new("/tree"), FileUuid([7; 16]), options).expect("an empty disk");
    (env, tree)
}

/// Puts in a row whose value is damaged as soon as it lies in memory.
fn put_damaged(tree: &Tree, key: &str, seqno: u64, kind: Kind) {
    let key = InternalKey::new(key.as_bytes(), seqno, kind);
    let versions = tree.inner.versions.load();
    let last_of_value = 11 + key.user_key.len() + 4;
    let hash = key_hash(versions.version.identity.hash_seed, key.user_key);
    let befalls = |record: &mut [u8]| record[last_of_value] ^= 4;
    versions.active.insert_changed((key, hash), b"value", &pin(), befalls).expect("open");
}

fn flush(tree: &Tree) -> Result<()> {
    tree.seal(LAST);
    let context = FlushContext {
        retention: Retention::newest(LAST),
        now_us: 1,
        through: LAST,
        covered: None,
        before_publish: &|_| Ok(()),
        on_slice: &|_| ControlFlow::Continue(()),
    };
    tree.flush(&context).map(drop)
}

fn scan(tree: &Tree, is_forward: bool) -> Result<Vec<(Slice, Slice)>> {
    let mut scan = tree.range::<&[u8], _>(.., LAST);
    std::iter::from_fn(|| if is_forward { scan.next() } else { scan.next_back() }).collect()
}

fn is_damage<T: std::fmt::Debug>(found: Result<T>) -> Error {
    let error = found.expect_err("damage is found");
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().contains("memtable 0"), "{error}");
    error
}

#[test]
fn a_damaged_row_is_found_on_every_way_and_not_flushed() {
    for kind in [Kind::Value, Kind::Operand] {
        let (env, tree) = tree(true);
        tree.insert(b"a", b"sound", 1).expect("open");
        put_damaged(&tree, "b", 2, kind);
        tree.insert(b"c", b"sound", 3).expect("open");
        for is_sealed in [false, true] {
            if is_sealed {
                assert!(tree.seal(LAST));
            }
            is_damage(tree.get(b"b", LAST));
            is_damage(tree.contains_key(b"b", LAST));
            is_damage(tree.size_of(b"b", LAST));
            is_damage(tree.multi_get([b"a", b"b"], LAST));
            let mut value = Slice::default();
            is_damage(tree.begin_get(&pin(), b"b", || LAST, &mut value).and_then(BegunGet::finish));
            [true, false].into_iter().for_each(|is_forward| drop(is_damage(scan(&tree, is_forward))));
            is_damage(tree.raw_rows::<&[u8], _>(..).collect::<Result<Vec<_>>>());
            let mut cursor = tree.cursor(LAST);
            is_damage(cursor.seek_to_first().and_then(|_| cursor.next()));
            // What is whole can be read, and what was before the row is read.
            assert_eq!(tree.get(b"a", LAST).expect("whole").as_deref(), Some(&b"sound"[..]));
            assert_eq!(tree.get(b"b", 2).expect("nothing is there"), None);
        }
        for _ in 0..2 {
            is_damage(flush(&tree));
            assert_eq!((tree.sealed_count(), tree.stats().levels.iter().map(|level| level.tables).sum::<usize>()), (1, 0));
        }
        let files = env.fs.read_dir(&Path::new("/tree").join("tables")).expect("the disk works");
        assert!(files.is_empty(), "{files:?}");
    }
}

#[test]
fn an_operand_below_is_looked_at_as_well() {
    let (_, tree) = tree(true);
    put_damaged(&tree, "key", 2, Kind::Value);
    tree.merge(b"key", b"operand", 3).expect("open");
    is_damage(tree.get(b"key", LAST));
    is_damage(scan(&tree, true));
}

#[test]
fn without_digests_nothing_is_found() {
    let (_, tree) = tree(false);
    put_damaged(&tree, "b", 2, Kind::Value);
    assert_ne!(tree.get(b"b", LAST).expect("nothing is checked").as_deref(), Some(&b"value"[..]));
    flush(&tree).expect("nothing is checked");
}
