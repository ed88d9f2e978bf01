//! Filters in pages: they answer as those in memory do, take little memory, and what is damaged in them is an error.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
    sealed::{frames, put, with_nonsense},
};
use sediment_base::{Account, ErrorKind, MemoryBudget, Result, prefix_extractor, seqno::SEQNO_MAX, stats::Counter};
use sediment_codec::{hash::key_hash, seal::Region};
use sediment_env::random::SeededRandom;
use sediment_raw::epoch::pin;
use sediment_table::{
    BlockCache, FilterKind, Looked, PointRead, Reach, ReadCounts, Residency, Table, TableContext, TableMeta, TableOptions,
    TableRow, check::check_table,
};
use std::sync::Arc;

const ROWS: u64 = 20_000;

fn key(number: u64) -> Vec<u8> {
    format!("{:02}/{number:08}", number % 97).into_bytes()
}

fn rows(count: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..count).map(|number| Row::new(key(number * 2), number + 1, number.to_le_bytes())).collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

fn options(filter: FilterKind, filter_bits_per_key: u8) -> TableOptions {
    // Every key is a prefix of its own, so that there are many.
    let prefix_extractor = prefix_extractor::by_name("fixed-11");
    TableOptions { filter, filter_bits_per_key, filter_bits_per_prefix: 9, prefix_extractor, ..TableOptions::default() }
}

/// The same disk with a cache and a budget of its own.
fn apart(context: &TableContext, filter_residency: Residency, total_bytes: u64) -> TableContext {
    let budget = Arc::new(MemoryBudget::new(total_bytes));
    let cache = Arc::new(BlockCache::with_budget(4 << 20, Arc::clone(&budget)));
    TableContext { budget, cache, stats: Arc::default(), filter_residency, ..context.clone() }
}

fn open(context: &TableContext, meta: &TableMeta, residency: Residency) -> (TableContext, Table) {
    let context = apart(context, residency, u64::MAX);
    let table = Table::open(&context, &path(), meta).unwrap();
    (context, table)
}

#[test]
fn they_answer_as_those_in_memory_do() {
    for (kind, bits) in [(FilterKind::SplitBlock, 10), (FilterKind::Burr, 7), (FilterKind::Burr, 2), (FilterKind::Burr, 19)] {
        let context = context(&orders()[0], 0);
        let meta = write(&context, &options(kind, bits), &rows(ROWS));
        let (_, resident) = open(&context, &meta, Residency::Resident);
        let (paging, paged) = open(&context, &meta, Residency::Paged);
        assert!(!resident.has_filter_pages() && paged.has_filter_pages());
        let mut denied = 0;
        for number in 0..2 * ROWS {
            let key = key(number);
            let hash = key_hash(0, &key);
            let may_contain = resident.may_contain(hash).unwrap();
            assert_eq!(may_contain, paged.may_contain(hash).unwrap(), "{kind:?}, {bits} bits, {number}");
            let has_prefix = resident.may_contain_prefix(&key).unwrap();
            assert_eq!(has_prefix, paged.may_contain_prefix(&key).unwrap(), "{kind:?}, {bits} bits, {number}");
            assert!(number % 2 == 1 || (may_contain && has_prefix), "{kind:?}, {bits} bits: a key that is there");
            denied += u64::from(!may_contain);
            let found = paged.get(&key, hash, SEQNO_MAX).unwrap();
            assert_eq!(found, resident.get(&key, hash, SEQNO_MAX).unwrap());
            assert_eq!(found.is_some(), number % 2 == 0);
        }
        assert!(denied > ROWS / 2, "{kind:?}, {bits} bits: {denied}");
        let loaded = paging.stats.get(Counter::FilterPagesLoaded);
        let pages = (resident.filter_bytes() + ROWS * 9 / 8) / 4032 + 4;
        assert!((4..=pages).contains(&loaded), "{kind:?}, {bits} bits: each of {pages} pages once, not {loaded}");
        assert!(paging.stats.get(Counter::FilterPageBytesRead) <= loaded * 4096);
        let report = check_table(&paging, &path(), Some(&meta)).unwrap();
        assert!(report.faults.is_empty(), "{:?}", report.faults);
    }
}

