//! What a database finds beside what it names, and where that goes.
//!
//! Files that nothing names move to `lost/`: a file moved there can be moved back. Only trees that the catalog itself calls
//! dropped are deleted. It happens with the first write, never by opening.

use crate::catalog::Catalog;
use sediment_base::{
    Result, TreeId, WalId,
    filename::{self, FileName, LOST_DIR, TREES_DIR, WAL_DIR},
};
use sediment_env::{
    Env,
    fs::{DirEntry, Fs, is_already_exists, is_not_found},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What is left over in a directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leftovers {
    /// Path within the directory, and name in `lost/`.
    orphans: Vec<(PathBuf, String)>,
    /// Dropped trees that are still there.
    garbage: Vec<TreeId>,
    /// Dropped trees that are gone.
    gone: Vec<TreeId>,
}

impl Leftovers {
    /// Compares what is there with what the catalog and the log name.
    pub(crate) fn find(catalog: &Catalog, entries: &[DirEntry], trees: &[DirEntry], wal: &[WalId]) -> Self {
        let state = catalog.state();
        let named: BTreeSet<TreeId> = state.keyspaces.values().map(|entry| entry.tree).collect();
        let on_disk: BTreeSet<TreeId> =
            trees.iter().filter_map(|entry| filename::parse_number(&entry.name)).map(TreeId).collect();
        let mut orphans = Vec::new();
        for id in wal {
            orphans.push((Path::new(WAL_DIR).join(id.to_string()), format!("{WAL_DIR}-{id}")));
        }
        for id in on_disk.iter().filter(|id| !named.contains(id) && !state.garbage.contains(id)) {
            orphans.push((Path::new(TREES_DIR).join(id.to_string()), format!("{TREES_DIR}-{id}")));
        }
        for entry in entries {
            let is_orphan = match FileName::parse(&entry.name) {
                Some(FileName::Catalog(generation)) => Some(generation) != catalog.generation(),
                // Nothing was ever in it that anybody will miss; the next one to write statistics removes it.
                Some(FileName::Temporary(target)) if target == filename::STATS => false,
                Some(FileName::Temporary(_) | FileName::Creating(_)) => true,
                _ => false,
            };
            if is_orphan {
                orphans.push((PathBuf::from(&entry.name), entry.name.clone()));
            }
        }
        let (garbage, gone) = state.garbage.iter().partition(|id| on_disk.contains(id));
        Self { orphans, garbage, gone }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.orphans.is_empty() && self.garbage.is_empty() && self.gone.is_empty()
    }

    /// Moves orphans away and deletes dropped trees. What fails stays for the next time.
    pub(crate) fn clear(&self, env: &Env, dir: &Path, catalog: &mut Catalog) -> Result<()> {
        let fs = &*env.fs;
        let lost = dir.join(LOST_DIR);
        if !self.orphans.is_empty() {
            match fs.create_dir(&lost) {
                Err(error) if !is_already_exists(&error) => return Err(error),
                _ => {}
            }
        }
        for (path, name) in &self.orphans {
            let target = lost.join(name);
            if fs.exists(&target)? {
                continue;
            }
            match fs.rename(&dir.join(path), &target) {
                Err(error) if !is_not_found(&error) => return Err(error),
                _ => {}
            }
        }
        for id in &self.garbage {
            remove_all(fs, &filename::tree(dir, *id))?;
        }
        catalog.forget_garbage(&self.gone);
        Ok(())
    }
}

/// Removes a directory with all it holds.
fn remove_all(fs: &dyn Fs, dir: &Path) -> Result<()> {
    for entry in fs.read_dir(dir)? {
        let path = dir.join(&entry.name);
        if entry.is_dir { remove_all(fs, &path)? } else { fs.remove_file(&path)? }
    }
    fs.remove_dir(dir)
}
