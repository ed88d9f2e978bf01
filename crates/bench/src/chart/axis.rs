//! Where a value lies on an axis, and where its ticks are.

use crate::text::{count_text, time_text};

/// How values are laid out, and what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Nanoseconds, each power of ten as high as the next.
    Times,
    /// Numbers from 0 on.
    Counts,
}

/// An axis with its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    /// The smallest axis with round ends on which all values lie.
    pub(super) fn around(scale: Scale, values: impl Iterator<Item = f64> + Clone) -> Self {
        match scale {
            Scale::Times => {
                let logs = values.filter(|value| *value >= 1.0).map(f64::log10);
                let low = logs.clone().reduce(f64::min).map_or(3.0, f64::floor);
                let high = logs.reduce(f64::max).map_or(low + 1.0, f64::ceil);
                Self { scale, low, high: high.max(low + 1.0) }
            }
            Scale::Counts => {
                let max = values.fold(0.0, f64::max);
                let step = round_step(max, 4.0);
                Self { scale, low: 0.0, high: ((max / step).ceil() * step).max(step) }
            }
        }
    }

    /// From 0 at the lower end to 1 at the upper one.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.scale == Scale::Times { value.max(1.0).log10() } else { value };
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Values with a mark, and how they are written.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Times => {
                (self.low as i32..=self.high as i32).map(|log| 10_f64.powi(log)).map(|ns| (ns, time_text(ns))).collect()
            }
            Scale::Counts => steps(self.high, round_step(self.high, 4.0)).map(|value| (value, count_text(value))).collect(),
        }
    }
}

/// Ticks of an axis of seconds.
pub(super) fn second_ticks(seconds: f64) -> Vec<(f64, String)> {
    steps(seconds, round_step(seconds, 10.0)).map(|value| (value, count_text(value))).collect()
}

fn steps(high: f64, step: f64) -> impl Iterator<Item = f64> {
    // Half a millionth more, for a last step that rounding put beyond the end.
    let count = (high / step * (1.0 + 5e-7)) as u32;
    (0..=count).map(move |number| f64::from(number) * step)
}

/// The smallest of 1, 2 and 5 times a power of ten that needs no more than about so many steps.
fn round_step(range: f64, steps: f64) -> f64 {
    let least = range / steps;
    if least <= 0.0 || !least.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= least * 0.999_999).unwrap_or(10.0 * power)
}
