//! Crashes at every call of a compaction, of every kind that there is.

use crate::{
    compare::{any_strategy, range, row},
    crash::{Further, check},
    model::{Helping, Pair, small_options},
};
use sediment_base::{KeyOrder, Result, SeqNo};
use sediment_env::{
    Env, Fs,
    fs::{CrashPlan, MemFs},
    random::SeededRandom,
};
use sediment_tree::{Plan, Strategy, TreeOptions};
use std::{collections::BTreeMap, ops::Range, path::Path};

/// The calls of one compaction, and the mark that it began with.
struct Window {
    points: Range<usize>,
    mark: Option<SeqNo>,
    plan: String,
}

/// What happens at least in the history below.
const KINDS: [&str; 15] = [
    "full",
    "full in portions",
    "lazy: move 0 -> n",
    "lazy: move n -> n",
    "lazy: rewrite 0 + n -> n",
    "lazy: rewrite 0 -> 0",
    "lazy: rewrite n + n -> n",
    "leveled: move 0 -> n",
    "leveled: move n -> n",
    "leveled: rewrite 0 + n + n -> n",
    "leveled: rewrite 0 + n -> n",
    "leveled: rewrite n + n -> n",
    "tiered: rewrite 0 + n + n -> n",
    "tiered: rewrite 0 + n -> n",
    "tiered: rewrite 0 -> 0",
];

/// What a plan does, whatever its tables and guards: `lazy: rewrite 0 + n -> n`, where `n` is any level but 0; of more than two of these
/// the rest is left out.
fn kind(strategy: &dyn Strategy, plan: &Plan) -> String {
    let text = plan.to_string();
    let (inputs, outputs) = text.split_once(" -> ").expect("where to");
    let levels = |text: &str| -> Vec<&str> {
        let numbers = text.split("level ").skip(1).map(|rest| rest.split_whitespace().next());
        let mut levels: Vec<_> = numbers.map(|number| if number == Some("0") { "0" } else { "n" }).collect();
        levels.truncate(3);
        levels
    };
    let action = inputs.split_whitespace().next().expect("what");
    format!(
        "{}: {action} {} -> {}",
        strategy.name().trim_end_matches("-100"),
        levels(inputs).join(" + "),
        levels(outputs).join(" ")
    )
}

/// Random writes, and compactions by one strategy after the other: the first compaction of each kind.
fn record(disk: &MemFs, seed: u64, rounds: usize) -> Result<(Pair, BTreeMap<String, Window>)> {
    let options =
        TreeOptions { table_bytes: 512, level_base_bytes: 1 << 10, level0_trigger: 2, ..small_options(KeyOrder::bytewise()) };
    let mut pair = Pair::create_with(Env::simulated(disk.clone(), seed), options)?;
    let random = SeededRandom::new(seed);
    let mut windows = BTreeMap::new();
    let mut strategy = any_strategy(&random);
    for round in 0..rounds {
        if round % 5 == 4 {
            strategy = any_strategy(&random);
            pair.tree.set_strategy(strategy.clone());
        }
        // At last in portions: one after the other, so that each leaves the same calls behind it every time.
        pair.helping = (round >= rounds / 5 * 4).then(|| Helping::inline(2));
        let first = random.below(200);
        for _ in 0..30 {
            pair.write_row(format!("key-{:03}", first + random.below(60)).as_bytes(), row(&random))?;
        }
        if random.below(12) == 0 {
            let (start, end) = range(&random, &pair.options.order);
            pair.remove_range(&start, &end)?;
        }
        pair.seal();
        pair.flush()?;
        let mut carry_out = |pair: &Pair, name: &str, plan: Plan| {
            let (begin, mark, plan_text) = (disk.op_count(), pair.tree.mark(), plan.to_string());
            let report = pair.tree.compact(plan, &pair.compaction(&crate::model::go_on))?;
            let name = if report.portions > 1 { format!("{name} in portions") } else { name.to_owned() };
            windows.entry(name).or_insert(Window { points: begin..disk.op_count(), mark, plan: plan_text });
            Ok::<_, sediment_base::Error>(())
        };
        while let Some(plan) = pair.tree.pick_compaction(9) {
            carry_out(&pair, &kind(&*strategy, &plan), plan)?;
        }
        if round % 16 == 15
            && let Some(plan) = pair.tree.pick_full_compaction()
        {
            carry_out(&pair, "full", plan)?;
        }
    }
    Ok((pair, windows))
}

#[test]
#[cfg_attr(planted_bugs, ignore = "planted bugs are switched on for the whole process")]
fn every_crash_inside_a_compaction_leaves_what_was_there() -> Result<()> {
    let disk = MemFs::new();
    disk.create_dir(Path::new("/tree"))?;
    disk.record();
    let (pair, windows) = record(&disk, 5, 300)?;
    assert!(KINDS.iter().all(|kind| windows.contains_key(*kind)), "one is missing of {:#?}", windows.keys());
    let history = disk.history();
    let plan = CrashPlan { subsets: 1, cuts: 1, singles_back: 2, ..CrashPlan::ci() };
    let mut images = 0;
    let mut windows: Vec<_> = windows.into_iter().collect();
    // A history is replayed fastest forwards.
    windows.sort_by_key(|(_, window)| window.points.start);
    for (kind, window) in &windows {
        for point in history.points().filter(|point| window.points.contains(point)) {
            history.for_each_image(point, &plan, &mut |name, image| {
                images += 1;
                let place =
                    format!("{kind}, {}: image {name} after {}", window.plan, history.describe(point.saturating_sub(1)));
                let further = if images % 64 == 0 { Further::WithoutOrphans } else { Further::Nothing };
                check(&pair, Some(window.mark), image, further, &place);
            });
        }
    }
    assert!(images > 1000, "{images} images");
    Ok(())
}
