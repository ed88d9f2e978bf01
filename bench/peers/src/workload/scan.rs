//! Reads of many rows, from a database at rest.

use super::{Bench, Done, Job};
use crate::{
    engine::{Engine, View},
    looping::closed_loop,
    rows::{DRAWS, Digest, Rows},
};
use anyhow::{Result, ensure};

/// Rows behind a seek.
const SEEK_ROWS: u64 = 10;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// Seeks a key drawn at random, and reads rows from there.
pub(super) fn seek<'a, E: Engine>(bench: &'a Bench<'a, E>) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let (order, number_at) = (rows.drawn(0), settings.key_prefix.len());
    let first = move |index: u32| u64::from(index).min(rows.keys - SEEK_ROWS);
    Box::new(move || {
        let (mut keys, view, mut digest) = (rows.key_maker(), engine.view()?, Digest::default());
        let looped = closed_loop(settings.latency, bench.time(), |operation| {
            let index = first(order[(operation & (DRAWS - 1)) as usize]);
            view.scan(Some(keys.present(index)), SEEK_ROWS, |row| digest.row(number_at, row)).map(|_| ())
        })?;
        let count = looped.operations;
        let check = move || {
            let firsts = (0..count).map(|operation| first(order[(operation % DRAWS) as usize]));
            check::<E>(rows, number_at, digest, firsts.flat_map(|first| first..first + SEEK_ROWS))
        };
        Ok(Done { looped, writes: 0, check: Box::new(check) })
    })
}

/// All rows, again and again. An operation is a row.
pub(super) fn all<'a, E: Engine>(bench: &'a Bench<'a, E>, direction: Direction) -> Job<'a> {
    let Bench { engine, rows, settings, .. } = bench;
    let number_at = settings.key_prefix.len();
    Box::new(move || {
        let (view, mut digest) = (engine.view()?, Digest::default());
        let looped = closed_loop(settings.latency, bench.time(), |_| {
            match direction {
                Direction::Forward => view.scan(None, u64::MAX, |row| digest.row(number_at, row)),
                Direction::Reverse => view.scan_reverse(|row| digest.row(number_at, row)),
            }?;
            Ok(())
        })?;
        let passes = looped.operations;
        let looped = looped.of(passes * rows.keys);
        let check = move || match direction {
            Direction::Forward => check::<E>(rows, number_at, digest, (0..passes).flat_map(|_| 0..rows.keys)),
            Direction::Reverse => check::<E>(rows, number_at, digest, (0..passes).flat_map(|_| (0..rows.keys).rev())),
        };
        Ok(Done { looped, writes: 0, check: Box::new(check) })
    })
}

fn check<E: Engine>(rows: &Rows, number_at: usize, found: Digest, indexes: impl Iterator<Item = u64>) -> Result<()> {
    let (mut expected, mut keys) = (Digest::default(), rows.key_maker());
    if !E::ANSWERS {
        return Ok(());
    }
    indexes.for_each(|index| expected.row(number_at, (keys.present(index), rows.value(index))));
    ensure!(found.rows() == expected.rows(), "{} rows were read instead of {}", found.rows(), expected.rows());
    ensure!(found == expected, "what was read is not what was written");
    Ok(())
}
