//! The catalog on disk: a generation for each change, `CURRENT` naming the one that holds.
//!
//! Changes of keyspaces are rare and the catalog is small, so each change writes it whole: a file is never appended to, and so
//! never damaged by an append. It is synced, with its name, before `CURRENT` is replaced; the generation before it stays until
//! then. One caller at a time.

use crate::{
    catalog::{
        change::KeyspaceChange,
        format::{CatalogEntry, CatalogState, decode_catalog, encode_catalog},
    },
    options::KeyspaceOptions,
};
use sediment_base::{
    Error, ErrorKind, FileUuid, Generation, KeyspaceId, Result, SeqNo, TreeId, filename,
    planted::{Bug, planted},
};
use sediment_codec::{
    current::Current,
    header::{FileHeader, FileKind},
};
use sediment_env::{Env, atomic_file, fs::missing_is_damage};
use std::{fmt, path::Path, path::PathBuf};

/// What a catalog needs from around it.
#[derive(Clone, Debug)]
pub(crate) struct CatalogContext {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
}

/// The catalog of an open database: the state that holds, and its generations on disk.
#[derive(Debug)]
pub(crate) struct Catalog {
    context: CatalogContext,
    db_uuid: FileUuid,
    generation: Option<Generation>,
    next_generation: Generation,
    state: CatalogState,
    /// Seqno of the oldest change that only the log has.
    unsaved_from: Option<SeqNo>,
    /// Whether `CURRENT` is durable under its name. What was found at opening may be in the system's memory alone.
    is_confirmed: bool,
}

impl Catalog {
    /// A catalog of a new database; nothing is written before [`Catalog::save`].
    pub(crate) fn new(context: CatalogContext, db_uuid: FileUuid, next_generation: Generation) -> Self {
        let mut state = CatalogState::default();
        (state.next_keyspace, state.next_tree) = (KeyspaceId(1), TreeId(1));
        Self { context, db_uuid, generation: None, next_generation, state, unsaved_from: None, is_confirmed: false }
    }

    /// Reads the catalog that `CURRENT` names. `next_generation` is above every one that was ever written.
    pub(crate) fn open(context: CatalogContext, next_generation: Generation) -> Result<Self> {
        let current = context.dir.join(filename::CURRENT);
        let bytes = read_small(&context.env, &current)?;
        let (header, named) = Current::decode(&bytes, FileKind::Catalog).map_err(|error| error.in_file(&current))?;
        let path = filename::catalog(&context.dir, named.generation);
        let bytes =
            read_small(&context.env, &path).map_err(|error| missing_is_damage(error, "the catalog that CURRENT names"))?;
        let (catalog, state) = decode_catalog(&bytes, Some(named)).map_err(|error| error.in_file(&path))?;
        if (catalog.db_uuid, catalog.generation) != (header.db_uuid, header.generation) {
            return Err(
                Error::corruption("the catalog is not of the database and generation that CURRENT names").in_file(&path)
            );
        }
        let next_generation = next_generation.max(header.generation.next());
        let (db_uuid, generation) = (header.db_uuid, Some(header.generation));
        Ok(Self { context, db_uuid, generation, next_generation, state, unsaved_from: None, is_confirmed: false })
    }

    /// The identity of the database.
    pub(crate) fn db_uuid(&self) -> FileUuid {
        self.db_uuid
    }

    /// What holds.
    pub(crate) fn state(&self) -> &CatalogState {
        &self.state
    }

    /// The generation on disk.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// Seqno of the oldest change that only the log has: it must keep it.
    pub(crate) fn unsaved_from(&self) -> Option<SeqNo> {
        self.unsaved_from
    }

    /// The seqno up to which nothing of the log is needed, as far as it was told.
    pub(crate) fn covered(&self) -> SeqNo {
        self.state.covered
    }

    /// Nothing of the log is needed up to the highest of these seqnos, because manifests say so; nor up to what is returned, all that was told
    /// together. Whatever is saved later says so too, for those manifests may go.
    pub(crate) fn cover(&mut self, seqnos: impl Iterator<Item = SeqNo>) -> SeqNo {
        self.state.covered = seqnos.fold(self.state.covered, SeqNo::max);
        self.state.covered
    }

