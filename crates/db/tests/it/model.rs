//! Random operations against a map of all versions, with flush, compaction, reopen, kills and power loss mixed in.
//!
//! `SEDIMENT_SEED=<n>` runs one seed alone; `SEDIMENT_MODEL_SEEDS` and `SEDIMENT_MODEL_OPS` size a long run.

use crate::{parallel::parallel, settings, store::DbStore};
use sediment_testkit::{
    ops::{Generator, Mix, Op, parse_script},
    run::demand,
    seed::{Rng, first_seed, number, seeds},
};

/// The operations of a seed.
pub(crate) fn ops(seed: u64, count: u64) -> Vec<Op> {
    let mut rng = Rng::new(seed);
    let keys = *rng.pick(&[12, 60, 400, 2000]);
    let value_bytes_max = *rng.pick(&[40, 300, 3000]);
    let mut generator = Generator::new(rng, Mix { keys, value_bytes_max, ..Mix::everything() });
    let start = ["a", "b"].map(|name| Op::Create(name.into()));
    start.into_iter().chain((0..count).map(|_| generator.next_op())).chain([Op::Verify, Op::Reopen]).collect()
}

#[test]
fn every_answer_is_that_of_a_map_of_all_versions() {
    let count = number("SEDIMENT_MODEL_OPS", 10_000);
    let seeds = seeds(first_seed(), number("SEDIMENT_MODEL_SEEDS", 4));
    parallel(&seeds, |seed| {
        demand::<DbStore>(&ops(*seed, count), &settings::random(*seed), *seed);
        eprintln!("model: seed {seed}, {count} operations without a difference");
    });
}

/// The note that log files may go can itself begin a file. The one that it ended by that is still needed: it is not what the note
/// speaks of.
#[test]
fn log_files_go_only_as_far_as_the_note_says_wherever_a_file_ends() {
    let mut text = String::from("create a\n");
    for index in 0..150 {
        text.push_str(&format!("insert os a k{index} {index}x{}\nflush\nreopen\n", 2800 + index * 7));
    }
    demand::<DbStore>(&parse_script(&text).expect("operations"), &settings::tiny(), 1);
}
