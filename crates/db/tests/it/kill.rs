//! `kill -9` of a real process that writes to a real disk, again and again on one database.
//!
//! The test program starts itself as the writer. The writer performs an endless list of operations that the parent can compute
//! from the same seed, and says over a pipe how many have returned. The parent kills it at a random moment and opens what is
//! left: a prefix of the operations that contains every one that had returned. `SEDIMENT_KILL_ROUNDS` sets how often.

use crate::{settings, store::DbStore};
use sediment_env::Env;
use sediment_testkit::{
    model::{Change, Contents, Model},
    ops::{Generator, Mix, Op},
    run::describe_recovered,
    seed::{Rng, mix, number},
    store::{Level, Store},
};
use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const DIR_VARIABLE: &str = "SEDIMENT_KILL_DIR";
const ROUND_VARIABLE: &str = "SEDIMENT_KILL_ROUND";

/// The writes of a round: two keyspaces, inserts and removes, alone and in batches, and now and then a flush.
fn ops(round: u64) -> impl Iterator<Item = Op> {
    let only = Mix { keys: 300, write: 100, maintain: 1, get: 0, scan: 0, snapshot: 0, ..Mix::everything() };
    let mut generator = Generator::new(Rng::new(round), Mix { cursor: 0, catalog: 0, reopen: 0, crash: 0, ..only });
    std::iter::repeat_with(move || generator.next_op()).filter_map(move |op| match op {
        Op::Single(write, level) if write.keyspace != "extra" => Some(Op::Single(write, level.max(Level::Os))),
        Op::Batch(writes, level) if !writes.is_empty() && writes.iter().all(|write| write.keyspace != "extra") => {
            Some(Op::Batch(writes, level.max(Level::Os)))
        }
        Op::Flush | Op::Compact => Some(op),
        _ => None,
    })
}

fn apply(store: &mut DbStore, op: &Op) -> sedimentdb::Result<()> {
    match op {
        Op::Single(write, level) => store.write(std::slice::from_ref(write), *level),
        Op::Batch(writes, level) => store.write(writes, *level),
        Op::Flush => store.flush(),
        _ => store.compact(),
    }
}

/// Not a test by itself: what the parent starts. Without the variable it does nothing.
#[test]
fn writer() {
    let Some(dir) = env::var_os(DIR_VARIABLE) else { return };
    let mut store = DbStore::open(&Env::system(), Path::new(&dir), &settings::tiny()).expect("the parent just closed it");
    let mut pipe = std::io::stderr().lock();
    for (index, op) in ops(number(ROUND_VARIABLE, 0)).enumerate() {
        apply(&mut store, &op).expect("nothing fails here but the process");
        writeln!(pipe, "acknowledged {}", index + 1).expect("the parent listens");
    }
}

/// Starts the writer, kills it after about so many acknowledgements, and says how many arrived.
fn write_until_killed(dir: &Path, round: u64, kill_after: u64) -> u64 {
    let program = env::current_exe().expect("a test program has a path");
    let mut child = Command::new(program)
        .args(["--exact", "kill::writer", "--nocapture", "--test-threads=1"])
        .env(DIR_VARIABLE, dir)
        .env(ROUND_VARIABLE, round.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut acknowledged = 0;
    let mut other = String::new();
    for line in BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok) {
        match line.strip_prefix("acknowledged ") {
            // A line that the kill has cut is not an acknowledgement; numbers only grow by one.
            Some(number) if number.parse() == Ok(acknowledged + 1) => acknowledged += 1,
            Some(_) => {}
            None => other.push_str(&line),
        }
        if acknowledged == kill_after {
            child.kill().expect("it runs");
        }
    }
    child.wait().expect("it ran");
    assert!(acknowledged >= kill_after, "the writer stopped by itself after {acknowledged}: {other}");
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_removed_comes_back() {
    if env::var_os(DIR_VARIABLE).is_some() {
        return;
    }
    let rounds = number("SEDIMENT_KILL_ROUNDS", 5);
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kill-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&dir));
    let open = || DbStore::open(&Env::system(), &dir, &settings::tiny()).expect("it opens after any kill");
    let mut store = open();
    let mut model = Model::default();
    for name in ["a", "b"] {
        store.create_keyspace(name).expect("a new one");
        model.commit(Change::Create(name));
    }
    store.close().expect("a clean close");
    let mut total = 0;
    for round in 1..=rounds {
        let before = model.now();
        let acknowledged = write_until_killed(&dir, round, 1 + mix(round) % 400);
        total += acknowledged;
        let store = open();
        let mut promised = before;
        // The writer may be ahead of what it could still say; a pipe holds 64 KiB.
        for (index, op) in ops(round).take(acknowledged as usize + 8192).enumerate() {
            match &op {
                Op::Single(write, _) => model.commit(Change::Writes(std::slice::from_ref(write))),
                Op::Batch(writes, _) => model.commit(Change::Writes(writes)),
                _ => {}
            }
            if index < acknowledged as usize {
                promised = model.now();
            }
        }
        let contents = Contents::read(&store).expect("every row can be read");
        let Some(found) = model.find(&contents, promised..=model.now()) else {
            panic!("round {round}: {}", describe_recovered(&contents, &model, promised));
        };
        model.roll_back(found);
        store.verify().expect("every block is sound");
        if round % 2 == 0 {
            store.close().expect("a clean close");
        }
    }
    eprintln!("kill: {rounds} kills, {total} acknowledged writes, none lost, none back");
    std::fs::remove_dir_all(&dir).expect("ours");
}
