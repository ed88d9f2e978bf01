//! The one way to refuse a number: which setting, which range, what to do.

use sediment_base::{Error, Result};
use std::{fmt, ops::RangeInclusive};

/// Refuses a value outside of its range. `advice` says what to do instead.
pub(super) fn within(
    setting: impl fmt::Display,
    value: u64,
    range: &RangeInclusive<u64>,
    unit: &str,
    advice: &str,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let (start, end) = (range.start(), range.end());
    Err(Error::invalid_input(format!("{setting} is {value}, but must be {start} to {end} {unit}: {advice}")))
}
