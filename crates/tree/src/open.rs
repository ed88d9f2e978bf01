//! A directory becomes a tree.
//!
//! Opening reads `CURRENT`, the manifest and three listings, and writes nothing. Every table that the manifest names must be
//! there in its exact length; what is in it is checked when it is first touched. Ids and generations go on above everything
//! that the manifest or a listing knows.
//!
//! Creation works behind `.creating-<random>/`: as long as `CURRENT` is missing and that directory is there, no tree was ever
//! here. Its order: make it and sync its name; make the manifest, synced with its name; write `CURRENT` inside it, synced;
//! rename that to its place and sync the directory; remove `.creating-<random>/`.

use crate::{
    options::TreeOptions,
    super_version::{Orphans, TreeParts},
    version::{
        Edit, Identity, Manifest, ManifestContext, Replayed, TableHome, Version, VersionBuilder, read_manifest, read_whole,
    },
};
use sediment_base::{
    Error, ErrorKind, FileUuid, Generation, Result, TableId,
    filename::{self, FileName},
    planted::{Bug, planted},
};
use sediment_codec::{
    current::Current,
    hash::KEY_HASH_VERSION,
    header::{FileHeader, FileKind},
};
use sediment_env::{
    Env, Fs,
    fs::{DirEntry, is_already_exists, is_not_found},
};
use sediment_table::{Residency, TableContext};
use std::{collections::HashMap, fmt, path::Path, sync::Arc};

/// Whether the error of [`Tree::open`](crate::Tree::open) is that no tree was ever completed here: the directory is empty, or
/// its first creation was cut short. [`Tree::create`](crate::Tree::create) then succeeds.
pub fn is_not_created(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<NotCreated>())
}

/// The order of keys under which a tree was created, if the error of [`Tree::open`](crate::Tree::open) is that it is opened under
/// another.
pub fn order_at_creation(error: &Error) -> Option<&str> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<OtherOrder>().map(|other| other.created.as_str())
}

/// Opens the tree in `dir`.
pub(crate) fn open(env: &Env, dir: &Path, options: TreeOptions) -> Result<TreeParts> {
    options.validate()?;
    let fs = &*env.fs;
    let entries = list(fs, dir)?;
    let current = read_current(fs, dir, &entries)?;
    let (current_header, current) = current;
    let path = filename::manifest(dir, current.generation);
    let replayed = read_manifest(fs, &path, Some(&current)).map_err(|error| match is_not_found(&error) {
        true => Error::corruption("CURRENT names a manifest that is missing").in_file(&path).with_source(error),
        false => error,
    })?;
    if replayed.header.db_uuid != current_header.db_uuid {
        let error = Error::corruption("the manifest is of another database than CURRENT").in_file(&path);
        return Err(error.expected_found(current_header.db_uuid, replayed.header.db_uuid));
    }
    let identity = identity(&replayed, &options).map_err(|error| error.in_file(&path))?;
    let db_uuid = replayed.header.db_uuid;
    let home = TableHome::new(table_context(env, db_uuid, &options), dir.to_path_buf(), identity.hash_seed, TableId(1));
    let version = build(&home, &replayed).map_err(|error| error.in_file(&path))?;
    check_operator(&version, &options).map_err(|error| error.in_file(&path))?;
    let listing = Listing::read(fs, dir, &entries)?;
    listing.check(&version, &home)?;
    listing.raise_ids(&version, &home);
    let context = ManifestContext { fs: Arc::clone(&env.fs), random: Arc::clone(&env.random), dir: dir.to_path_buf(), db_uuid };
    let manifest = Manifest::resume(context, &replayed, listing.newest_generation.next());
    let orphans = listing.orphans(&version, current.generation, replayed.is_clean);
    Ok(TreeParts { options, home, version, manifest, orphans })
}

