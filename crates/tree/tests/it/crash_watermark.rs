//! Crashes at every call of a script under watermarks: of every kind of write, with a tree that draws stamps where its rows draw their
//! numbers.

use crate::{
    compare::{self, any_strategy},
    crash::{Further, Promise, check, promised},
    model::Pair,
};
use sediment_base::{KeyOrder, Result};
use sediment_env::{
    Env, Fs,
    fs::{CrashPlan, MemFs},
    random::SeededRandom,
};
use sediment_tree::TreeOptions;
use std::path::Path;

struct Recorded {
    disk: MemFs,
    pair: Pair,
    promises: Vec<Promise>,
    compactions: usize,
}

/// Rounds of writes of every kind, some of which come late, each with a flush and something else.
fn record(seed: u64, rounds: u64) -> Result<Recorded> {
    let disk = MemFs::new();
    disk.create_dir(Path::new("/tree"))?;
    disk.record();
    let random = SeededRandom::new(seed);
    let options = TreeOptions { table_bytes: 1 << 10, level0_trigger: 2, ..compare::options(&random, KeyOrder::bytewise()) };
    let mut pair = Pair::stamped(Env::simulated(disk.clone(), seed), options, 1)?;
    let mut promises = vec![Promise::of_nothing(), Promise::now(&disk, &pair)];
    let mut compactions = 0;
    for round in 0..rounds {
        write(&mut pair, &random)?;
        // The last rows come when the memtable is sealed already.
        pair.seal();
        pair.deliver_all()?;
        pair.watermark = Some([0, random.below(pair.visible()), pair.visible()][random.below(3) as usize]);
        pair.flush()?;
        promises.push(Promise::now(&disk, &pair));
        match round % 4 {
            0 => pair.tree.set_strategy(any_strategy(&random)),
            2 => pair.reopen()?,
            3 => pair.compact_all()?,
            _ => {}
        }
        compactions += pair.compact_due()?;
        promises.push(Promise::now(&disk, &pair));
    }
    Ok(Recorded { disk, pair, promises, compactions })
}

fn write(pair: &mut Pair, random: &SeededRandom) -> Result<()> {
    for _ in 0..30 {
        match random.below(16) {
            0 => {
                let (start, end) = compare::range(random, &pair.options.order);
                pair.remove_range(&start, &end)?;
            }
            1 => pair.write_batch((0..random.below(6)).map(|_| (compare::key(random), compare::row(random))).collect())?,
            2 | 3 => pair.hold_row(&compare::key(random), compare::row(random)),
            4 => {
                let (start, end) = compare::range(random, &pair.options.order);
                pair.hold_range(&start, &end);
            }
            _ => pair.write_row(&compare::key(random), compare::row(random))?,
        }
    }
    Ok(())
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn every_crash_under_watermarks_leaves_what_the_mark_says() -> Result<()> {
    let plan = CrashPlan { subsets: 1, cuts: 2, singles_back: 2, ..CrashPlan::ci() };
    let (mut images, mut compactions) = (0, 0);
    for seed in 0..4 {
        let recorded = record(seed, 8)?;
        compactions += recorded.compactions;
        let history = recorded.disk.history();
        for point in history.points() {
            let promise = promised(&recorded.promises, point);
            history.for_each_image(point, &plan, &mut |name, image| {
                images += 1;
                let place = format!("seed {seed}: image {name} after {}", history.describe(point.saturating_sub(1)));
                let further = [Further::Nothing, Further::WithOrphans, Further::WithoutOrphans];
                let further = if images % 16 == 0 { further[images / 16 % 3] } else { Further::Nothing };
                check(&recorded.pair, promise, image, further, &place);
            });
        }
    }
    assert!(images > 1000 && compactions > 12, "{images} images, {compactions} compactions");
    Ok(())
}
