//! Damage: a byte of a finished store flips, and the store must say so, or not have needed it.
//!
//! Each flip is made on a copy of the disk as a script left it. Opening and reading everything then gives an error that names
//! file and offset, or what was written; never less, never something else, never a panic. Where a log was not closed, what was
//! never synced may be gone: damage at its end cannot be told from a crash.

use crate::{
    model::{Contents, Model, Moment},
    run::{DIR, Failure, Life, describe_recovered, guarded},
    seed::mix,
    store::Store,
    world::World,
};
use sediment_base::Error;
use sediment_env::fs::{ImageName, Rule, Variant};
use std::{collections::BTreeMap, fmt, ops::RangeInclusive, path::Path};

/// What a row of flips saw.
#[derive(Clone, Debug, Default)]
pub struct Flipped {
    /// Bytes that were flipped.
    pub flips: u64,
    /// Flips that opening or reading refused.
    pub refused: u64,
    /// Flips that only verification found.
    pub verified: u64,
    /// Flips that nothing found because nothing uses the byte, by file.
    pub unused: BTreeMap<String, u64>,
    /// What went wrong.
    pub failures: Vec<String>,
}

impl fmt::Display for Flipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flips, refused, verified, unused, failures } = self;
        let failures = failures.len();
        write!(f, "{flips} flips: {refused} refused, {verified} found by verify, unused {unused:?}, {failures} failures")
    }
}

/// Flips one bit of every `stride`-th byte of every file that a life left behind. What is read must be as it was at one of the
/// moments that are due.
pub fn flip_bytes<S: Store>(life: &Life, settings: &S::Settings, stride: u64, due: RangeInclusive<Moment>) -> Flipped {
    let point = *life.history.points().end();
    let name = ImageName { point, rule: Rule::PosixStrict, variant: Variant::Killed };
    let image = || life.history.image(&name).expect("a crash after the last call");
    let due = Due { model: &life.model, moments: due };
    let mut flipped = Flipped::default();
    for (path, bytes) in image().tree() {
        for offset in (mix(bytes.len() as u64) % stride..bytes.len() as u64).step_by(stride as usize) {
            let disk = image();
            disk.flip(&path, offset, (mix(offset) % 8) as u8).expect("the byte is there");
            flipped.flips += 1;
            let outcome = guarded(|| read::<S>(&World::new(disk, offset), settings, &due));
            let place = format!("{} at {offset} of {}", path.display(), bytes.len());
            match outcome {
                Ok(Found::Nothing) => *flipped.unused.entry(path.display().to_string()).or_default() += 1,
                Ok(Found::ByVerify) => flipped.verified += 1,
                Err(Failure::Refused(error)) if error.location().is_some() => flipped.refused += 1,
                Err(Failure::Refused(error)) => {
                    flipped.failures.push(format!("{place}: an error that names no file: {error}"));
                }
                Err(Failure::Wrong(text)) => flipped.failures.push(format!("{place}: {text}")),
            }
        }
    }
    flipped
}

struct Due<'a> {
    model: &'a Model,
    moments: RangeInclusive<Moment>,
}

enum Found {
    Nothing,
    ByVerify,
}

fn read<S: Store>(world: &World, settings: &S::Settings, due: &Due<'_>) -> Result<Found, Failure> {
    let store = S::open(&world.env, Path::new(DIR), settings)?;
    let contents = Contents::read(&store)?;
    if due.model.find(&contents, due.moments.clone()).is_none() {
        return Err(Failure::Wrong(describe_recovered(&contents, due.model, *due.moments.start())));
    }
    for (keyspace, rows) in &contents.0 {
        for (key, value) in rows {
            let found = store.get(keyspace, key, None)?;
            if found.as_deref() != Some(value.as_slice()) {
                return Err(Failure::Wrong(format!("get {keyspace}/{} differs", key.escape_ascii())));
            }
        }
    }
    let verified: Result<(), Error> = store.verify();
    Ok(if verified.is_ok() { Found::Nothing } else { Found::ByVerify })
}
