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
            if priority != Priority::Normal {
                yield_to_others(priority);
            }
            job();
        };
        let spawned = thread::Builder::new().name(name.into()).spawn(run);
        let thread =
            spawned.map_err(|e| Error::new(ErrorKind::Io, format!("cannot start the thread {name}: {e}")).with_source(e))?;
        Ok(Box::new(ThreadTask(thread)))
    }

    fn cores(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
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
    use std::sync::mpsc;

    #[test]
    fn work_runs_under_its_name_and_can_be_waited_for() {
        let (sender, receiver) = mpsc::channel();
        let job = Box::new(move || sender.send(thread::current().name().map(String::from)).expect("the test listens"));
        ThreadSpawn.spawn("flush-1", Priority::Low, job).expect("threads are to be had").join();
        assert_eq!(receiver.try_recv().ok().flatten().as_deref(), Some("flush-1"));
    }
}
