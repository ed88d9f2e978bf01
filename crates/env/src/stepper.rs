//! `Stepper`: background work that runs only while somebody waits, in an order drawn from a seed.
//!
//! Every piece of work has a thread of its own, but at most one of them runs at a time: it goes on until it waits or ends (that
//! is a *step*), and then another is drawn. Who drives are the threads that were not started here, usually one test: as long as
//! what it waits for does not hold, it has one step made after the other. So a test with one driver is deterministic: same seed,
//! same program, same order. Work may be a loop that waits for more, or run to its end.
//!
//! What blocks must block here: a step that waits for a lock which another step holds across a wait stops the world. When no
//! step can be made and no other thread wakes anybody for a while, the waiting driver panics and names all who wait.

use crate::{
    clock::{Clock, SteppedClock},
    park::Park,
    random::SeededRandom,
    spawn::{Job, Priority, Spawn, Task},
};
use sediment_base::{Error, ErrorKind, Result};
use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt, panic,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// Threads, waiting and time under one seed. Clones are the same stepper.
#[derive(Clone)]
pub struct Stepper {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    random: SeededRandom,
    clock: SteppedClock,
    patience: Duration,
}

#[derive(Default)]
struct State {
    /// What has not ended, by number.
    work: BTreeMap<usize, Work>,
    next_work: usize,
    /// Whose turn it is.
    running: Option<usize>,
    /// Counts the calls of `wake_all`.
    wakes: u64,
    steps: u64,
}

struct Work {
    name: String,
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Ready,
    Waiting,
}

/// Long enough for another driver on a busy machine to get on; only a deadlock waits so long.
const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    /// Which work this thread runs, of which stepper (by address).
    static WORK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

impl Stepper {
    /// No work yet; time as `clock` shows it.
    pub fn new(seed: u64, clock: SteppedClock) -> Self {
        Self::with_patience(seed, clock, PATIENCE)
    }

    /// As [`Self::new`], with another time after which a wait without progress counts as a deadlock.
    pub fn with_patience(seed: u64, clock: SteppedClock, patience: Duration) -> Self {
        let (state, changed, random) = (Mutex::default(), Condvar::new(), SeededRandom::new(seed));
        Self { shared: Arc::new(Shared { state, changed, random, clock, patience }) }
    }

    /// Makes one step, of work that is drawn; false where none can go on. For drivers only.
    pub fn step(&self) -> bool {
        self.shared.step(self.shared.state())
    }

    /// Makes steps until no work can go on, at most `limit`; how many were made.
    pub fn run(&self, limit: usize) -> usize {
        (0..limit).take_while(|_| self.step()).count()
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.shared.state().steps
    }

    /// The time that sleeping moves.
    pub fn clock(&self) -> &SteppedClock {
        &self.shared.clock
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the stepper's state panics")
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).expect("no holder of the stepper's state panics")
    }

    /// The work of the calling thread; none for a driver.
    fn current(&self) -> Option<usize> {
        let address = std::ptr::from_ref(self).addr();
        WORK.get().filter(|(stepper, _)| *stepper == address).map(|(_, work)| work)
    }

    fn step(&self, mut state: MutexGuard<'_, State>) -> bool {
        while state.running.is_some() {
            state = self.wait(state);
        }
        let ready = state.work.iter().filter(|(_, work)| work.status == Status::Ready);
        let ready: Vec<usize> = ready.map(|(number, _)| *number).collect();
        if ready.is_empty() {
            return false;
        }
        let chosen = ready[self.random.below(ready.len() as u64) as usize];
        let step = state.steps;
        state.steps += 1;
        state.running = Some(chosen);
        self.changed.notify_all();
        while state.running == Some(chosen) && state.steps == step + 1 {
            state = self.wait(state);
        }
        true
    }

    /// Ends a step and waits for the next turn: the next one drawn, or one after a wake later than the first `seen` ones.
    fn end_step(&self, me: usize, seen: Option<u64>) {
        let mut state = self.state();
        let is_ready = seen.is_none_or(|seen| state.wakes != seen);
        let work = state.work.get_mut(&me).expect("it has not ended");
        work.status = if is_ready { Status::Ready } else { Status::Waiting };
        state.running = None;
        self.changed.notify_all();
        drop(self.wait_for_turn(me, state));
    }

    fn end_work(&self, me: usize) {
        let mut state = self.state();
        state.work.remove(&me);
        state.running = None;
        self.changed.notify_all();
    }

    fn wait_for_turn<'a>(&self, me: usize, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while state.running != Some(me) {
            state = self.wait(state);
        }
        state
    }

    fn drive_until(&self, is_done: &mut dyn FnMut() -> bool) {
        loop {
            let seen = self.state().wakes;
            if is_done() {
                return;
            }
            let state = self.state();
            if state.wakes != seen || self.step(state) {
                continue;
            }
            let idle = |state: &mut State| {
                let is_stuck = state.running.is_none() && state.work.values().all(|work| work.status != Status::Ready);
                state.wakes == seen && is_stuck
            };
            let waited = self.changed.wait_timeout_while(self.state(), self.patience, idle);
            let (state, timeout) = waited.expect("no holder of the stepper's state panics");
            if timeout.timed_out() {
                let waiting = state.work.values().filter(|work| work.status == Status::Waiting);
                let names: Vec<String> = waiting.map(|work| work.name.clone()).collect();
                drop(state);
                let me = thread::current().name().unwrap_or("a thread without a name").to_string();
                panic!("deadlock: {me} waits, and no step can be made; waiting too: [{}]", names.join(", "));
            }
        }
    }
}

