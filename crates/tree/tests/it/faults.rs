//! Every call of a script fails once, in every way: reads stay right, nothing acknowledged is lost, and what failed says so.

use crate::model::{Ends, Pair, owned, small_options};
use sediment_base::{ErrorKind, KeyOrder, Result, SeqNo};
use sediment_env::{
    Env, Fs,
    fs::{CrashPlan, Fault, FaultFs, FaultRule, MemFs},
    random::SeededRandom,
};
use sediment_tree::Tree;
use std::{ops::Bound, path::Path, sync::Arc};

const ALL: Ends = (Bound::Unbounded, Bound::Unbounded);

struct Outcome {
    was_struck: bool,
    was_poisoned: bool,
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn every_failed_call_is_survived() -> Result<()> {
    all()
}

pub(crate) fn all() -> Result<()> {
    let faults = [
        (Fault::Eio, false),
        (Fault::Eio, true),
        (Fault::PartialWrite, false),
        (Fault::SyncLost, false),
        (Fault::NoSpace { after_bytes: 700 }, false),
        (Fault::ShortRead, true),
        (Fault::ShortWrite, true),
    ];
    for (fault, is_sticky) in faults {
        let (mut nth, mut poisoned) = (0, 0);
        loop {
            let outcome = run(fault, is_sticky, nth)?;
            if !outcome.was_struck {
                break;
            }
            poisoned += u64::from(outcome.was_poisoned);
            nth += if nth < 60 { 1 } else { 7 };
        }
        assert!(nth > 5, "{fault:?}: only {nth} calls to strike");
        let is_harmless = matches!(fault, Fault::ShortRead | Fault::ShortWrite | Fault::NoSpace { .. });
        assert!(!is_harmless || poisoned == 0, "{fault:?} poisoned the tree");
    }
    Ok(())
}

fn run(fault: Fault, is_sticky: bool, nth: u64) -> Result<Outcome> {
    let place = format!("{fault:?} at call {nth}, sticky {is_sticky}");
    let disk = MemFs::new();
    let faulty = Arc::new(FaultFs::new(Arc::new(disk.clone())));
    disk.create_dir(Path::new("/tree"))?;
    disk.record();
    let env = Env { fs: Arc::clone(&faulty) as Arc<dyn Fs>, ..Env::simulated(disk.clone(), 7) };
    let mut pair = Pair::create_in(env, KeyOrder::bytewise())?;
    let rule = FaultRule::nth(nth, fault);
    faulty.arm(if is_sticky { rule.sticky() } else { rule });
    let random = SeededRandom::new(5);
    let mut was_poisoned = false;
    for round in 0..6 {
        for _ in 0..25 {
            let key = format!("key-{:03}", random.below(40));
            let value = vec![b'v'; random.below(60) as usize];
            pair.write(key.as_bytes(), (random.below(4) > 0).then_some(&value))?;
        }
        let mut results = vec![pair.flush()];
        if round % 2 == 1 {
            results.push(pair.compact_due().map(drop));
            results.push(pair.compact_all());
        }
        for error in results.into_iter().filter_map(Result::err) {
            was_poisoned |= error.kind() == ErrorKind::Poisoned;
            assert!(
                matches!(error.kind(), ErrorKind::Io | ErrorKind::NoSpace | ErrorKind::Poisoned),
                "{place}: an unexpected {error:?}"
            );
        }
    }
    let was_struck = !faulty.injected().is_empty();
    faulty.disarm();
    check_memory(&pair, &place)?;
    if !was_poisoned {
        pair.flush().unwrap_or_else(|error| panic!("{place}: nothing is wrong any more, but {error:?}"));
        assert!(pair.tree.is_clean(), "{place}");
        check_memory(&pair, &place)?;
    } else {
        pair.write(b"one more", Some(b"row"))?;
        let error = pair.flush().expect_err("a poisoned tree takes no version");
        assert_eq!(error.kind(), ErrorKind::Poisoned, "{place}");
    }
    let faults = pair.tree.verify()?.faults;
    assert!(faults.is_empty(), "{place}: {faults:?}");
    check_disk(&pair, &disk, &place);
    Ok(Outcome { was_struck, was_poisoned })
}

fn check_memory(pair: &Pair, place: &str) -> Result<()> {
    assert_eq!(pair.scanned(&ALL, pair.next)?, pair.expected_range(&ALL, pair.next), "{place}");
    for key in pair.keys() {
        let found = pair.tree.get(key, pair.next)?.map(|value| value.to_vec());
        assert_eq!(found, pair.expected(key, pair.next), "{place}: {key:?}");
    }
    Ok(())
}

/// After a crash right now the tree opens, with all that it ever said to be durable, or an edit more that it did not dare to.
fn check_disk(pair: &Pair, disk: &MemFs, place: &str) {
    let plan = CrashPlan { subsets: 2, ..CrashPlan::ci() };
    disk.history().for_each_image(disk.op_count(), &plan, &mut |name, image| {
        let env = Env::simulated(image, 9);
        let tree = Tree::open(&env, &pair.dir, small_options(KeyOrder::bytewise()))
            .unwrap_or_else(|error| panic!("{place}, image {name}: {error}"));
        let mark = tree.mark();
        assert!(mark >= pair.tree.mark(), "{place}, image {name}: {:?} was durable, {mark:?} is there", pair.tree.mark());
        let found: Vec<_> = tree.range(ALL, SeqNo::MAX >> 1).map(|pair| owned(pair).expect("readable")).collect();
        assert_eq!(found, pair.expected_range(&ALL, mark.map_or(0, |mark| mark + 1)), "{place}, image {name}");
    });
}