/// Makes a tree in `dir`.
pub(crate) fn create(env: &Env, dir: &Path, db_uuid: FileUuid, options: TreeOptions) -> Result<TreeParts> {
    options.validate()?;
    let fs = &*env.fs;
    make_dir(fs, dir)?;
    let entries = fs.read_dir(dir)?;
    if entries.iter().any(|entry| entry.name == filename::CURRENT) {
        return Err(Error::invalid_input("a tree exists here already").in_file(dir));
    }
    let absent = why_absent(fs, dir, &entries)?;
    if !is_not_created(&absent) {
        return Err(absent);
    }
    let creating = dir.join(FileName::Creating(env.random.next_u64()?).to_string());
    fs.create_dir(&creating)?;
    fs.sync_dir(dir)?;
    let leftover = remove_leftovers(fs, dir, &entries)?;
    make_dir(fs, &dir.join(filename::TABLES_DIR))?;

    let hash_seed = env.random.next_u64()?;
    let home = TableHome::new(table_context(env, db_uuid, &options), dir.to_path_buf(), hash_seed, TableId(1));
    let identity = Identity { order: options.order.name().into(), hash_version: KEY_HASH_VERSION, hash_seed };
    let mut builder = VersionBuilder::empty(&home);
    builder.apply(Edit { identity: Some(identity), ..Edit::default() })?;
    let version = builder.build()?;
    let context = ManifestContext { fs: Arc::clone(&env.fs), random: Arc::clone(&env.random), dir: dir.to_path_buf(), db_uuid };
    let manifest = Manifest::begin(context, leftover.next(), &version.snapshot(home.next_id()))?;

    let unpublished = creating.join(filename::CURRENT);
    let file = fs.create(&unpublished)?;
    file.write_at(0, &manifest.current().encode(db_uuid, env.random.uuid()?))?;
    file.sync_all()?;
    drop(file);
    fs.rename(&unpublished, &dir.join(filename::CURRENT))?;
    fs.sync_dir(dir)?;
    // The tree is complete: what is left of its making may stay or go.
    let _ = fs.remove_dir(&creating);
    Ok(TreeParts { options, home, version, manifest, orphans: Orphans::default() })
}

fn table_context(env: &Env, db_uuid: FileUuid, options: &TreeOptions) -> TableContext {
    TableContext {
        fs: Arc::clone(&env.fs),
        random: Arc::clone(&env.random),
        db_uuid,
        order: options.order.clone(),
        prefix_extractor: options.prefix_extractor.clone(),
        codecs: Arc::clone(&options.codecs),
        cache: Arc::clone(&options.cache),
        park: env.park.another(),
        stats: Arc::clone(&options.stats),
        budget: Arc::clone(&options.budget),
        filter_residency: Residency::default(),
        fence_residency: Residency::default(),
    }
}

fn list(fs: &dyn Fs, dir: &Path) -> Result<Vec<DirEntry>> {
    fs.read_dir(dir).map_err(|error| if is_not_found(&error) { not_created(dir) } else { error })
}

/// Names in a folder of the tree, none where it is missing.
fn list_folder(fs: &dyn Fs, dir: &Path, folder: &str) -> Result<Vec<DirEntry>> {
    match fs.read_dir(&dir.join(folder)) {
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        listed => listed,
    }
}

fn make_dir(fs: &dyn Fs, dir: &Path) -> Result<()> {
    match fs.create_dir(dir) {
        Err(error) if is_already_exists(&error) => Ok(()),
        made => made,
    }
}

fn read_current(fs: &dyn Fs, dir: &Path, entries: &[DirEntry]) -> Result<(FileHeader, Current)> {
    let Some(entry) = entries.iter().find(|entry| entry.name == filename::CURRENT) else {
        return Err(why_absent(fs, dir, entries)?);
    };
    let path = dir.join(filename::CURRENT);
    if entry.len != Current::BYTES as u64 {
        let error = Error::corruption("length of CURRENT").expected_found(Current::BYTES, entry.len);
        return Err(error.in_file(&path));
    }
    let (header, current) =
        Current::decode(&read_whole(fs, &path)?, FileKind::Manifest).map_err(|error| error.in_file(&path))?;
    if header.features.requires_read_only() {
        return Err(Error::unsupported("the tree has features of a later version and must not be written").in_file(&path));
    }
    Ok((header, current))
}

