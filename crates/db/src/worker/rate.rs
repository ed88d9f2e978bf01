//! How fast compactions may write, all of them together.
//!
//! Bytes are booked one behind the other in time, each for as long as it takes at the rate, and whoever has written waits until what he
//! booked is over (a leaky bucket as a meter, ITU-T I.371, 1993). What nobody has used is not saved up, so that there are no
//! bursts; whoever comes after a pause does not wait for what is long over.

use crate::worker::Machinery;
use sediment_base::stats::Counter;
use std::sync::{Mutex, MutexGuard};

/// A limit, which may change at any time. Shared.
#[derive(Debug)]
pub(crate) struct Rate(Mutex<Booked>);

#[derive(Debug, Default)]
struct Booked {
    bytes_per_s: Option<u64>,
    /// Until when.
    until_us: u64,
    /// How often the limit has changed.
    changes: u64,
}

impl Rate {
    pub(crate) fn new(bytes_per_s: Option<u64>) -> Self {
        Self(Mutex::new(Booked { bytes_per_s, ..Booked::default() }))
    }

    /// From now on; whoever waits goes on.
    pub(crate) fn limit(&self, bytes_per_s: Option<u64>) {
        let mut booked = self.lock();
        *booked = Booked { bytes_per_s, until_us: 0, changes: booked.changes + 1 };
    }

    /// Books what was written, and waits until it is over, unless that is no longer wanted.
    pub(super) fn pay(&self, machinery: &Machinery, bytes: u64, is_cancelled: &dyn Fn() -> bool) {
        let now_us = machinery.env.clock.monotonic_us();
        let Some((until_us, changes)) = self.book(bytes, now_us) else { return };
        let is_over = || is_cancelled() || machinery.fatal.is_set() || self.lock().changes != changes;
        if until_us > now_us {
            machinery.lots.room.wait_at_most(until_us - now_us, &mut || is_over());
            let waited_us = machinery.env.clock.monotonic_us().saturating_sub(now_us);
            machinery.instruments.count(Counter::CompactionWaitUs, waited_us);
        }
    }

    /// Until when bytes that were written now are booked, and under which limit; `None` without one.
    fn book(&self, bytes: u64, now_us: u64) -> Option<(u64, u64)> {
        let mut booked = self.lock();
        let bytes_per_s = booked.bytes_per_s.filter(|bytes_per_s| *bytes_per_s > 0)?;
        let took_us = u128::from(bytes) * 1_000_000 / u128::from(bytes_per_s);
        booked.until_us = booked.until_us.max(now_us).saturating_add(u64::try_from(took_us).unwrap_or(u64::MAX));
        Some((booked.until_us, booked.changes))
    }

    fn lock(&self) -> MutexGuard<'_, Booked> {
        self.0.lock().expect("no code panics under this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_booked_one_behind_the_other_and_pauses_are_not_saved_up() {
        let rate = Rate::new(Some(1 << 20));
        let until = |bytes, now| rate.book(bytes, now).map(|(until_us, _)| until_us);
        assert_eq!((until(1 << 20, 0), until(1 << 19, 0)), (Some(1_000_000), Some(1_500_000)));
        assert_eq!(until(1 << 19, 9_000_000), Some(9_500_000));
        assert_eq!(until(0, 9_000_000), Some(9_500_000));
        rate.limit(Some(1));
        assert_eq!(rate.book(1, 10), Some((1_000_010, 1)), "what was booked under another limit is forgotten");
        assert_eq!(rate.book(u64::MAX, 0).map(|(until_us, _)| until_us), Some(u64::MAX));
        rate.limit(None);
        assert_eq!(until(1 << 30, 0), None);
    }
}