#[test]
fn they_take_the_memory_of_their_heads() {
    for kind in [FilterKind::SplitBlock, FilterKind::Burr] {
        let context = context(&orders()[0], 0);
        let meta = write(&context, &TableOptions { prefix_extractor: None, ..options(kind, 10) }, &rows(ROWS));
        let [with, without] = [Residency::Resident, Residency::Paged].map(|residency| {
            let (context, table) = open(&context, &meta, residency);
            assert_eq!(context.budget.used(Account::Metadata), table.memory_bytes() as u64);
            assert_eq!(context.stats.get(Counter::FiltersLeftOut), u64::from(residency == Residency::Paged));
            (table.memory_bytes() as u64, table.filter_bytes(), context.stats.get(Counter::TableOpenBytesRead))
        });
        assert!(with.1 > ROWS && with.1 == without.1, "{kind:?}: {with:?}");
        assert!(with.0 - without.0 > with.1 * 9 / 10, "{kind:?}: {with:?}, {without:?}");
        assert!(with.2 - without.2 > with.1 * 8 / 10, "{kind:?}: {with:?}, {without:?}");
    }
}

#[test]
fn where_metadata_has_its_share_they_stay_in_the_file() {
    let context = context(&orders()[0], 0);
    let meta = write(&context, &options(FilterKind::SplitBlock, 10), &rows(ROWS));
    let needed = open(&context, &meta, Residency::Resident).1.memory_bytes() as u64;
    for (total_bytes, is_paged) in [(needed * 10 / 3 + 100, false), (needed / 2, true)] {
        let context = apart(&context, Residency::ByBudget, total_bytes);
        let table = Table::open(&context, &path(), &meta).unwrap();
        assert_eq!(table.has_filter_pages(), is_paged, "of {total_bytes} bytes");
        assert_eq!(context.stats.get(Counter::FiltersLeftOut), if is_paged { 2 } else { 0 });
    }
    let short = write_anew(&context, &options(FilterKind::SplitBlock, 10), &rows(1000));
    assert!(!open(&context, &short, Residency::Paged).1.has_filter_pages(), "a filter of a page is always in memory");
}

fn write_anew(context: &TableContext, options: &TableOptions, rows: &[Row]) -> TableMeta {
    context.fs.remove_file(&path()).unwrap();
    write(context, options, rows)
}

#[test]
fn a_read_that_may_not_wait_stops_before_a_page_that_is_not_there() {
    for kind in [FilterKind::SplitBlock, FilterKind::Burr] {
        let context = context(&orders()[0], 0);
        let meta = write(&context, &options(kind, 12), &rows(ROWS));
        let (context, table) = open(&context, &meta, Residency::Paged);
        let absent = (0..ROWS).map(|number| key(number * 2 + 1)).find(|key| {
            let is_denied = !table.may_contain(key_hash(0, key)).unwrap();
            context.cache.set_capacity_bytes(0);
            context.cache.set_capacity_bytes(4 << 20);
            is_denied
        });
        for (key, is_there) in [(key(ROWS), true), (absent.unwrap(), false)] {
            let (mut counts, mut row) = (ReadCounts::default(), None::<TableRow>);
            fn read<'a>(key: &'a [u8], reach: Reach<'a>) -> PointRead<'a> {
                PointRead { key, hash: key_hash(0, key), read_seqno: SEQNO_MAX, reach }
            }
            let before = context.stats.get(Counter::FilterPagesLoaded);
            let near = pin();
            let met = &mut counts;
            assert_eq!(table.look(&read(&key, Reach::Resident(&near)), met, &mut row).unwrap(), Looked::OutOfReach);
            let way = table.approach(&key, key_hash(0, &key), SEQNO_MAX, None).expect("the filter is not asked");
            assert_eq!(table.look_at(&way, &read(&key, Reach::Resident(&near)), met, &mut row).unwrap(), Looked::OutOfReach);
            assert_eq!((*met, context.stats.get(Counter::FilterPagesLoaded)), (ReadCounts::default(), before));
            drop(near);
            let expected = if is_there { Looked::Found } else { Looked::Absent };
            assert_eq!(table.look(&read(&key, Reach::All), met, &mut row).unwrap(), expected);
            let near = pin();
            assert_eq!(table.look(&read(&key, Reach::Resident(&near)), met, &mut row).unwrap(), expected, "now it is there");
            assert_eq!(table.look_at(&way, &read(&key, Reach::Resident(&near)), met, &mut row).unwrap(), expected);
            assert_eq!((counts.filter_checks, counts.filter_negatives), (3, if is_there { 0 } else { 3 }));
            assert_eq!(row.is_some(), is_there);
        }
    }
}