/// What it means that `CURRENT` is missing: never created, or damage.
fn why_absent(fs: &dyn Fs, dir: &Path, entries: &[DirEntry]) -> Result<Error> {
    for folder in [filename::TABLES_DIR, filename::BLOBS_DIR, filename::LOST_DIR] {
        if !list_folder(fs, dir, folder)?.is_empty() {
            return Ok(Error::corruption("CURRENT is missing, but there are files of a tree").in_file(dir));
        }
    }
    let parsed = |entry: &DirEntry| FileName::parse(&entry.name);
    let is_creating = entries.iter().any(|entry| matches!(parsed(entry), Some(FileName::Creating(_))));
    let is_bare = entries.iter().all(|entry| matches!(parsed(entry), Some(FileName::Lock | FileName::Folder(_))));
    if is_creating || is_bare {
        return Ok(not_created(dir));
    }
    Ok(Error::corruption("CURRENT is missing").in_file(dir))
}

#[cold]
fn not_created(dir: &Path) -> Error {
    Error::new(ErrorKind::InvalidInput, "there is no tree here").in_file(dir).with_source(NotCreated)
}

/// Removes what earlier creations left; the highest generation among it.
fn remove_leftovers(fs: &dyn Fs, dir: &Path, entries: &[DirEntry]) -> Result<Generation> {
    let mut newest = Generation(0);
    for entry in entries {
        match FileName::parse(&entry.name) {
            Some(FileName::Manifest(generation)) => {
                newest = newest.max(generation);
                fs.remove_file(&dir.join(&entry.name))?;
            }
            Some(FileName::Creating(_)) => {
                for inner in list_folder(fs, dir, &entry.name)? {
                    fs.remove_file(&dir.join(&entry.name).join(inner.name))?;
                }
                fs.remove_dir(&dir.join(&entry.name))?;
            }
            _ => {}
        }
    }
    Ok(newest)
}

fn identity(replayed: &Replayed, options: &TreeOptions) -> Result<Identity> {
    let identity = replayed.edits.first().and_then(|snapshot| snapshot.identity.clone());
    let identity = identity.ok_or_else(|| Error::corruption("the manifest does not say which tree it is of"))?;
    if identity.order != options.order.name() {
        let error = Error::invalid_input("the tree was created under another order of keys");
        let other = OtherOrder { created: identity.order.clone() };
        return Err(error.expected_found(identity.order, options.order.name()).with_source(other));
    }
    if identity.hash_version != KEY_HASH_VERSION {
        let error = Error::unsupported("version of the key hash");
        return Err(error.expected_found(KEY_HASH_VERSION, identity.hash_version));
    }
    Ok(identity)
}

/// A tree whose operands nobody folds may be opened: they are kept, and readers told.
fn check_operator(version: &Version, options: &TreeOptions) -> Result<()> {
    match (&version.operator, &options.merge_operator) {
        (Some(stored), Some(given)) if stored != given.name() => {
            let error = Error::invalid_input("the tree was written with another merge operator");
            Err(error.expected_found(stored, given.name()))
        }
        _ => Ok(()),
    }
}

fn build(home: &Arc<TableHome>, replayed: &Replayed) -> Result<Version> {
    let mut builder = VersionBuilder::empty(home);
    for edit in &replayed.edits {
        builder.apply(edit.clone())?;
    }
    builder.build()
}