    /// Applies a change that the log has.
    pub(crate) fn apply(&mut self, seqno: SeqNo, change: &KeyspaceChange) -> Result<()> {
        self.state.apply(seqno, change)?;
        self.unsaved_from.get_or_insert(seqno);
        Ok(())
    }

    /// An id for a tree that no other has had, also none that came to nothing.
    pub(crate) fn take_tree(&mut self, not_below: TreeId) -> TreeId {
        let id = self.state.next_tree.max(not_below);
        self.state.next_tree = id.next();
        id
    }

    /// Forgets dropped trees that are no longer on disk; the next generation does not name them.
    pub(crate) fn forget_garbage(&mut self, gone: &[TreeId]) {
        self.state.garbage.retain(|tree| !gone.contains(tree));
    }

    /// Whether what holds is durable for certain: only then may go what it does not name.
    pub(crate) fn is_saved(&self) -> bool {
        self.is_confirmed && self.unsaved_from.is_none()
    }

    /// Makes what holds durable, if it is not. The log must be durable up to it.
    pub(crate) fn save_changes(&mut self) -> Result<()> {
        if self.unsaved_from.is_some() { self.save() } else { self.confirm() }
    }

    /// Makes the name of the generation that was found durable: the process before may have died without.
    pub(crate) fn confirm(&mut self) -> Result<()> {
        if !self.is_confirmed {
            self.context.env.fs.sync_dir(&self.context.dir)?;
            self.is_confirmed = true;
        }
        Ok(())
    }

    /// Makes what holds durable as a new generation. On an error the one before it holds on disk; the next call tries again.
    pub(crate) fn save(&mut self) -> Result<()> {
        let (fs, random) = (&*self.context.env.fs, &*self.context.env.random);
        let generation = self.next_generation;
        self.next_generation = generation.next();
        let mut header = FileHeader::new(FileKind::Catalog, self.db_uuid, generation.0, random.uuid()?);
        header.generation = generation;
        let (bytes, current) = encode_catalog(&header, &self.state)?;
        let path = filename::catalog(&self.context.dir, generation);
        let file = fs.create(&path)?;
        if let Err(error) = file.write_at(0, &bytes) {
            // Nothing names it, and its number is not used again.
            let _ = fs.remove_file(&path);
            return Err(error);
        }
        if !planted(Bug::SwitchCurrentBeforeSync) {
            file.sync_all()?;
            fs.sync_dir(&self.context.dir)?;
        }
        let bytes = current.encode(self.db_uuid, random.uuid()?);
        atomic_file::replace(fs, &self.context.dir.join(filename::CURRENT), &bytes)?;
        self.unsaved_from = None;
        self.is_confirmed = true;
        if let Some(before) = self.generation.replace(generation) {
            // What stays behind is moved away as an orphan later.
            let _ = fs.remove_file(&filename::catalog(&self.context.dir, before));
        }
        Ok(())
    }
}

/// Prints a catalog.
pub(crate) fn dump_catalog(bytes: &[u8], out: &mut dyn fmt::Write) -> Result<()> {
    let (header, state) = decode_catalog(bytes, None)?;
    let failed = |error: fmt::Error| Error::invalid_input("cannot print").with_source(error);
    writeln!(out, "catalog generation {} of database {}", header.generation, header.db_uuid).map_err(failed)?;
    writeln!(out, "contains changes up to seqno {}", state.seqno).map_err(failed)?;
    if state.covered > 0 {
        writeln!(out, "needs nothing of the log up to seqno {}", state.covered).map_err(failed)?;
    }
    for (id, entry) in &state.keyspaces {
        let CatalogEntry { name, tree, since, options } = entry;
        let settings = if *options == KeyspaceOptions::default() { String::new() } else { format!(" {options:?}") };
        writeln!(out, "keyspace {id} {name:?} tree {tree} since {since}{settings}").map_err(failed)?;
    }
    state.garbage.iter().try_for_each(|tree| writeln!(out, "dropped tree {tree}")).map_err(failed)
}

/// Reads a file that must fit in memory.
fn read_small(env: &Env, path: &Path) -> Result<Vec<u8>> {
    let file = env.fs.open(path)?;
    let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(len);
    reserved
        .map_err(|error| Error::new(ErrorKind::Io, "not enough memory to read the file").with_source(error).in_file(path))?;
    bytes.resize(len, 0);
    file.read_exact_at(0, &mut bytes)?;
    Ok(bytes)
}
