//! Fences in leaves: a table whose leaves are in the file answers as one that has its fence in memory, takes little of that, and says what is
//! damaged.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
    sealed::{frames, put, with_nonsense},
};
use sediment_base::{
    Account, Cursor, ErrorKind, InternalKey, KeyOrder, KeyRange, Kind, MemoryBudget, Result, SeqNo, TableId, seqno::SEQNO_MAX,
    stats::Counter,
};
use sediment_codec::{hash::key_hash, seal::Region};
use sediment_env::random::SeededRandom;
use sediment_raw::epoch::pin;
use sediment_table::{
    BlockCache, Looked, PointRead, Reach, ReadCounts, Residency, Segment, Table, TableContext, TableMeta, TableOptions,
    TableRow, TableWriter, check::check_table,
};
use std::{ops::Bound, sync::Arc};

/// Small blocks, so that there are many; no filter, so that every read asks the fence.
fn options() -> TableOptions {
    TableOptions { block_bytes: 512, filter_bits_per_key: 0, ..TableOptions::default() }
}

/// Keys with one row, some with a few, and some with so many that they fill leaves of their own.
fn rows(order: &KeyOrder, keys: u64) -> Vec<Row> {
    let mut rows = Vec::new();
    for number in 0..keys {
        let versions = match number % 997 {
            500 => 3000,
            n if n % 50 == 7 => 40,
            n if n % 3 == 0 => 2,
            _ => 1,
        };
        let row = |version: u64| Row::new(format!("key/{:07}", number * 2), number % 5 + version * 3, [7; 30]);
        rows.extend((0..versions).map(row));
    }
    rows.sort_by(|a, b| a.internal().compare(b.internal(), order));
    rows
}

/// The same disk with a cache and a budget of its own.
fn apart(context: &TableContext, fence_residency: Residency, total_bytes: u64) -> TableContext {
    let budget = Arc::new(MemoryBudget::new(total_bytes));
    let cache = Arc::new(BlockCache::with_budget(16 << 20, Arc::clone(&budget)));
    TableContext { budget, cache, stats: Arc::default(), fence_residency, ..context.clone() }
}

fn open(context: &TableContext, meta: &TableMeta, residency: Residency) -> (TableContext, Arc<Table>) {
    let context = apart(context, residency, u64::MAX);
    let table = Table::open(&context, &path(), meta).unwrap();
    (context, Arc::new(table))
}

fn get(table: &Table, key: &[u8], read_seqno: SeqNo) -> Result<Option<TableRow>> {
    table.get(key, key_hash(0, key), read_seqno)
}

/// All rows from a cursor, in its own order and then back, and whether they are first and last of their keys.
fn walk(table: &Arc<Table>, is_forward: bool) -> Vec<(Row, bool, bool)> {
    let mut cursor = table.cursor();
    let mut walked = Vec::new();
    if is_forward { cursor.seek_to_first() } else { cursor.seek_to_last() }.unwrap();
    while cursor.is_valid() {
        let InternalKey { user_key, seqno, kind } = cursor.key();
        let row = Row { key: user_key.to_vec(), seqno, kind, value: cursor.value().to_vec() };
        walked.push((row, cursor.is_first_of_key(), cursor.is_last_of_key()));
        if is_forward { cursor.next() } else { cursor.prev() }.unwrap();
    }
    walked
}

#[test]
fn they_answer_as_a_fence_in_memory_does() {
    for order in &orders() {
        let (context, rows) = (context(order, 0), rows(order, 4000));
        let meta = write(&context, &options(), &rows);
        let (_, resident) = open(&context, &meta, Residency::Resident);
        let (paging, paged) = open(&context, &meta, Residency::Paged);
        assert!(!resident.has_fence_leaves() && paged.has_fence_leaves());
        for number in 0..8000 {
            let key = format!("key/{number:07}").into_bytes();
            for read_seqno in [SEQNO_MAX, number % 11, number % 9001] {
                let found = get(&paged, &key, read_seqno).unwrap();
                assert_eq!(found, get(&resident, &key, read_seqno).unwrap(), "{number} below {read_seqno}");
                assert!(read_seqno < SEQNO_MAX || found.is_some() == (number % 2 == 0));
            }
        }
        for is_forward in [true, false] {
            let walked = walk(&paged, is_forward);
            assert!(walked == walk(&resident, is_forward), "forward: {is_forward}");
            assert_eq!(walked.len(), rows.len());
        }
        let (bytes, frames) = frames(&context);
        let leaves = frames.iter().filter(|at| bytes[**at + 4] == Region::Leaves as u8).count() as u64;
        let loaded = paging.stats.get(Counter::FenceLeavesLoaded);
        assert!(leaves > 10 && loaded == leaves, "each of {leaves} once, not {loaded}");
        let bytes = paging.stats.get(Counter::FenceLeafBytesRead);
        assert!((loaded * 1000..loaded * 8000).contains(&bytes), "{bytes} for {loaded}");
        let report = check_table(&paging, &path(), Some(&meta)).unwrap();
        assert!(report.faults.is_empty(), "{:?}", report.faults);
    }
}

