//! Crash images at every file-system call of recorded scripts.
//!
//! The scripts in `testdata/crash` come first, each in full; two that are long and dull are made here; then random ones, until
//! `SEDIMENT_CRASH_IMAGES` images were opened. `SEDIMENT_CRASH_STRIDE` opens only every so-manieth image, for a quick look;
//! `SEDIMENT_IMAGE=<script>/<image>`, with the names that a failure prints, opens that one alone.

use crate::{parallel::parallel, settings, store::DbStore};
use sediment_env::{Clock, SystemClock};
use sediment_testkit::{
    crash::{Seen, Sweep, check_image, record, sweep},
    ops::{Generator, Mix, Op, parse_script, print_script},
    seed::{Rng, first_seed, number},
};
use sedimentdb::Options;
use std::sync::Mutex;

/// A script with its name and settings.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) ops: Vec<Op>,
    pub(crate) settings: Options,
    pub(crate) seed: u64,
    /// What it was made for, where the way there is long: only points near such a call are swept.
    pub(crate) event: Option<&'static str>,
}

/// The scripts that are always swept.
pub(crate) fn scripts() -> Vec<Script> {
    let written = [
        ("first_creation", include_str!("../../testdata/crash/first_creation.txt")),
        ("three_levels", include_str!("../../testdata/crash/three_levels.txt")),
        ("flush_and_compact", include_str!("../../testdata/crash/flush_and_compact.txt")),
        ("keyspaces", include_str!("../../testdata/crash/keyspaces.txt")),
        ("reopen", include_str!("../../testdata/crash/reopen.txt")),
        ("killed", include_str!("../../testdata/crash/killed.txt")),
    ];
    let made = [("manifest_rotation", manifest_rotation(), Some("create db/trees/1/manifest-2")), ("busy", busy(), None)];
    let written = written.map(|(name, text)| (name, text.to_owned(), None));
    let script = |(name, text, event): (&str, String, Option<&'static str>)| {
        let ops = parse_script(&text).expect("the scripts are operations");
        let tiny = Script { name: name.to_owned(), ops, settings: settings::tiny(), seed: 1, event };
        let hasty = Script { name: format!("{name}_hasty"), settings: settings::hasty(), ..tiny.clone() };
        let threaded = Script { name: format!("{name}_threaded"), settings: settings::threaded(), ..tiny.clone() };
        [tiny, hasty, threaded]
    };
    let scripts = written.into_iter().chain(made).flat_map(script);
    // Those two are long, and there to flush when a memtable is full, or at each step anyhow.
    scripts
        .filter(|script| !["busy_hasty", "manifest_rotation_hasty", "manifest_rotation_threaded"].contains(&&*script.name))
        .collect()
}

/// So many small flushes that a manifest's log outgrows its snapshot.
fn manifest_rotation() -> String {
    let rounds = (0..600).map(|round| {
        let (key, level) = (round % 7, ["os", "sync", "memory"][round % 3]);
        format!("insert {level} a k{key} {round}x40\ninsert os b k{round} {round}x9\nflush\n")
    });
    format!("create a\ncreate b\n{}check\n", rounds.collect::<String>())
}

/// Writes enough to flush, compact and rotate the log by themselves.
fn busy() -> String {
    let rounds = (0..160).map(|round| {
        let (keyspace, level) = (["a", "b"][round % 2], ["os", "os", "memory", "os", "sync"][round % 5]);
        match round % 4 {
            0 => format!("remove {level} {keyspace} k{}\n", (round * 7) % 31),
            1 => format!("batch {level} a+k{}={round}x150 b+k{}={round}x20\n", round % 31, round % 17),
            _ => format!("insert {level} {keyspace} k{} {round}x{}\n", (round * 5) % 31, 50 + round),
        }
    });
    format!("create a\ncreate b\n{}check\n", rounds.collect::<String>())
}