#[test]
fn what_is_damaged_in_a_page_is_an_error_and_never_a_no() {
    for kind in [FilterKind::SplitBlock, FilterKind::Burr] {
        let context = context(&orders()[0], 0);
        let rows = rows(ROWS);
        let meta = write(&context, &options(kind, 8), &rows);
        let (sound, frames) = frames(&context);
        let filters = [Region::Filter as u8, Region::PrefixFilter as u8];
        let pages: Vec<usize> =
            frames.into_iter().filter(|at| filters.contains(&sound[at + 4]) && sound[at + 8..at + 12] != [0; 4]).collect();
        assert!(pages.len() > 8);
        for (round, page) in pages.iter().enumerate() {
            let mut bytes = sound.clone();
            bytes[page + [0, 5, 9, 17, 24, 32, 1000, 2000][round % 8]] ^= 16;
            put(&context, &bytes);
            let (_, table) = open(&context, &meta, Residency::Paged);
            let mut errors = 0;
            for row in &rows {
                let hash = key_hash(0, &row.key);
                let answers = [table.get(&row.key, hash, SEQNO_MAX).map(|found| found.is_some()), table.may_contain(hash)];
                for answer in answers.into_iter().chain([table.may_contain_prefix(&row.key)]) {
                    match answer {
                        Ok(is_there) => assert!(is_there, "a key is never absent because of damage"),
                        Err(error) => {
                            let place = error.location().expect("it names its place");
                            assert_eq!((error.kind(), &place.file), (ErrorKind::Corruption, &path()));
                            assert!(
                                place.offset.is_some_and(|at| (*page as u64..*page as u64 + 4096).contains(&at)),
                                "{error}"
                            );
                            errors += 1;
                        }
                    }
                }
            }
            assert!(errors > 0, "page at {page}");
            assert!(!check_table(&context, &path(), Some(&meta)).unwrap().faults.is_empty());
            assert!(Table::open(&apart(&context, Residency::Resident, u64::MAX), &path(), &meta).is_err());
        }
    }
}

/// Asks everything that a filter has a part in, and takes any answer.
fn exercise(context: &TableContext, rows: &[Row]) -> Result<()> {
    let table = Table::open_alone(context, &path())?;
    let mut first = Ok(());
    for row in rows {
        let hash = key_hash(0, &row.key);
        for asked in [
            table.get(&row.key, hash, SEQNO_MAX).map(drop),
            table.may_contain(!hash).map(drop),
            table.may_contain_prefix(&row.key).map(drop),
        ] {
            first = first.and(asked);
        }
    }
    first
}

#[test]
fn sealed_nonsense_is_survived() {
    let random = SeededRandom::new(23);
    let (mut refused, mut taken) = (0, 0);
    for (kind, bits, count) in [(FilterKind::SplitBlock, 255, 260), (FilterKind::Burr, 32, 2200)] {
        let context = context(&orders()[0], 1 << 20);
        let rows = rows(count);
        let prefixes = TableOptions { filter_bits_per_prefix: bits, ..options(kind, bits) };
        let meta = write(&context, &prefixes, &rows);
        let (bytes, frames) = frames(&context);
        let is_asked = |at: &usize| [4, 5].contains(&bytes[at + 4]) || *at == *frames.last().unwrap();
        let frames: Vec<usize> = frames.iter().copied().filter(is_asked).collect();
        assert!(frames.len() >= 7, "a footer, and two filters of a head and two pages: {}", frames.len());
        for _ in 0..1500 {
            let at = frames[random.below(frames.len() as u64) as usize];
            put(&context, &with_nonsense(meta.uuid, &bytes, at, &random));
            for filter_residency in [Residency::Paged, Residency::Resident] {
                match exercise(&TableContext { filter_residency, ..context.clone() }, &rows[..rows.len().min(40)]) {
                    Ok(()) => taken += 1,
                    Err(error) => {
                        assert_ne!(error.kind(), ErrorKind::Io, "{error}");
                        assert!(error.location().is_some_and(|place| place.file == path()), "{error}");
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 500 && taken > 500, "{refused}, {taken}");
}
