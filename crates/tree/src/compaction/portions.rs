//! A large compaction is split into portions by key, and helpers do some of them.
//!
//! Whoever runs the compaction works too, and does every portion that nobody takes: where no helper can be had it does all, one after the
//! other. So nobody who waits for portions waits for another's turn. What the portions made is installed at once, or not at all: where one
//! fails or is cancelled, the others end with their next slice.

use crate::{
    cursor::{Leaves, RunCursor, Source},
    rewrite::{Portion, Stretch, borders, portions_max},
    version::{Run, TableFile},
};
use sediment_base::{Error, ErrorKind, KeyOrder, Result};
use sediment_env::{Priority, Spawn};
use std::{
    fmt,
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A table is looked into where it is larger than this fraction of an equal share: some runs may have tables that begin and end alike.
const STRETCHES_PER_SHARE: u64 = 32;

/// Threads that help with a compaction which is large enough to be split into portions.
#[derive(Clone, Copy)]
pub struct Helpers<'a> {
    /// Has them run.
    pub spawn: &'a dyn Spawn,
    /// How urgent what they do is.
    pub priority: Priority,
    /// Asked at most once, with how many could help: how many may, until the compaction returns. It is split into one portion more.
    pub ask: &'a dyn Fn(usize) -> usize,
}

impl fmt::Debug for Helpers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helpers").field("spawn", &self.spawn).field("priority", &self.priority).finish_non_exhaustive()
    }
}

/// The portions of a compaction of these inputs into tables of such a size: one, unless there is much to do and there is help.
pub(super) fn split(
    inputs: &[&Arc<TableFile>],
    table_bytes: u64,
    helpers: Option<&Helpers<'_>>,
    order: &KeyOrder,
) -> Result<Vec<Portion>> {
    let bytes = inputs.iter().map(|file| file.meta.file_bytes).sum();
    let useful = portions_max(bytes, table_bytes) - 1;
    let helping = helpers.filter(|_| useful > 0).map_or(0, |helpers| (helpers.ask)(useful).min(useful));
    if helping == 0 {
        return Ok(vec![Portion::whole()]);
    }
    let portions = helping + 1;
    let stretches = stretches(inputs, bytes / portions as u64 / STRETCHES_PER_SHARE)?;
    Ok(Portion::between(borders(&stretches, portions, order)))
}

/// Where bytes of the inputs lie, to within so many.
fn stretches(inputs: &[&Arc<TableFile>], bytes_max: u64) -> Result<Vec<Stretch>> {
    let mut stretches = Vec::new();
    for file in inputs {
        let (keys, file_bytes) = (&file.meta.range, file.meta.file_bytes);
        if file_bytes <= bytes_max {
            stretches.push(Stretch { from: keys.min.clone(), until: keys.max.clone(), bytes: file_bytes });
            continue;
        }
        let mut parts = file.open()?.stretches(bytes_max).into_iter().peekable();
        while let Some((from, bytes)) = parts.next() {
            let until = parts.peek().map_or(&keys.max, |(next, _)| next).clone();
            stretches.push(Stretch { from, until, bytes });
        }
    }
    Ok(stretches)
}

/// One cursor per run, newest first, over those of its tables that may hold keys of a portion.
pub(super) fn sources(runs: &[Arc<Run>], portion: &Portion, order: &KeyOrder, leaves: Leaves) -> Vec<Source> {
    let lower = portion.from.as_deref().map_or(Bound::Unbounded, Bound::Included);
    let upper = portion.until.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let cursor = |run: &Arc<Run>| {
        let tables = run.overlapping_bounds(lower, upper, order);
        (!tables.is_empty())
            .then(|| Source::Run(RunCursor::of_all_keys(Arc::clone(run), tables, order.clone()).leaving(leaves)))
    };
    runs.iter().filter_map(cursor).collect()
}

/// The first failure of any portion. Shared by all.
#[derive(Debug, Default)]
pub(super) struct Failure {
    is_set: AtomicBool,
    first: Mutex<Option<Error>>,
}

impl Failure {
    /// Whether a portion has failed: the others are done in vain.
    pub(super) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    fn set(&self, error: Error) {
        self.first().get_or_insert(error);
        self.is_set.store(true, Ordering::Release);
    }

    fn first(&self) -> MutexGuard<'_, Option<Error>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the other portions where one panics.
struct Alarm<'a>(&'a Failure);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.set(Error::new(ErrorKind::Cancelled, "another portion of the compaction panicked"));
        }
    }
}

/// Runs `work` on each of these, side by side where there are helpers; what it made of each, in their order. Once it has failed on one no
/// other is begun.
pub(super) fn run_portions<P: Send, M: Send>(
    portions: Vec<P>,
    helpers: Option<&Helpers<'_>>,
    failure: &Failure,
    work: &(dyn Fn(P) -> Result<M> + Sync),
) -> Result<Vec<M>> {
    let made: Mutex<Vec<Option<M>>> = Mutex::new(portions.iter().map(|_| None).collect());
    let helping = portions.len().saturating_sub(1);
    let left = Mutex::new(portions.into_iter().enumerate());
    let take = || left.lock().unwrap_or_else(PoisonError::into_inner).next().filter(|_| !failure.is_set());
    let run = || {
        let _alarm = Alarm(failure);
        while let Some((number, portion)) = take() {
            match work(portion) {
                Ok(output) => made.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(output),
                Err(error) => failure.set(error),
            }
        }
    };
    match helpers.filter(|_| helping > 0) {
        Some(helpers) => helpers.spawn.side_by_side("sediment-portion", helpers.priority, helping, &run),
        None => run(),
    }
    if let Some(error) = failure.first().take() {
        return Err(error);
    }
    let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(made.into_iter().map(|output| output.expect("none has failed")).collect())
}