#[test]
fn seeks_and_segments_cross_from_leaf_to_leaf() {
    for order in &orders() {
        let (context, rows) = (context(order, 0), rows(order, 2100));
        let meta = write(&context, &options(), &rows);
        let (_, resident) = open(&context, &meta, Residency::Resident);
        let (_, paged) = open(&context, &meta, Residency::Paged);
        let mut cursors = [&resident, &paged].map(Table::cursor);
        let random = SeededRandom::new(4);
        for _ in 0..20_000 {
            let row = &rows[random.below(rows.len() as u64) as usize];
            let target = match random.below(4) {
                0 => InternalKey::before(&row.key),
                1 => InternalKey::new(&row.key, random.below(9000), Kind::Value),
                _ => row.internal(),
            };
            let (way, upper) = (random.below(4), random.below(2) == 0);
            let bound = rows[random.below(rows.len() as u64) as usize].key.clone();
            let found = cursors.each_mut().map(|cursor| {
                if way < 2 { cursor.seek(target) } else { cursor.seek_before(target) }.unwrap();
                let mut met = vec![];
                for _ in 0..3 {
                    if !cursor.is_valid() {
                        break;
                    }
                    met.push((cursor.key().user_key.to_vec(), cursor.key().seqno, cursor.is_first_of_key()));
                    if way % 2 == 0 { cursor.next() } else { cursor.prev() }.unwrap();
                }
                let mut segment = Segment::default();
                let is_filled = cursor.is_valid()
                    && match upper {
                        true => cursor.segment_after(Bound::Excluded(&bound), &mut segment),
                        false => cursor.is_last_of_key() && cursor.segment_before(Bound::Included(&bound), &mut segment),
                    };
                (met, is_filled, segment.rows(), cursor.is_valid().then(|| cursor.key().seqno))
            });
            assert_eq!(found[0], found[1], "{target:?}, way {way}");
        }
    }
}

#[test]
fn a_rewrite_reads_each_leaf_once_and_leaves_none_in_the_cache() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 4000));
    let meta = write(&context, &options(), &rows);
    let (paging, paged) = open(&context, &meta, Residency::Paged);
    let mut loaded = Vec::new();
    for _ in 0..2 {
        let mut cursor = paged.cursor_uncached();
        cursor.seek_to_first().unwrap();
        let mut count = 0;
        while cursor.is_valid() {
            count += 1;
            cursor.next().unwrap();
        }
        assert_eq!(count, rows.len());
        loaded.push(paging.stats.get(Counter::FenceLeavesLoaded));
    }
    assert!(loaded[0] > 10 && loaded[1] == 2 * loaded[0], "{loaded:?}");
    assert_eq!(paging.budget.used(Account::Cache), 0);
}

#[test]
fn they_take_the_memory_of_their_root() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 12_000));
    let meta = write(&context, &options(), &rows);
    let blocks = Table::open(&context, &path(), &meta).unwrap().properties().blocks;
    let [with, without] = [Residency::Resident, Residency::Paged].map(|residency| {
        let (context, table) = open(&context, &meta, residency);
        assert_eq!(context.budget.used(Account::Metadata), table.memory_bytes() as u64);
        assert_eq!(context.stats.get(Counter::FencesLeftOut), u64::from(residency == Residency::Paged));
        (table.memory_bytes() as u64, context.stats.get(Counter::TableOpenBytesRead))
    });
    assert!(with.0 - without.0 > blocks * 35, "{with:?}, {without:?} of {blocks} blocks");
    assert!(with.1 - without.1 > blocks * 35, "{with:?}, {without:?} of {blocks} blocks");
    // Beside the root, eight bytes a block for its place in the cache.
    assert!(without.0 < blocks * 11 + 3000, "{without:?} of {blocks} blocks");
}

#[test]
fn where_metadata_has_its_share_they_stay_in_the_file() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 4000));
    let meta = write(&context, &options(), &rows);
    let needed = open(&context, &meta, Residency::Resident).1.memory_bytes() as u64;
    for (total_bytes, is_paged) in [(needed * 10 / 3 + 100, false), (needed / 2, true)] {
        let context = apart(&context, Residency::ByBudget, total_bytes);
        let table = Table::open(&context, &path(), &meta).unwrap();
        assert_eq!(table.has_fence_leaves(), is_paged, "of {total_bytes} bytes");
    }
    context.fs.remove_file(&path()).unwrap();
    let short = write(&context, &options(), &rows[..500]);
    assert!(!open(&context, &short, Residency::Paged).1.has_fence_leaves(), "a fence of two pages is always in memory");
}

