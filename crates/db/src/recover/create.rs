//! Telling whose directory it is, and making a new database in it.
//!
//! A first creation makes `LOCK`, `wal/`, `trees/` and a catalog, syncs them, and is published by `CURRENT`. Cut short it leaves
//! nothing but those, empty, so it is simply done again; with anything in `wal/` or `trees/` a missing `CURRENT` is a loss.

use crate::catalog::{Catalog, CatalogContext};
use sediment_base::{
    Error, ErrorKind, Generation, Result,
    filename::{self, FileName},
};
use sediment_env::{
    Env,
    fs::{DirEntry, DirLock, Fs, is_already_exists, is_not_a_directory, is_not_found},
};
use std::path::{Component, Path};

/// What lies in a directory.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing, or the directory is missing, or a first creation was cut short.
    Nothing,
    /// A database; its directory's entries.
    Database(Vec<DirEntry>),
}

/// Looks what `dir` holds. Nothing of ours is ever written where something else lies.
pub(crate) fn look(env: &Env, dir: &Path) -> Result<Found> {
    let entries = match env.fs.read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if is_not_found(&error) => return Ok(Found::Nothing),
        Err(error) if is_not_a_directory(&error) => {
            return Err(Error::invalid_input(format!("a database is a directory, but {} is a file", dir.display())));
        }
        Err(error) => return Err(error),
    };
    let parsed: Vec<_> = entries.iter().map(|entry| FileName::parse(&entry.name)).collect();
    if parsed.contains(&Some(FileName::Current)) {
        if parsed.iter().any(|name| matches!(name, Some(FileName::Manifest(_)))) {
            return Err(
                Error::invalid_input("the directory of a database is needed, this is that of one of its trees").in_file(dir)
            );
        }
        if is_ours(&entries, &parsed) {
            return Ok(Found::Database(entries));
        }
    }
    if let Some(foreign) = entries.iter().zip(&parsed).find_map(|(entry, name)| name.is_none().then_some(&entry.name)) {
        let refusal = "there is no database, and none is made beside what is not ours (choose an empty or missing directory)";
        return Err(Error::invalid_input(format!("{refusal}: {foreign:?}")).in_file(dir));
    }
    for folder in [filename::WAL_DIR, filename::TREES_DIR] {
        if entries.iter().any(|entry| entry.name == folder) && !env.fs.read_dir(&dir.join(folder))?.is_empty() {
            let error = Error::corruption(format!("CURRENT is missing, but {folder}/ is not empty; restore it from a backup"));
            return Err(error.in_file(&dir.join(filename::CURRENT)));
        }
    }
    Ok(Found::Nothing)
}

/// Whether a directory with a `CURRENT` is a database of ours, damaged or not. Other databases have files of that name too.
fn is_ours(entries: &[DirEntry], parsed: &[Option<FileName>]) -> bool {
    let is_sign = |(entry, name): (&DirEntry, &Option<FileName>)| {
        matches!(name, Some(FileName::Catalog(_))) || entry.name == filename::WAL_DIR || entry.name == filename::TREES_DIR
    };
    entries.iter().zip(parsed).any(is_sign) || !parsed.contains(&None)
}

/// Takes the directory's lock; `None` for a reader where not even the lock file may be touched.
pub(crate) fn lock(env: &Env, dir: &Path, read_only: bool) -> Result<Option<Box<dyn DirLock>>> {
    match env.fs.lock(&dir.join(filename::LOCK)) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == ErrorKind::Locked => Err(error.context("the database is open elsewhere")),
        Err(error) if read_only && error.kind() == ErrorKind::Io => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a new database in `dir`, which is locked, durably.
pub(crate) fn begin(env: &Env, dir: &Path) -> Result<()> {
    for folder in [filename::WAL_DIR, filename::TREES_DIR] {
        create_dir(&*env.fs, &dir.join(folder))?;
    }
    let entries = env.fs.read_dir(dir)?;
    let context = CatalogContext { env: env.clone(), dir: dir.to_path_buf() };
    let mut catalog = Catalog::new(context, env.random.uuid()?, next_generation(&entries, &[]));
    catalog.save()
}

/// Makes a directory and what is missing above it, durably.
pub(crate) fn create_all(fs: &dyn Fs, dir: &Path) -> Result<()> {
    if dir.as_os_str().is_empty() {
        return Ok(());
    }
    let parent = dir.parent().unwrap_or(Path::new(""));
    if fs.exists(dir)? {
        // A process that died may have made it and never synced its name. Who may not sync the parent did not make it.
        let _ = fs.sync_dir(parent);
        return Ok(());
    }
    if !matches!(dir.components().next_back(), Some(Component::Normal(_))) {
        return Err(Error::invalid_input("the directory does not exist and cannot be made").in_file(dir));
    }
    create_all(fs, parent)?;
    create_dir(fs, dir)?;
    fs.sync_dir(parent)
}

/// The generation after every catalog that is or was there.
pub(crate) fn next_generation(entries: &[DirEntry], lost: &[DirEntry]) -> Generation {
    let number = |entry: &DirEntry| match FileName::parse(&entry.name) {
        Some(FileName::Catalog(generation)) => Some(generation),
        _ => None,
    };
    entries.iter().chain(lost).filter_map(number).max().unwrap_or_default().next()
}

fn create_dir(fs: &dyn Fs, dir: &Path) -> Result<()> {
    match fs.create_dir(dir) {
        Err(error) if is_already_exists(&error) => Ok(()),
        done => done,
    }
}
