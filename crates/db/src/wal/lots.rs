//! Where threads of a database wait for each other: a place for each thing that is waited for.

use sediment_env::Park;
use std::sync::Arc;

/// Looks at what is waited for before a thread goes to sleep: waking one costs some microseconds, most waits are shorter.
const SPINS: u32 = 100;

/// The places. What wakes in one disturbs nobody in another.
#[derive(Debug)]
pub(crate) struct Lots {
    /// For a record to be in the log.
    pub(crate) written: Arc<dyn Park>,
    /// For the log to be durable up to somewhere.
    pub(crate) synced: Arc<dyn Park>,
    /// For a commit to be visible.
    pub(crate) visible: Arc<dyn Park>,
    /// For memory.
    pub(crate) room: Arc<dyn Park>,
    /// For a flush to do,
    pub(crate) flush: Arc<dyn Park>,
    /// for a compaction to do,
    pub(crate) compaction: Arc<dyn Park>,
    /// for something to do about the log,
    pub(crate) upkeep: Arc<dyn Park>,
    /// for files that may go.
    pub(crate) files: Arc<dyn Park>,
    /// For the end of such work.
    pub(crate) ended: Arc<dyn Park>,
    /// For the next look at the statistics.
    pub(crate) look: Arc<dyn Park>,
}

impl Lots {
    /// Places of the kind of `park`.
    pub(crate) fn new(park: &dyn Park) -> Self {
        let [written, synced, visible, room, flush] = std::array::from_fn(|_| park.another());
        let [compaction, upkeep, files, ended, look] = std::array::from_fn(|_| park.another());
        Self { written, synced, visible, room, flush, compaction, upkeep, files, ended, look }
    }

    /// Lets others run, where only one runs at a time: a background job in the middle of its work. Free otherwise.
    pub(crate) fn breathe(&self) {
        self.ended.wait_at_most(0, &mut || false);
    }

    /// Everybody looks again.
    pub(crate) fn wake_everybody(&self) {
        let of_writers = [&self.written, &self.synced, &self.visible, &self.room];
        let of_threads = [&self.flush, &self.compaction, &self.upkeep, &self.files, &self.ended, &self.look];
        of_writers.into_iter().chain(of_threads).for_each(|lot| lot.wake_all());
    }
}

/// Waits until `is_done` holds: first spinning, then in the lot.
pub(crate) fn wait_briefly(lot: &dyn Park, is_done: &mut dyn FnMut() -> bool) {
    for _ in 0..SPINS {
        if is_done() {
            return;
        }
        std::hint::spin_loop();
    }
    lot.wait_until(is_done);
}