/// What the directory holds beside `CURRENT`.
struct Listing {
    /// Tables with their lengths.
    tables: HashMap<TableId, u64>,
    manifests: Vec<Generation>,
    creating: Vec<String>,
    lost: Vec<String>,
    newest_generation: Generation,
    newest_table: TableId,
}

impl Listing {
    fn read(fs: &dyn Fs, dir: &Path, entries: &[DirEntry]) -> Result<Self> {
        let files = list_folder(fs, dir, filename::TABLES_DIR)?;
        let table = |entry: &DirEntry| Some((TableId(filename::parse_number(&entry.name)?), entry.len));
        let tables: HashMap<TableId, u64> = files.iter().filter_map(table).collect();
        let mut manifests = Vec::new();
        let mut creating = Vec::new();
        for entry in entries {
            match FileName::parse(&entry.name) {
                Some(FileName::Manifest(generation)) => manifests.push(generation),
                Some(FileName::Creating(_)) => creating.push(entry.name.clone()),
                _ => {}
            }
        }
        let lost: Vec<String> = list_folder(fs, dir, filename::LOST_DIR)?.into_iter().map(|entry| entry.name).collect();
        let lost_table = |name: &String| filename::parse_number(name.strip_prefix(LOST_TABLE)?).map(TableId);
        let lost_manifest = |name: &String| match FileName::parse(name)? {
            FileName::Manifest(generation) => Some(generation),
            _ => None,
        };
        let newest_table = tables.keys().copied().chain(lost.iter().filter_map(lost_table)).max().unwrap_or_default();
        let generations = manifests.iter().copied().chain(lost.iter().filter_map(lost_manifest));
        let newest_generation = generations.max().unwrap_or_default();
        Ok(Self { tables, manifests, creating, lost, newest_generation, newest_table })
    }

    /// Every table that the version names must be there, as long as it was.
    fn check(&self, version: &Version, home: &TableHome) -> Result<()> {
        for file in version.tables() {
            let path = home.path(file.meta.id);
            match self.tables.get(&file.meta.id) {
                None => return Err(Error::corruption("a table that the manifest names is missing").in_file(&path)),
                Some(len) if *len != file.meta.file_bytes => {
                    let error = Error::corruption("length of a table").expected_found(file.meta.file_bytes, len);
                    return Err(error.in_file(&path));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Table ids go on above all that was ever given.
    fn raise_ids(&self, version: &Version, home: &TableHome) {
        let newest_live = version.tables().map(|file| file.meta.id).max().unwrap_or_default();
        if planted(Bug::ReuseTableId) {
            home.rewind_next_id(newest_live.next());
            return;
        }
        home.raise_next_id(newest_live.max(self.newest_table).next());
    }

    /// Tables that the version does not name, and manifests that were never current. Older manifests are removed by the next
    /// generation.
    fn orphans(&self, version: &Version, current: Generation, is_clean: bool) -> Orphans {
        let mut unnamed = self.tables.clone();
        version.tables().for_each(|file| {
            unnamed.remove(&file.meta.id);
        });
        let mut found: Vec<(String, String)> =
            unnamed.keys().map(|id| (format!("{}/{id}", filename::TABLES_DIR), format!("{LOST_TABLE}{id}"))).collect();
        let unused = self.manifests.iter().filter(|generation| **generation > current);
        found.extend(unused.map(|generation| FileName::Manifest(*generation).to_string()).map(|name| (name.clone(), name)));
        found.extend(self.creating.iter().map(|name| (name.clone(), name.clone())));
        found.sort();
        Orphans { found, lost: self.lost.clone(), is_clean }
    }
}

const LOST_TABLE: &str = "table-";

#[derive(Debug)]
struct NotCreated;

impl fmt::Display for NotCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its creation was never completed")
    }
}

impl std::error::Error for NotCreated {}

#[derive(Debug)]
struct OtherOrder {
    created: String,
}

impl fmt::Display for OtherOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it was created under the order {:?}", self.created)
    }
}

impl std::error::Error for OtherOrder {}
