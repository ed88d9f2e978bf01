//! The tests are tested: each planted bug must be caught by them.
//!
//! Built with `--cfg planted_bugs`, one bug after another is switched on for the whole process, and the crash sweep, the fault
//! trials, the flipped bytes and the model look for it, first thinly, then thoroughly. `SEDIMENT_BUG=<name>` looks for one alone.

use crate::{
    crash::{Script, random, scripts, swept},
    damage,
    disks::{killed, open},
    faults, model, settings,
    store::DbStore,
};
use sediment_base::planted::{Bug, plant};
use sediment_env::MemFs;
use sediment_testkit::{alone::assert_alone, crash::Sweep, faults::rows, run::check_ops};
use sedimentdb::{ErrorKind, KeyspaceOptions};
use std::{
    fmt, panic,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How hard we looked before a bug was caught.
#[derive(Default)]
struct Hunt {
    images: u64,
    faults: u64,
    flips: u64,
    runs: u64,
}

impl fmt::Display for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { images, faults, flips, runs } = self;
        write!(f, "{images} crash images, {faults} faults, {flips} flips, {runs} model runs")
    }
}

impl Hunt {
    /// What caught it, if anything did.
    fn hunt(&mut self, images_max: u64) -> Option<String> {
        for stride in [23, 1] {
            let found = self.in_scripts(stride);
            let found = found.or_else(|| self.in_damage(stride)).or_else(|| self.in_model(stride));
            let found = found.or_else(|| self.in_faults(if stride == 1 { 1 } else { 7 }));
            if found.is_some() {
                return found;
            }
        }
        let mut seed = 1;
        while self.images < images_max {
            if let Some(failure) = self.sweep(&random(seed), 1) {
                return Some(failure);
            }
            seed += 1;
        }
        None
    }

    fn in_scripts(&mut self, stride: u64) -> Option<String> {
        scripts().iter().find_map(|script| self.sweep(script, stride))
    }

    fn sweep(&mut self, script: &Script, stride: u64) -> Option<String> {
        let seen = swept(script, &Sweep { stride, ..Sweep::default() });
        self.images += seen.images;
        seen.failures.first().map(|failure| format!("{}/{failure}", script.name))
    }

    fn in_faults(&mut self, stride: u64) -> Option<String> {
        let chosen = scripts().into_iter().filter(faults::is_chosen);
        chosen.flat_map(|script| rows(stride).into_iter().map(move |row| (script.clone(), row))).find_map(|(script, row)| {
            let tried = faults::tried(&script, &row);
            self.faults += tried.trials;
            self.images += tried.images;
            tried.failures.into_iter().next()
        })
    }

    fn in_damage(&mut self, stride: u64) -> Option<String> {
        [damage::flipped_at_rest, damage::flipped_in_log].into_iter().find_map(|flipped| match flipped(stride) {
            Err(text) => Some(text),
            Ok(flipped) => {
                self.flips += flipped.flips;
                flipped.failures.into_iter().next()
            }
        })
    }

    fn in_model(&mut self, stride: u64) -> Option<String> {
        let (seeds, count) = if stride == 1 { (20, 20_000) } else { (4, 5_000) };
        (1..=seeds).find_map(|seed| {
            self.runs += 1;
            check_ops::<DbStore>(&model::ops(seed, count), &settings::random(seed), seed).err()
        })
    }
}

/// One test at a time plants bugs.
static PLANTING: Mutex<()> = Mutex::new(());

/// Until it is dropped no other test meets what is planted.
fn alone() -> MutexGuard<'static, ()> {
    assert_alone("planted");
    PLANTING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn every_planted_bug_is_caught() {
    let _alone = alone();
    let only = std::env::var("SEDIMENT_BUG").unwrap_or_default();
    let bugs = Bug::ALL.iter().filter(|bug| format!("{bug:?}").contains(&only));
    let mut missed = Vec::new();
    // Bugs make panics by the thousand; what matters of them is in the failures.
    panic::set_hook(Box::new(|_| {}));
    for bug in bugs {
        plant(Some(*bug));
        let mut hunt = Hunt::default();
        let caught = hunt.hunt(100_000);
        plant(None);
        match caught {
            Some(failure) => {
                let line: String = failure.lines().next().unwrap_or_default().chars().take(160).collect();
                eprintln!("planted: {bug:?}: caught after {hunt}: {line}");
            }
            None => {
                eprintln!("planted: {bug:?}: MISSED in {hunt}");
                missed.push(*bug);
            }
        }
    }
    drop(panic::take_hook());
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

/// What no other test can do to a database: its memtable loses a bit.
#[test]
fn with_entry_checksums_a_bit_lost_in_a_memtable_is_told_and_not_flushed() {
    let _alone = alone();
    for is_on in [true, false] {
        let disk = MemFs::new();
        disk.record();
        let db = open(&disk);
        let options = KeyspaceOptions { entry_checksums: Some(is_on), ..KeyspaceOptions::default() };
        let keyspace = db.keyspace_with("k", options).unwrap();
        keyspace.insert("before", "sound").unwrap();
        plant(Some(Bug::TurnBitInMemtable));
        let inserted = keyspace.insert("key", "value");
        plant(None);
        inserted.unwrap();
        assert_eq!(keyspace.get("before").unwrap().as_deref(), Some(&b"sound"[..]));
        let seen = keyspace.get("key");
        let scanned = keyspace.iter().collect::<Result<Vec<_>, _>>();
        let flushed = db.flush();
        if is_on {
            let errors = [seen.unwrap_err(), scanned.unwrap_err(), flushed.unwrap_err()];
            assert!(errors.iter().all(|error| error.kind() == ErrorKind::Corruption), "{errors:?}");
            assert!(errors.iter().all(|error| error.to_string().contains("memtable")), "{errors:?}");
            assert!(!disk.tree().keys().any(|path| path.parent().is_some_and(|parent| parent.ends_with("tables"))));
            // The log has what was written.
            let db = open(&killed(&disk));
            let keyspace = db.keyspace("k").unwrap();
            assert_eq!(keyspace.get("key").unwrap().as_deref(), Some(&b"value"[..]));
        } else {
            assert_ne!(seen.unwrap().as_deref(), Some(&b"value"[..]), "nobody would notice");
            flushed.unwrap();
        }
    }
}
