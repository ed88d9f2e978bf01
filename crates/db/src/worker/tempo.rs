//! How fast writers come, as flushes see it: whether compactions gain by waiting.
//!
//! A compaction of level 0 writes again what it meets below, however little it brings. While writers keep flushes busy the next run is
//! there soon, and goes down at the price of one that was due before; readers ask a few runs more until then, and the processors are the
//! writers'. Once writers pause nothing is gained any more: what is due is done. How much waits is the strategy's to say.

use std::sync::{Mutex, MutexGuard};

/// Writers are busy who keep flushes at work for this part of the time.
const BUSY_SHARE: f64 = 0.25;
/// Writers pause whose next flush does not end for so many times of what lay between the two before.
const PAUSE: u64 = 2;

/// When flushes ended lately. Shared.
#[derive(Debug, Default)]
pub(super) struct Tempo(Mutex<Flushes>);

#[derive(Debug, Default)]
struct Flushes {
    ended_us: Option<u64>,
    /// Until when writers count as busy.
    busy_until_us: u64,
}

impl Tempo {
    /// A flush ran.
    pub(super) fn flushed(&self, began_us: u64, ended_us: u64) {
        let mut flushes = self.flushes();
        let between_us = flushes.ended_us.map_or(u64::MAX, |before_us| ended_us.saturating_sub(before_us));
        let is_busy = ended_us.saturating_sub(began_us) as f64 >= between_us as f64 * BUSY_SHARE;
        flushes.busy_until_us = if is_busy { ended_us.saturating_add(between_us.saturating_mul(PAUSE)) } else { 0 };
        flushes.ended_us = Some(ended_us);
    }

    /// For how long from now on compactions may wait for more; nothing where writers are not busy.
    pub(super) fn patience_us(&self, now_us: u64) -> Option<u64> {
        self.flushes().busy_until_us.checked_sub(now_us).filter(|us| *us > 0)
    }

    fn flushes(&self) -> MutexGuard<'_, Flushes> {
        self.0.lock().expect("no code panics under this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compactions_wait_while_writers_keep_flushes_busy() {
        let tempo = Tempo::default();
        assert_eq!(tempo.patience_us(0), None);
        tempo.flushed(1_000, 1_400);
        assert_eq!(tempo.patience_us(1_400), None, "one flush says nothing");
        tempo.flushed(2_000, 2_400);
        assert_eq!(tempo.patience_us(2_400), Some(2_000), "busy for two fifths");
        assert_eq!([4_399, 4_400].map(|now_us| tempo.patience_us(now_us)), [Some(1), None], "until writers pause");
        tempo.flushed(9_000, 9_400);
        assert_eq!(tempo.patience_us(9_400), None, "busy for a seventeenth");
        tempo.flushed(9_900, 10_400);
        assert_eq!(tempo.patience_us(10_400), Some(2_000), "at once again");
    }
}
