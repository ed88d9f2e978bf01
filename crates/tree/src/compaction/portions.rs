//! A large compaction is split into portions by key, and helpers do some of them.
//!
//! Whoever runs the compaction works too, and does every portion that nobody takes: where no helper can be had it does all, one after the
//! other. So nobody who waits for portions waits for another's turn. A compaction that takes long has more portions than threads, and
//! helpers that can be had later join it. What the portions made is installed at once, or not at all: where one fails or is cancelled, the
//! others end with their next slice.

use crate::{
    cursor::{Leaves, RunCursor, Source},
    rewrite::{Portion, Stretch, borders, portions_max},
    version::{Run, TableFile},
};
use sediment_base::{Error, ErrorKind, KeyOrder, Result};
use sediment_env::{Priority, Spawn};
use sediment_raw::sync::lock;
use std::{
    fmt,
    ops::Bound,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// A table is looked into where it is larger than this fraction of an equal share: some runs may have tables that begin and end alike.
const STRETCHES_PER_SHARE: u64 = 32;
/// Of so many portions on, those of a larger compaction are larger: each has cursors and a filter of its own.
const PORTIONS_MAX: u64 = 64;

/// Threads that help with a compaction which is large enough to be split into portions.
#[derive(Clone, Copy)]
pub struct Helpers<'a> {
    /// Has them run.
    pub spawn: &'a dyn Spawn,
    /// How urgent what they do is.
    pub priority: Priority,
    /// Asked with how many could help: how many may, until the compaction returns. It is split into one portion more at least; where
    /// there are still more, it is asked again before each.
    pub ask: &'a (dyn Fn(usize) -> usize + Sync),
    /// Portions are about so many bytes of input at most, whether anybody helps or not, so that helpers who can be had later find one that
    /// is not begun.
    pub portion_bytes: u64,
}

impl fmt::Debug for Helpers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helpers").field("spawn", &self.spawn).field("priority", &self.priority).finish_non_exhaustive()
    }
}

/// The portions of a compaction.
#[derive(Debug)]
pub(super) struct Portions<P> {
    all: Vec<P>,
    /// How many help from the beginning.
    helping: usize,
}

impl<P> Portions<P> {
    /// The same with what `work` needs for each.
    pub(super) fn with<W>(self, mut of_one: impl FnMut() -> Result<W>) -> Result<Portions<(P, W)>> {
        let all = self.all.into_iter().map(|portion| Ok((portion, of_one()?))).collect::<Result<_>>()?;
        Ok(Portions { all, helping: self.helping })
    }
}

/// The portions of a compaction of these inputs into tables of such a size: one, unless there is much to do and there is, or may be, help.
pub(super) fn split(
    inputs: &[&Arc<TableFile>],
    table_bytes: u64,
    helpers: Option<&Helpers<'_>>,
    order: &KeyOrder,
) -> Result<Portions<Portion>> {
    let bytes = inputs.iter().map(|file| file.meta.file_bytes).sum();
    let useful = portions_max(bytes, table_bytes) - 1;
    let help = helpers.filter(|_| useful > 0);
    let helping = help.map_or(0, |helpers| (helpers.ask)(useful).min(useful));
    let for_later = help.map_or(0, |helpers| bytes / helpers.portion_bytes.max(bytes / PORTIONS_MAX).max(1));
    let portions = usize::try_from(for_later).unwrap_or(usize::MAX).clamp(helping + 1, useful + 1);
    let all = match portions {
        1 => vec![Portion::whole()],
        _ => {
            let stretches = stretches(inputs, bytes / portions as u64 / STRETCHES_PER_SHARE)?;
            Portion::between(borders(&stretches, portions, order))
        }
    };
    Ok(Portions { all, helping })
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
        lock(&self.first).get_or_insert(error);
        self.is_set.store(true, Ordering::Release);
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

/// Portions under way. Shared by all who do them.
struct Division<'a, P, M> {
    left: Mutex<std::iter::Enumerate<std::vec::IntoIter<P>>>,
    made: Mutex<Vec<Option<M>>>,
    helpers: Option<&'a Helpers<'a>>,
    /// How many more may help than do.
    wanted: AtomicUsize,
    failure: &'a Failure,
    work: &'a (dyn Fn(P) -> Result<M> + Sync),
}

impl<P: Send, M: Send> Division<'_, P, M> {
    /// Does portions until none is left, side by side with so many others, and with who joins them.
    fn run(&self, helping: usize) {
        match self.helpers.filter(|_| helping > 0) {
            Some(helpers) => helpers.spawn.side_by_side("sediment-portion", helpers.priority, helping, &|| self.run_on()),
            None => self.run_on(),
        }
    }

    fn run_on(&self) {
        let _alarm = Alarm(self.failure);
        loop {
            let joining = self.joining();
            if joining > 0 {
                // Nothing is left when they return.
                return self.run(joining);
            }
            let next = lock(&self.left).next().filter(|_| !self.failure.is_set());
            let Some((number, portion)) = next else { return };
            match (self.work)(portion) {
                Ok(made) => lock(&self.made)[number] = Some(made),
                Err(error) => self.failure.set(error),
            }
        }
    }

    /// How many join who did not help so far, and find a portion beside that which the thread does that asks.
    fn joining(&self) -> usize {
        let useful = lock(&self.left).len().saturating_sub(1).min(self.wanted.load(Ordering::Relaxed));
        let Some(helpers) = self.helpers.filter(|_| useful > 0) else { return 0 };
        let joining = (helpers.ask)(useful).min(useful);
        // As many as were asked for may have been taken by another at the same time: then some find nothing to do.
        let _ = self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wanted| Some(wanted.saturating_sub(joining)));
        joining
    }
}

/// Runs `work` on each of these, side by side where there are helpers; what it made of each, in their order. Once it has failed on one no
/// other is begun.
pub(super) fn run_portions<P: Send, M: Send>(
    portions: Portions<P>,
    helpers: Option<&Helpers<'_>>,
    failure: &Failure,
    work: &(dyn Fn(P) -> Result<M> + Sync),
) -> Result<Vec<M>> {
    let Portions { all, helping } = portions;
    let helping = helping.min(all.len() - 1);
    let division = Division {
        made: Mutex::new(all.iter().map(|_| None).collect()),
        wanted: AtomicUsize::new(all.len() - 1 - helping),
        left: Mutex::new(all.into_iter().enumerate()),
        helpers,
        failure,
        work,
    };
    division.run(helping);
    if let Some(error) = lock(&failure.first).take() {
        return Err(error);
    }
    let made = division.made.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(made.into_iter().map(|output| output.expect("none has failed")).collect())
}
