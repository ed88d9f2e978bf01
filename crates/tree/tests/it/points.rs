//! Point reads that begin under an epoch pin: where they end there, where they stop, and what they go on with.

use crate::model::Pair;
use sediment_base::{KeyOrder, Result, Slice, stats::Counter};
use sediment_raw::epoch::pin;
use sediment_tree::BegunGet;

const GETS: [Counter; 3] = [Counter::GetCount, Counter::GetTableHits, Counter::FilterChecks];

/// A tree with two keys in a table that nobody has opened, and nothing that is to be freed.
fn flushed() -> Result<Pair> {
    let mut pair = Pair::create(KeyOrder::bytewise(), 1)?;
    pair.write(b"a", Some(b"first"))?;
    pair.write(b"b", Some(&[7; 100]))?;
    pair.flush()?;
    pair.settle()?;
    Ok(pair)
}

/// Whether a read that is begun now has its end under the pin, and what it finds.
fn read(pair: &Pair, key: &[u8]) -> Result<(bool, Option<Slice>)> {
    let mut value = Slice::default();
    let begun = pair.tree.begin_get(&pin(), key, || pair.next, &mut value)?;
    let has_ended = matches!(begun, BegunGet::Ended(_));
    Ok((has_ended, begun.finish()?.then_some(value)))
}

fn counted(pair: &Pair) -> [u64; 3] {
    GETS.map(|counter| pair.options.stats.get(counter))
}

#[test]
fn a_read_stops_in_front_of_io_and_is_counted_once() -> Result<()> {
    let mut pair = flushed()?;
    let before = counted(&pair);
    let counted = |pair: &Pair| {
        let now = counted(pair);
        std::array::from_fn(|at| now[at] - before[at])
    };
    assert_eq!(read(&pair, b"a")?, (false, Some("first".into())), "the table was not open");
    assert_eq!(counted(&pair), [1, 1, 1]);
    assert_eq!(read(&pair, b"b")?, (true, Some([7; 100].into())), "the block is there");
    assert_eq!(counted(&pair), [2, 2, 2]);
    pair.write(b"a", Some(b"second"))?;
    assert_eq!(read(&pair, b"a")?, (true, Some("second".into())));
    pair.write(b"b", None)?;
    assert_eq!(read(&pair, b"b")?, (true, None));
    assert_eq!(read(&pair, b"")?, (true, None));
    assert_eq!(counted(&pair), [5, 2, 2]);
    // Without room for blocks, each one that is asked for is away.
    pair.options.cache.set_capacity_bytes(0);
    pair.compact_all()?;
    pair.write(b"c", Some(b"third"))?;
    pair.flush()?;
    for _ in 0..2 {
        assert_eq!(read(&pair, b"c")?, (false, Some("third".into())));
    }
    assert_eq!(counted(&pair), [7, 4, 4]);
    Ok(())
}

#[test]
fn a_read_that_stopped_goes_on_in_what_it_began_with() -> Result<()> {
    let mut pair = flushed()?;
    let mut value = Slice::default();
    let then = pair.next;
    let begun = pair.tree.begin_get(&pin(), b"a", || then, &mut value)?;
    pair.write(b"a", Some(b"later"))?;
    pair.flush()?;
    pair.compact_all()?;
    assert!(pair.tree.get(b"a", then).is_err(), "that version is gone");
    assert_eq!((begun.finish()?, &*value), (true, &b"first"[..]));
    assert_eq!(read(&pair, b"a")?.1, Some("later".into()));
    Ok(())
}

#[test]
fn a_read_that_finds_something_to_free_does_so_without_a_pin() -> Result<()> {
    let mut pair = flushed()?;
    pair.write(b"c", Some(b"third"))?;
    assert!(read(&pair, b"a")?.1.is_some());
    let mut value = Slice::default();
    let begun = {
        let pin = pin();
        assert!(pair.seal());
        pair.tree.begin_get(&pin, b"a", || pair.next, &mut value)?
    };
    assert!(matches!(begun, BegunGet::Stopped(_)), "the super-version of before the seal waits");
    assert!(begun.finish()?);
    pair.settle()?;
    assert!(read(&pair, b"a")?.0, "it went");
    Ok(())
}
