//! Prefix filters: which tables a scan passes over, and that nobody ever misses a row for it.

use crate::model::{Pair, small_options};
use sediment_base::{KeyOrder, PrefixExtractor, Result, prefix_extractor::by_name, stats::Counter};
use sediment_env::{Env, fs::MemFs};
use std::sync::Arc;

const COUNTERS: [Counter; 3] = [Counter::PrefixFilterChecks, Counter::PrefixFilterNegatives, Counter::BlockCacheMisses];

/// Three tables over the same range of keys, with the even users, the odd ones, and the hundreds.
fn three_tables(extractor: Option<Arc<dyn PrefixExtractor>>) -> Result<Pair> {
    let mut options = small_options(KeyOrder::bytewise());
    options.prefix_extractor = extractor;
    options.table_bytes = 1 << 20;
    options.level0_trigger = 9;
    let mut pair = Pair::create_with(Env::simulated(MemFs::new(), 1), options)?;
    for table in [(0..200).step_by(2), (1..200).step_by(2), (0..201).step_by(100)] {
        for user in table {
            pair.write(format!("u{user:03}/mail").as_bytes(), Some(b"a"))?;
            pair.write(format!("u{user:03}/name").as_bytes(), Some(b"b"))?;
        }
        pair.flush()?;
    }
    Ok(pair)
}

fn counted(pair: &Pair) -> [u64; 3] {
    COUNTERS.map(|counter| pair.options.stats.get(counter))
}

/// What reading added to the counters.
fn added(pair: &Pair, read: impl FnOnce(&Pair) -> Result<usize>) -> Result<(usize, [u64; 3])> {
    let before = counted(pair);
    let found = read(pair)?;
    let after = counted(pair);
    Ok((found, std::array::from_fn(|at| after[at] - before[at])))
}

fn of_prefix(prefix: &str) -> impl FnOnce(&Pair) -> Result<usize> {
    move |pair| Ok(pair.tree.prefix(prefix.as_bytes(), pair.next)?.count_rows()? as usize)
}

#[test]
fn scans_read_the_tables_that_have_the_prefix() -> Result<()> {
    for extractor in ["fixed-4", "delimited-2f-1"] {
        let pair = three_tables(by_name(extractor))?;
        assert_eq!(added(&pair, of_prefix("u011/"))?, (2, [3, 2, 1]), "in one table");
        let (found, [checks, negatives, _]) = added(&pair, of_prefix("u100/"))?;
        assert_eq!((found, checks, negatives), (2, 3, 1), "in two");
        assert_eq!(added(&pair, of_prefix("u011/name"))?, (1, [3, 2, 0]), "a longer prefix has the shorter one");
        assert_eq!(added(&pair, of_prefix("u0x1/"))?, (0, [3, 3, 0]), "in none");
        let (found, [checks, ..]) = added(&pair, of_prefix("u01"))?;
        assert_eq!((found, checks), (20, 0), "a shorter prefix is none that a filter knows");
        let backward = |pair: &Pair| Ok(pair.tree.prefix(b"u013/", pair.next)?.rev().count());
        assert_eq!(added(&pair, backward)?.0, 2);
    }
    Ok(())
}

#[test]
fn ranges_within_a_prefix_are_scans_of_it() -> Result<()> {
    let pair = three_tables(by_name("fixed-4"))?;
    let range =
        |range: std::ops::Range<&'static str>| move |pair: &Pair| Ok(pair.tree.range(range, pair.next).count_rows()? as usize);
    assert_eq!(added(&pair, range("u011/m".."u011/n"))?, (1, [3, 2, 1]));
    assert_eq!(added(&pair, range("u011/".."u0110"))?, (2, [3, 2, 0]));
    let (found, [checks, ..]) = added(&pair, range("u011/".."u012/"))?;
    assert_eq!((found, checks), (2, 0), "it could hold others");
    Ok(())
}

#[test]
fn without_an_extractor_nothing_is_asked() -> Result<()> {
    let pair = three_tables(None)?;
    assert_eq!(added(&pair, of_prefix("u011/"))?.1[..2], [0, 0]);
    Ok(())
}

#[test]
fn a_table_passed_over_still_hides_what_its_range_tombstones_cover() -> Result<()> {
    let mut pair = three_tables(by_name("fixed-4"))?;
    pair.remove_range(b"u010", b"u020")?;
    pair.write(b"u500/mail", Some(b"c"))?;
    pair.flush()?;
    let (found, [_, negatives, _]) = added(&pair, of_prefix("u011/"))?;
    assert_eq!((found, negatives), (0, 3));
    Ok(())
}

/// Says another thing than what the tables under its name were written with.
#[derive(Debug)]
struct Renamed(&'static str);

impl PrefixExtractor for Renamed {
    fn name(&self) -> &str {
        self.0
    }

    fn prefix_lens(&self, key: &[u8], each: &mut dyn FnMut(usize)) {
        if key.len() > 2 {
            each(3);
        }
    }
}

#[test]
fn an_extractor_that_is_not_known_is_not_asked_and_one_that_comes_along_is_known_for_ever() -> Result<()> {
    let mut pair = three_tables(Some(Arc::new(Renamed("own"))))?;
    assert_eq!(added(&pair, of_prefix("u01"))?.1[..2], [3, 1]);
    pair.options.prefix_extractor = Some(Arc::new(Renamed("another")));
    pair.reopen()?;
    let (found, [checks, ..]) = added(&pair, of_prefix("u01"))?;
    assert_eq!((found, checks), (20, 0));
    let mut pair = three_tables(by_name("fixed-4"))?;
    pair.options.prefix_extractor = None;
    pair.reopen()?;
    assert_eq!(added(&pair, of_prefix("u011/"))?.1[..2], [3, 2]);
    let report = pair.tree.verify()?;
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    Ok(())
}

#[test]
fn orders_of_their_own_have_no_prefixes() {
    let mut options = small_options(KeyOrder::custom(Arc::new(crate::compare::Odd)));
    options.prefix_extractor = by_name("fixed-4");
    let error = Pair::create_with(Env::simulated(MemFs::new(), 1), options).err().expect("it is refused");
    assert!(error.to_string().contains("prefix_extractor"), "{error}");
}
