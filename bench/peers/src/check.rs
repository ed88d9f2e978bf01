//! Whether an engine holds what it should, byte by byte. Nothing of it is measured.

use crate::{
    engine::{Engine, View},
    rows::Rows,
};
use anyhow::{Result, bail, ensure};

/// Every row from 0 up to `keys` must be there, in order, with the value that `value` expects.
pub(crate) fn all<'r, E: Engine>(engine: &E, rows: &'r Rows, keys: u64, value: impl Fn(u64) -> &'r [u8]) -> Result<()> {
    if !E::ANSWERS {
        return Ok(());
    }
    let (mut maker, mut index, mut wrong) = (rows.key_maker(), 0, None);
    engine.view()?.scan(None, u64::MAX, |(key, found)| {
        if wrong.is_none() && (key != maker.present(index) || found != value(index)) {
            wrong = Some(index);
        }
        index += 1;
    })?;
    if let Some(index) = wrong {
        bail!("row {index} is not what was written");
    }
    ensure!(index == keys, "{index} rows are there instead of {keys}");
    Ok(())
}

/// Rows may be there or not, but each is one that was written.
pub(crate) fn some<E: Engine>(engine: &E, rows: &Rows, at_least: u64) -> Result<()> {
    if !E::ANSWERS {
        return Ok(());
    }
    let (mut maker, mut wrong) = (rows.key_maker(), 0);
    let found = engine.view()?.scan(None, u64::MAX, |(key, value)| {
        let index = maker.index_of(key).filter(|index| *index < rows.keys);
        let is_right = index.is_some_and(|index| maker.present(index) == key && value == rows.value(index));
        wrong += u64::from(!is_right);
    })?;
    ensure!(wrong == 0, "{wrong} rows are not what was written");
    ensure!(found >= at_least, "{found} rows are there instead of {at_least}");
    Ok(())
}