#[test]
fn a_read_that_may_not_wait_stops_before_a_leaf_that_is_not_there() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 4000));
    let meta = write(&context, &options(), &rows);
    let (context, table) = open(&context, &meta, Residency::Paged);
    for (key, is_there) in [(&b"key/0004444"[..], true), (b"key/0006001", false)] {
        let (mut counts, mut row) = (ReadCounts::default(), None::<TableRow>);
        fn read<'a>(key: &'a [u8], reach: Reach<'a>) -> PointRead<'a> {
            PointRead { key, hash: key_hash(0, key), read_seqno: SEQNO_MAX, reach }
        }
        let before = context.stats.get(Counter::FenceLeavesLoaded);
        let near = pin();
        assert_eq!(table.look(&read(key, Reach::Resident(&near)), &mut counts, &mut row).unwrap(), Looked::OutOfReach);
        assert!(table.approach(key, key_hash(0, key), SEQNO_MAX, None).is_none(), "nothing is known ahead");
        assert_eq!((counts, context.stats.get(Counter::FenceLeavesLoaded)), (ReadCounts::default(), before));
        drop(near);
        let expected = if is_there { Looked::Found } else { Looked::Absent };
        assert_eq!(table.look(&read(key, Reach::All), &mut counts, &mut row).unwrap(), expected);
        assert_eq!(context.stats.get(Counter::FenceLeavesLoaded), before + 1);
        let near = pin();
        assert_eq!(table.look(&read(key, Reach::Resident(&near)), &mut counts, &mut row).unwrap(), expected, "now it is there");
        assert_eq!(row.is_some(), is_there);
    }
}

#[test]
fn an_ingested_table_has_its_number_in_every_leaf() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 4000));
    let mut writer = TableWriter::create(&context, &options(), path(), TableId(7)).unwrap();
    let keys: Vec<&[u8]> = rows.chunk_by(|a, b| a.key == b.key).map(|of_key| &of_key[0].key[..]).collect();
    for key in &keys {
        writer.add(InternalKey::new(key, 0, Kind::Value), sediment_base::RowFlags::NONE, &[1; 90]).unwrap();
    }
    let meta = writer.end_rows().unwrap().number(77).unwrap();
    let (_, table) = open(&context, &meta, Residency::Paged);
    assert!(table.has_fence_leaves());
    for key in keys {
        assert_eq!(get(&table, key, 78).unwrap().map(|row| row.seqno), Some(77));
        assert_eq!(get(&table, key, 77).unwrap(), None);
    }
    assert!(walk(&table, false).iter().all(|(row, ..)| row.seqno == 77));
}

#[test]
fn what_is_known_of_many_blocks_as_one_is_near_what_is_known_of_each() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 4000));
    let meta = write(&context, &options(), &rows);
    let (_, resident) = open(&context, &meta, Residency::Resident);
    let (paging, paged) = open(&context, &meta, Residency::Paged);
    let all = |table: &Table| table.approximate_bytes(Bound::Unbounded, Bound::Unbounded);
    assert_eq!(all(&paged), all(&resident));
    let leaf_bytes = paged.stretches(1).iter().map(|(_, bytes)| *bytes).max().unwrap();
    for (low, high) in [(0, 8000), (100, 900), (3000, 3001), (7000, 100)] {
        let [low, high] = [low, high].map(|number| format!("key/{number:07}").into_bytes());
        let bounds = (Bound::Included(&low[..]), Bound::Excluded(&high[..]));
        let (exact, near) = (resident.approximate_bytes(bounds.0, bounds.1), paged.approximate_bytes(bounds.0, bounds.1));
        assert!((exact..=exact + 2 * leaf_bytes).contains(&near), "{near}, not {exact}");
    }
    assert_eq!(paged.stretches(1).iter().map(|(_, bytes)| bytes).sum::<u64>(), all(&paged));
    assert_eq!(paging.stats.get(Counter::FenceLeavesLoaded), 0, "nothing is read for that");
    let keys = KeyRange { min: (&b"key/0001000"[..]).into(), max: (&b"key/0001100"[..]).into(), is_open: false };
    let warm = [&paged, &resident].map(|table| {
        table.warm(&keys).unwrap();
        // Once more: what is only handed on is not handed on again.
        (500..=550).for_each(|number| assert!(get(table, format!("key/{:07}", number * 2).as_bytes(), SEQNO_MAX).is_ok()));
        table.warm_keys()
    });
    assert!(!warm[0].is_empty() && warm[0].iter().all(|range| !keys.is_below(&range.min, order)), "{warm:?}");
    assert_eq!(warm[0], warm[1]);
}

