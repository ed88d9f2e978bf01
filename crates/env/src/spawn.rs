//! Background threads.

use sediment_base::{Error, ErrorKind, Result};
use std::{fmt, panic, thread};

/// Work for another thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// How urgent work is where there are more threads than cores. A hint: it is followed on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// As whoever waits for an answer: somebody will soon wait for it.
    Normal,
    /// Whoever waits for an answer goes first. It must get on all the same, since in the end somebody would wait.
    Reduced,
    /// It takes what the others leave, and a little.
    Low,
}

impl Priority {
    /// As nice value: each step is a tenth of the share of a processor.
    #[cfg(target_os = "linux")]
    fn nice(self) -> i32 {
        match self {
            Self::Normal => 0,
            Self::Reduced => 5,
            Self::Low => 10,
        }
    }
}

/// Starts background work: on a thread of its own, or, stepped, when the simulator says so.
pub trait Spawn: Send + Sync + fmt::Debug {
    /// Starts `job`; `name` is for people.
    fn spawn(&self, name: &str, priority: Priority, job: Job) -> Result<Box<dyn Task>>;

    /// Runs `work` on the thread that calls and, at the same time, on as many others, up to `helpers`, as can be had; returns once
    /// all have. So `work` takes its share from what is common to all, and does everything where it is alone: stepped, it always is.
    /// Panics where `work` did, once all have ended.
    fn side_by_side(&self, name: &str, priority: Priority, helpers: usize, work: &(dyn Fn() + Sync)) {
        let _ = (name, priority, helpers);
        work();
    }

    /// How many threads can run at the same time; at least one.
    fn cores(&self) -> usize;
}

/// Work that was started.
pub trait Task: Send + fmt::Debug {
    /// Waits until it has ended. Panics where the work panicked, unless the caller is panicking already.
    fn join(self: Box<Self>);
}

/// A thread of the operating system for each piece of work.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadSpawn;

impl Spawn for ThreadSpawn {
    fn spawn(&self, name: &str, priority: Priority, job: Job) -> Result<Box<dyn Task>> {
        let run = move || {
            take_place(priority);
            job();
        };
        let spawned = thread::Builder::new().name(name.into()).spawn(run);
        let thread =
            spawned.map_err(|e| Error::new(ErrorKind::Io, format!("cannot start the thread {name}: {e}")).with_source(e))?;
        Ok(Box::new(ThreadTask(thread)))
    }

    fn side_by_side(&self, name: &str, priority: Priority, helpers: usize, work: &(dyn Fn() + Sync)) {
        thread::scope(|scope| {
            for number in 1..=helpers {
                let run = || {
                    take_place(priority);
                    work();
                };
                // Without it the others do more.
                if thread::Builder::new().name(format!("{name}-{number}")).spawn_scoped(scope, run).is_err() {
                    break;
                }
            }
            work();
        });
    }

    fn cores(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }
}

/// What a thread that begins does first.
fn take_place(priority: Priority) {
    if priority != Priority::Normal {
        yield_to_others(priority);
    }
}

/// On Linux the nice value belongs to the thread, although the call speaks of processes.
#[cfg(target_os = "linux")]
fn yield_to_others(priority: Priority) {
    let _ = rustix::process::setpriority_process(None, priority.nice());
}

#[cfg(not(target_os = "linux"))]
fn yield_to_others(_: Priority) {}

#[derive(Debug)]
struct ThreadTask(thread::JoinHandle<()>);

impl Task for ThreadTask {
    fn join(self: Box<Self>) {
        if let Err(payload) = self.0.join()
            && !thread::panicking()
        {
            panic::resume_unwind(payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SteppedClock, Stepper};
    use std::sync::{Barrier, Mutex, mpsc};

    #[test]
    fn work_runs_under_its_name_and_can_be_waited_for() {
        let (sender, receiver) = mpsc::channel();
        let job = Box::new(move || sender.send(thread::current().name().map(String::from)).expect("the test listens"));
        ThreadSpawn.spawn("flush-1", Priority::Low, job).expect("threads are to be had").join();
        assert_eq!(receiver.try_recv().ok().flatten().as_deref(), Some("flush-1"));
    }

    #[test]
    fn helpers_work_at_the_same_time_and_are_waited_for() {
        let (barrier, names) = (Barrier::new(3), Mutex::new(Vec::new()));
        ThreadSpawn.side_by_side("part", Priority::Low, 2, &|| {
            // Only where three are here at once does any go on.
            barrier.wait();
            names.lock().expect("no panic").push(thread::current().name().map(String::from));
        });
        let mut names = names.into_inner().expect("no panic");
        names.sort();
        let own = thread::current().name().map(String::from);
        let mut expected = [own, Some("part-1".into()), Some("part-2".into())];
        expected.sort();
        assert_eq!(names, expected);
    }

    #[test]
    fn stepped_whoever_calls_is_alone() {
        let callers = Mutex::new(Vec::new());
        let stepper = Stepper::new(1, SteppedClock::new(0));
        stepper.side_by_side("part", Priority::Low, 2, &|| callers.lock().expect("no panic").push(thread::current().id()));
        assert_eq!(callers.into_inner().expect("no panic"), [thread::current().id()]);
    }

    #[test]
    fn a_helper_that_panics_is_heard_of() {
        let caller = thread::current().id();
        let barrier = Barrier::new(2);
        let work = || {
            barrier.wait();
            assert_eq!(thread::current().id(), caller, "a helper");
        };
        let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| ThreadSpawn.side_by_side("part", Priority::Low, 1, &work)));
        assert!(ended.is_err());
    }
}