impl Park for Stepper {
    fn wait_until(&self, is_done: &mut dyn FnMut() -> bool) {
        let Some(me) = self.shared.current() else { return self.shared.drive_until(is_done) };
        loop {
            let seen = self.shared.state().wakes;
            if is_done() {
                return;
            }
            self.shared.end_step(me, Some(seen));
        }
    }

    fn wait_at_most(&self, us: u64, is_done: &mut dyn FnMut() -> bool) -> bool {
        if is_done() {
            return true;
        }
        self.sleep_us(us);
        is_done()
    }

    fn wait_idly(&self, us: u64, is_done: &mut dyn FnMut() -> bool) -> bool {
        let Some(me) = self.shared.current() else { return self.wait_at_most(us, is_done) };
        let due_us = self.monotonic_us().saturating_add(us);
        loop {
            let seen = self.shared.state().wakes;
            if is_done() {
                return true;
            }
            if self.monotonic_us() >= due_us {
                return false;
            }
            self.shared.end_step(me, Some(seen));
        }
    }

    fn is_stepped(&self) -> bool {
        true
    }

    fn another(&self) -> Arc<dyn Park> {
        Arc::new(self.clone())
    }

    fn wake_all(&self) {
        let mut state = self.shared.state();
        state.wakes += 1;
        for work in state.work.values_mut().filter(|work| work.status == Status::Waiting) {
            work.status = Status::Ready;
        }
        self.shared.changed.notify_all();
    }
}

impl Clock for Stepper {
    fn monotonic_us(&self) -> u64 {
        self.shared.clock.monotonic_us()
    }

    fn wall_us(&self) -> u64 {
        self.shared.clock.wall_us()
    }

    /// Time moves at once, and others get a turn.
    fn sleep_us(&self, us: u64) {
        self.shared.clock.advance_us(us);
        match self.shared.current() {
            Some(me) => self.shared.end_step(me, None),
            None => drop(self.step()),
        }
    }
}

impl Spawn for Stepper {
    /// One at a time, but everywhere the same: what depends on it must not depend on the machine.
    fn cores(&self) -> usize {
        2
    }

    fn spawn(&self, name: &str, _priority: Priority, job: Job) -> Result<Box<dyn Task>> {
        let mut state = self.shared.state();
        let me = state.next_work;
        state.next_work += 1;
        state.work.insert(me, Work { name: name.into(), status: Status::Ready });
        drop(state);
        let shared = self.shared.clone();
        let run = move || {
            drop(shared.wait_for_turn(me, shared.state()));
            WORK.set(Some((Arc::as_ptr(&shared).addr(), me)));
            let ended = panic::catch_unwind(panic::AssertUnwindSafe(job));
            shared.end_work(me);
            if let Err(payload) = ended {
                panic::resume_unwind(payload);
            }
        };
        match thread::Builder::new().name(name.into()).spawn(run) {
            Ok(thread) => Ok(Box::new(SteppedTask { stepper: self.clone(), work: me, thread })),
            Err(e) => {
                self.shared.state().work.remove(&me);
                Err(Error::new(ErrorKind::Io, format!("cannot start the thread {name}: {e}")).with_source(e))
            }
        }
    }
}

struct SteppedTask {
    stepper: Stepper,
    work: usize,
    thread: thread::JoinHandle<()>,
}

impl Task for SteppedTask {
    fn join(self: Box<Self>) {
        let shared = &self.stepper.shared;
        let mut is_ended = || !shared.state().work.contains_key(&self.work);
        match shared.current() {
            // Nobody wakes those who wait for an end, so they ask again at each of their turns.
            Some(me) => {
                while !is_ended() {
                    shared.end_step(me, None);
                }
            }
            None => shared.drive_until(&mut is_ended),
        }
        if let Err(payload) = self.thread.join()
            && !thread::panicking()
        {
            panic::resume_unwind(payload);
        }
    }
}

impl fmt::Debug for SteppedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SteppedTask({})", self.work)
    }
}

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.state();
        let names: Vec<&str> = state.work.values().map(|work| &*work.name).collect();
        f.debug_struct("Stepper").field("steps", &state.steps).field("work", &names).finish_non_exhaustive()
    }
}