#[test]
fn what_is_damaged_in_a_leaf_is_an_error_and_never_a_row_less() {
    let order = &orders()[0];
    let (context, rows) = (context(order, 0), rows(order, 3000));
    let meta = write(&context, &options(), &rows);
    let (sound, frames) = frames(&context);
    let leaves: Vec<usize> = frames.into_iter().filter(|at| sound[at + 4] == Region::Leaves as u8).collect();
    assert!(leaves.len() >= 8, "{}", leaves.len());
    for (round, leaf) in leaves.iter().enumerate() {
        let mut bytes = sound.clone();
        bytes[leaf + [0, 5, 9, 17, 24, 32, 1000, 2000][round % 8]] ^= 16;
        put(&context, &bytes);
        let (_, table) = open(&context, &meta, Residency::Paged);
        let mut errors = 0;
        let mut met = |error: &sediment_base::Error| {
            let place = error.location().expect("it names its place");
            assert_eq!((error.kind(), &place.file), (ErrorKind::Corruption, &path()));
            assert!(place.offset.is_some_and(|at| (*leaf as u64..*leaf as u64 + 8192).contains(&at)), "{error}");
            errors += 1;
        };
        for row in rows.iter().step_by(7) {
            match get(&table, &row.key, row.seqno + 1) {
                Ok(found) => assert_eq!(found.map(|found| found.seqno), Some(row.seqno)),
                Err(error) => met(&error),
            }
        }
        let mut cursor = table.cursor();
        let mut walked = cursor.seek_to_first();
        let mut count = 0;
        while walked.is_ok() && cursor.is_valid() {
            count += 1;
            walked = cursor.next();
        }
        met(&walked.expect_err("a walk comes there"));
        assert!(!cursor.is_valid() && count < rows.len());
        assert!(errors > 1, "leaf at {leaf}");
        assert!(!check_table(&context, &path(), Some(&meta)).unwrap().faults.is_empty());
        assert!(Table::open(&apart(&context, Residency::Resident, u64::MAX), &path(), &meta).is_err());
    }
}

/// Asks everything that a fence has a part in, and takes any answer.
fn exercise(context: &TableContext, rows: &[Row]) -> Result<()> {
    let table = Arc::new(Table::open_alone(context, &path())?);
    let mut first = Ok(());
    for row in rows {
        first = first.and(get(&table, &row.key, row.seqno + 1).map(drop));
        let mut cursor = table.cursor();
        let mut moved = cursor.seek_before(row.internal());
        for _ in 0..20 {
            if moved.is_err() || !cursor.is_valid() {
                break;
            }
            moved = cursor.next();
        }
        first = first.and(moved);
    }
    let keys = KeyRange { min: rows[0].key[..].into(), max: rows[rows.len() / 2].key[..].into(), is_open: false };
    first = first.and(table.warm(&keys));
    let _ = (table.warm_keys(), table.stretches(10_000), table.approximate_bytes(Bound::Unbounded, Bound::Included(&keys.max)));
    first
}

#[test]
fn sealed_nonsense_is_survived() {
    let random = SeededRandom::new(29);
    let (mut refused, mut taken) = (0, 0);
    let context = context(&orders()[0], 1 << 20);
    let rows = rows(&orders()[0], 520);
    let meta = write(&context, &options(), &rows);
    let (bytes, frames) = frames(&context);
    let is_asked = |at: &usize| [2, 3, 8].contains(&bytes[at + 4]) || *at == *frames.last().unwrap();
    let frames: Vec<usize> = frames.iter().copied().filter(is_asked).collect();
    assert!(frames.len() >= 5, "a footer, properties, a root and leaves: {}", frames.len());
    let asked: Vec<Row> = rows.iter().step_by(rows.len() / 30).cloned().collect();
    for _ in 0..4000 {
        let at = frames[random.below(frames.len() as u64) as usize];
        put(&context, &with_nonsense(meta.uuid, &bytes, at, &random));
        for fence_residency in [Residency::Paged, Residency::Resident] {
            match exercise(&TableContext { fence_residency, ..context.clone() }, &asked) {
                Ok(()) => taken += 1,
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::Io, "{error}");
                    assert!(error.location().is_some_and(|place| place.file == path()), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 1000 && taken > 1000, "{refused}, {taken}");
}
