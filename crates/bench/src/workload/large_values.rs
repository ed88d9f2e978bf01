//! `largevalues`: inserts values of 16 KiB in random order, then reads them.

use super::{
    fill::{self, Order},
    read::{Kind, Read},
};
use crate::{failure::Result, measure::Measurement, settings::Settings};

/// As many as the default memory holds.
const KEYS: u64 = 8_000;
const VALUE_BYTES: usize = 16 << 10;

/// Both, each on a database of its own.
pub(super) fn run(settings: &Settings) -> Result<Vec<Measurement>> {
    let settings = Settings {
        keys: Some(settings.keys_or(KEYS)),
        value_size: Some(settings.value_size.unwrap_or(VALUE_BYTES)),
        ..settings.clone()
    };
    let fill = fill::run(&settings, Order::Random)?;
    let read = Read::over(&settings).run(Kind::Present)?;
    let named = |measurement: Measurement, name: &str| Measurement { name: name.to_owned(), ..measurement };
    Ok(vec![named(fill, "largevalues/fill"), named(read, "largevalues/read")])
}