/// The script of a seed.
pub(crate) fn random(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let keys = *rng.pick(&[3, 10, 40]);
    let mut mix = Mix { keys, maintain: 60, catalog: 12, reopen: 8, crash: 12, get: 0, scan: 0, ..Mix::everything() };
    // Each seed goes without a third of the verbs: what is always there hides what needs its absence.
    for odds in [&mut mix.maintain, &mut mix.catalog, &mut mix.reopen, &mut mix.crash, &mut mix.snapshot] {
        if rng.one_in(3) {
            *odds = 0;
        }
    }
    let settings = match rng.below(4) {
        0 => settings::tiny(),
        1 => settings::threaded(),
        _ => settings::random(seed),
    };
    let mut generator = Generator::new(rng, mix);
    let start = ["a", "b"].map(|name| Op::Create(name.into()));
    let ops = start.into_iter().chain((0..60).map(|_| generator.next_op())).collect();
    Script { name: format!("random {seed}"), ops, settings, seed, event: None }
}

/// Records and sweeps one script.
pub(crate) fn swept(script: &Script, how: &Sweep) -> Seen {
    let near = script.event.map(|event| (event.to_owned(), 30));
    match record::<DbStore>(&script.ops, &script.settings, script.seed) {
        Ok(lives) => sweep::<DbStore>(&lives, &script.settings, &Sweep { near, ..how.clone() }),
        Err(text) => Seen { failures: vec![text], ..Seen::default() },
    }
}

/// Opens the one image that `SEDIMENT_IMAGE` names.
#[test]
fn one_image_by_its_name() {
    let Ok(wanted) = std::env::var("SEDIMENT_IMAGE") else { return };
    let mut parts = wanted.splitn(3, '/');
    let mut part = || parts.next().expect("<script>/<life>/<image>");
    let (script, life, image) = (part(), part().parse::<usize>().expect("a number"), part().parse().expect("an image"));
    let script = match script.strip_prefix("random ") {
        Some(seed) => random(seed.parse().expect("a seed")),
        None => scripts().into_iter().find(|known| known.name == script).expect("a known script"),
    };
    let lives = record::<DbStore>(&script.ops, &script.settings, script.seed).expect("it runs");
    let seen = check_image::<DbStore>(&lives[life], &script.settings, &image);
    let history = &lives[life].history;
    for op in image.point.saturating_sub(40)..(image.point + 3).min(history.len()) {
        eprintln!("{op}: {}", history.describe(op));
    }
    assert!(seen.failures.is_empty(), "{}", seen.failures.join("\n"));
}

#[test]
fn every_crash_image_opens_and_holds_what_was_promised() {
    let clock = SystemClock::new();
    let start = clock.monotonic_us();
    let goal = number("SEDIMENT_CRASH_IMAGES", 10_000);
    let how = Sweep { stride: number("SEDIMENT_CRASH_STRIDE", 5), ..Sweep::default() };
    let all = Mutex::new(Seen::default());
    let sweep_one = |script: &Script| {
        let mut seen = swept(script, &how);
        eprintln!("crash: {}: {seen}", script.name);
        assert!(script.event.is_none() || seen.points > 40 / how.stride, "{}: its event did not happen", script.name);
        for failure in &mut seen.failures {
            let (name, settings) = (&script.name, &script.settings);
            *failure = format!("{name}/{failure}\n{settings:?}\n{}", print_script(&script.ops));
        }
        all.lock().expect("nobody panics with it").add(seen);
    };
    let only = std::env::var("SEDIMENT_SCRIPT").unwrap_or_default();
    let chosen: Vec<Script> = scripts().into_iter().filter(|script| script.name.contains(&only)).collect();
    parallel(&chosen, sweep_one);
    let mut seed = first_seed();
    let is_enough = |all: &Mutex<Seen>| {
        let all = all.lock().expect("nobody panics with it");
        all.images >= goal || !all.failures.is_empty()
    };
    while !is_enough(&all) {
        let more: Vec<Script> = (seed..seed + 8).map(random).collect();
        parallel(&more, sweep_one);
        seed += 8;
    }
    let all = all.into_inner().expect("nobody panics with it");
    assert!(all.failures.is_empty(), "{} failures:\n{}", all.failures.len(), all.failures.join("\n"));
    let seconds = (clock.monotonic_us() - start) as f64 / 1e6;
    eprintln!("crash: {all}; {:.0} images/s", all.images as f64 / seconds);
    assert!(all.images >= goal && all.compound > 0, "{all}");
}
