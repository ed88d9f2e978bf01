//! What strategies do with loads, without a disk: writes, space and runs.
//!
//! ```text
//! cargo run --release -p sediment-tree --example simulate -- [data=100G] [writes=3] [memtable=64M] [row=64K] [trigger=6] [ratio=10]
//!     [load=uniform,skewed,ordered,removing,queue] [strategy=leveled,lazy,tiered] [steady=0] [plot=80]
//! ```
//!
//! `data` is the size of what is kept, `writes` how many times it is written in all, by writers who go on where it is
//! `steady`. A row stands for the many that would take its bytes.
#![allow(clippy::print_stdout, reason = "a command line prints")]

use sediment_base::Result;
use sediment_env::random::SeededRandom;
use sediment_table::BlockCache;
use sediment_tree::{Simulation, Strategy, TreeOptions, strategy_by_name};
use std::sync::Arc;

/// What is asked for, in bytes.
struct Settings {
    data: u64,
    writes: f64,
    memtable: u64,
    row: u64,
    trigger: usize,
    ratio: u64,
    /// Whether writers go on, so that level 0 may wait for more.
    is_steady: bool,
    /// How wide a plot over time is drawn.
    plot: Option<usize>,
    loads: Vec<Load>,
    strategies: Vec<Arc<dyn Strategy>>,
}

#[derive(Clone, Copy, Debug)]
enum Load {
    /// Every key as often as any other.
    Uniform,
    /// Few keys very often.
    Skewed,
    /// Keys that ascend, as times do.
    Ordered,
    /// Half of the writes remove a key, and half of the keys are there.
    Removing,
    /// New keys at one end, old ones removed at the other.
    Queue,
}

const LOADS: [Load; 5] = [Load::Uniform, Load::Skewed, Load::Ordered, Load::Removing, Load::Queue];

fn main() -> Result<()> {
    let settings = settings();
    println!("load      strategy   written   space  most   runs  most   levels");
    for load in &settings.loads {
        for strategy in &settings.strategies {
            run(&settings, *load, Arc::clone(strategy))?;
        }
    }
    Ok(())
}

fn settings() -> Settings {
    let mut settings = Settings {
        data: 100 << 30,
        writes: 3.0,
        memtable: 64 << 20,
        row: 64 << 10,
        trigger: 6,
        ratio: 10,
        is_steady: false,
        plot: None,
        loads: LOADS.to_vec(),
        strategies: ["leveled", "lazy", "tiered"].map(strategy).into(),
    };
    for arg in std::env::args().skip(1) {
        let (name, value) = arg.split_once('=').unwrap_or((&arg, ""));
        match name {
            "data" => settings.data = bytes(value),
            "writes" => settings.writes = value.parse().expect("a number"),
            "memtable" => settings.memtable = bytes(value),
            "row" => settings.row = bytes(value),
            "trigger" => settings.trigger = value.parse().expect("a number"),
            "ratio" => settings.ratio = value.parse().expect("a number"),
            "steady" => settings.is_steady = value != "0",
            "plot" => settings.plot = Some(value.parse().expect("a number of columns")),
            "load" => settings.loads = value.split(',').map(load).collect(),
            "strategy" => settings.strategies = value.split(',').map(strategy).collect(),
            other => panic!("{other:?} is none of data, writes, memtable, row, trigger, ratio, plot, load, strategy"),
        }
    }
    settings
}

fn load(name: &str) -> Load {
    let load = LOADS.into_iter().find(|load| format!("{load:?}").eq_ignore_ascii_case(name));
    load.expect("uniform, skewed, ordered, removing or queue")
}

fn strategy(name: &str) -> Arc<dyn Strategy> {
    strategy_by_name(name).expect("leveled, tiered, lazy, lazy-<percent> or fifo-<bytes>")
}

fn bytes(text: &str) -> u64 {
    let (number, shift) = match text.split_at(text.len().saturating_sub(1)) {
        (number, "K") => (number, 10),
        (number, "M") => (number, 20),
        (number, "G") => (number, 30),
        (number, "T") => (number, 40),
        _ => (text, 0),
    };
    number.parse::<u64>().expect("a number of bytes, as 64M") << shift
}

