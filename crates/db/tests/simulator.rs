//! A load over a database with background threads, stepped: the same seed gives the same calls of the disk and the same files, byte for
//! byte.
//!
//! Each run has a process of its own: what is shared by a whole process (the epochs of memory reclamation, which decide when a file
//! that nobody reads is unlinked) begins anew. `SEDIMENT_SIMULATOR_OPS` sets the length of the load, `SEDIMENT_SIMULATOR_SEEDS` how many.

#[path = "it/settings.rs"]
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
mod settings;
#[path = "it/store.rs"]
mod store;

use sediment_testkit::{
    ops::{Generator, Mix, Op},
    run::Runner,
    seed::{Rng, number},
};
use sedimentdb::Options;
use std::{env, process::Command};
use store::DbStore;

/// Tells the process that it is one run, of this seed.
const SEED_VARIABLE: &str = "SEDIMENT_SIMULATED_SEED";
const TEST: &str = "the_same_seed_gives_the_same_files";

fn options(seed: u64) -> Options {
    let mut options = settings::threaded();
    options.expert.background_threads = Some(1 + seed as usize % 3);
    options.expert.reserve_bytes = 4096;
    options
}

/// Mostly writes, as many as keep flushes, compactions and the log's files turning; readers between them, and now and then a kill.
fn load(seed: u64, count: u64) -> Vec<Op> {
    let mix = Mix { keys: 500, write: 900, maintain: 1, reopen: 1, crash: 1, ..Mix::everything() };
    let mut generator = Generator::new(Rng::new(seed), mix);
    let start = ["a", "b"].map(|name| Op::Create(name.into()));
    start.into_iter().chain((0..count).map(|_| generator.next_op())).chain([Op::Verify]).collect()
}

/// Runs the load; what the disk was asked for and what it then holds, as one line.
fn run(seed: u64) -> String {
    let mut runner = Runner::<DbStore>::recorded(seed, options(seed)).expect("opens");
    for op in load(seed, number("SEDIMENT_SIMULATOR_OPS", 4000)) {
        runner.apply(&op).unwrap_or_else(|failure| panic!("seed {seed}, `{op}`: {failure}"));
    }
    let lives = runner.finish();
    let calls: usize = lives.last().map_or(0, |life| life.history.len());
    // Every call with its bytes, and so every file.
    let digests: Vec<String> = lives.iter().map(|life| format!("{:016x}", life.history.digest())).collect();
    format!("{calls} calls, {} lives: {}", lives.len(), digests.join(" "))
}

#[test]
#[expect(clippy::print_stdout, reason = "a run tells the process that asked for it what it found")]
fn the_same_seed_gives_the_same_files() {
    if let Ok(seed) = env::var(SEED_VARIABLE) {
        println!("simulated: {}", run(seed.parse().expect("a number")));
        return;
    }
    let simulated = |seed: u64| {
        let mut child = Command::new(env::current_exe().expect("this program"));
        child.args([TEST, "--exact", "--nocapture", "--test-threads=1"]).env(SEED_VARIABLE, seed.to_string());
        let output = child.output().expect("this program runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text.lines().find_map(|line| line.split_once("simulated: ")).map(|(_, said)| said.to_owned()).expect("it says so")
    };
    let first = simulated(1);
    eprintln!("simulator: seed 1: {first}");
    assert_ne!(first, simulated(2), "another seed is another run");
    for seed in 1..=number("SEDIMENT_SIMULATOR_SEEDS", 2) {
        assert_eq!(simulated(seed), simulated(seed), "seed {seed}");
    }
}