fn run(settings: &Settings, load: Load, strategy: Arc<dyn Strategy>) -> Result<()> {
    let options = TreeOptions {
        table_bytes: settings.memtable,
        level0_trigger: settings.trigger,
        level_ratio: settings.ratio,
        level_base_bytes: settings.memtable * settings.trigger as u64,
        // As many rows stand for each of these.
        tombstones_due: (settings.memtable / settings.row / 16).max(1),
        ..TreeOptions::new(Arc::new(BlockCache::new(1 << 16)))
    };
    let name = strategy.name().to_owned();
    let mut tree = Simulation::new(options, strategy, settings.row, settings.memtable)?;
    if settings.is_steady {
        tree.expect_more();
    }
    let keys = (settings.data / settings.row).max(1);
    let steps = (keys as f64 * settings.writes) as u64;
    let random = SeededRandom::new(1);
    let mut course = Course::default();
    let memtable_rows = (settings.memtable / settings.row).max(1);
    for step in 0..steps {
        write(&mut tree, load, step, keys, &random)?;
        if step.is_multiple_of(memtable_rows) {
            course.note(&tree);
        }
    }
    // Once what is kept has been written.
    let settled = (keys.div_ceil(memtable_rows) as usize).min(course.runs.len());
    let (spaces, runs) = (&course.spaces[settled..], &course.runs[settled..]);
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
    let most = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
    let levels: Vec<String> =
        tree.level_bytes().iter().map(|bytes| format!("{:.1}", *bytes as f64 / f64::from(1 << 30))).collect();
    println!(
        "{:<9} {name:<9} {:>8.2} {:>7.2} {:>5.2} {:>6.1} {:>5.0}   {} GiB, {} compactions, {} moves",
        format!("{load:?}").to_lowercase(),
        tree.counts().write_amplification(),
        mean(spaces),
        most(spaces),
        mean(runs),
        most(runs),
        levels.join(" "),
        tree.counts().compactions,
        tree.counts().moves
    );
    if let Some(columns) = settings.plot {
        course.plot(columns);
    }
    Ok(())
}

/// How it went, memtable by memtable.
#[derive(Default)]
struct Course {
    /// Written in all, for what was flushed.
    written: Vec<f64>,
    spaces: Vec<f64>,
    runs: Vec<f64>,
    /// Bytes at the last note: flushed, and written in all.
    before: (u64, u64),
}

impl Course {
    fn note(&mut self, tree: &Simulation) {
        let counts = tree.counts();
        let now = (counts.flushed_bytes, counts.flushed_bytes + counts.compaction_written_bytes);
        self.written.push((now.1 - self.before.1) as f64 / (now.0 - self.before.0).max(1) as f64);
        self.before = now;
        self.spaces.push(tree.space_amplification());
        self.runs.push(tree.runs() as f64);
    }

    /// The mean of each stretch of time as a bar, from 0 to the highest.
    fn plot(&self, columns: usize) {
        for (name, all) in [("written", &self.written), ("space", &self.spaces), ("runs", &self.runs)] {
            let stretch = all.len().div_ceil(columns.max(1)).max(1);
            let means: Vec<f64> = all.chunks(stretch).map(|part| part.iter().sum::<f64>() / part.len() as f64).collect();
            let most = means.iter().copied().fold(0.0, f64::max);
            let bar = |mean: &f64| BARS[((mean / most.max(f64::MIN_POSITIVE)) * (BARS.len() - 1) as f64).round() as usize];
            println!("  {name:<7} {} to {most:.2}", means.iter().map(bar).collect::<String>());
        }
    }
}

const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn write(tree: &mut Simulation, load: Load, step: u64, keys: u64, random: &SeededRandom) -> Result<()> {
    match load {
        Load::Uniform => tree.insert(random.below(keys)),
        Load::Skewed => tree.insert(scattered(skewed(keys, random), keys)),
        Load::Ordered => tree.insert(step),
        Load::Removing if step.is_multiple_of(2) => tree.insert(random.below(2 * keys)),
        Load::Removing => tree.remove(random.below(2 * keys)),
        Load::Queue if step.is_multiple_of(2) => tree.insert(step),
        Load::Queue => match step.checked_sub(keys / 4) {
            Some(oldest) => tree.remove(oldest & !1),
            None => tree.insert(step),
        },
    }
}

/// Of `keys`, the rank of one drawn in inverse proportion to it.
fn skewed(keys: u64, random: &SeededRandom) -> u64 {
    let part = (random.below(1 << 53) as f64) / (1_u64 << 53) as f64;
    ((keys as f64).powf(part) as u64).min(keys - 1)
}

fn scattered(rank: u64, keys: u64) -> u64 {
    rank.wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys
}
