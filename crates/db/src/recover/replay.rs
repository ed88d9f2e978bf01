//! Catalog, trees and log, put together.

use crate::{
    catalog::{Catalog, CatalogContext, Incarnation, KeyspaceChange, KeyspaceState, Keyspaces},
    commit::apply_op,
    instruments::Instruments,
    options::{KeyspaceOptions, Settings},
    recover::{create::next_generation, leftovers::Leftovers},
    wal::{Anchor, Entry, Logged, Recovered, WalDir, for_each_op, replay},
};
use sediment_base::{
    Error, KeyspaceId, Result, SeqNo, TreeId, WalId, filename,
    planted::{Bug, planted},
    stats::Counter,
};
use sediment_env::{Env, fs::DirEntry, fs::is_not_found, fs::missing_is_damage};
use sediment_tree::{ManifestPosition, Tree};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A database as it was found, in memory.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) catalog: Catalog,
    pub(crate) keyspaces: Keyspaces,
    pub(crate) wal: WalDir,
    pub(crate) recovered: Recovered,
    pub(crate) leftovers: Leftovers,
    /// Tree ids from here on were never used.
    pub(crate) next_tree: TreeId,
}

/// Opens the database in `dir`, whose entries are known.
pub(crate) fn open(
    env: &Env,
    dir: &Path,
    entries: &[DirEntry],
    settings: &Settings,
    instruments: &Arc<Instruments>,
) -> Result<Opened> {
    let lost = list_or_nothing(env, &dir.join(filename::LOST_DIR))?;
    let context = CatalogContext { env: env.clone(), dir: dir.to_path_buf() };
    let catalog = Catalog::open(context, next_generation(entries, &lost))?;
    let wal = WalDir {
        env: env.clone(),
        dir: dir.to_path_buf(),
        db_uuid: catalog.db_uuid(),
        file_bytes: settings.options().expert.wal_file_bytes,
        instruments: Arc::clone(instruments),
    };
    let trees = env.fs.read_dir(&dir.join(filename::TREES_DIR));
    let trees = trees.map_err(|error| missing_is_damage(error, "the folder of all trees"))?;
    let mut replaying = Replaying { env, dir, settings, instruments, catalog, open: BTreeMap::new(), anchors: BTreeMap::new() };
    replaying.open_trees()?;
    let next_wal = WalId(lost_number(&lost, filename::WAL_DIR)).next();
    let covered = replaying.cover();
    let recovered = replay(&wal, covered, next_wal, &mut |logged| replaying.entry(&logged))?;
    replaying.check(&recovered)?;
    let next_tree = TreeId(lost_number(&lost, filename::TREES_DIR)).next();
    let on_disk = trees.iter().filter_map(|entry| filename::parse_number(&entry.name)).map(TreeId);
    let next_tree = on_disk.max().map_or(next_tree, |id| id.next().max(next_tree));
    let leftovers = Leftovers::find(&replaying.catalog, entries, &trees, &recovered.orphans);
    let keyspaces = Keyspaces::default();
    replaying.open.into_values().for_each(|keyspace| keyspaces.add(Arc::new(keyspace)));
    Ok(Opened { catalog: replaying.catalog, keyspaces, wal, recovered, leftovers, next_tree })
}

struct Replaying<'a> {
    env: &'a Env,
    dir: &'a Path,
    settings: &'a Settings,
    instruments: &'a Instruments,
    catalog: Catalog,
    open: BTreeMap<KeyspaceId, KeyspaceState>,
    /// The newest anchor of each tree.
    anchors: BTreeMap<TreeId, Anchor>,
}

impl Replaying<'_> {
    fn open_trees(&mut self) -> Result<()> {
        for (id, entry) in self.catalog.state().keyspaces.clone() {
            self.open_keyspace(id, entry.name, (entry.tree, entry.since), entry.options)?;
        }
        Ok(())
    }

    /// The seqno up to which nothing of the log is needed. What a gap in the log rests on must not go with the tree that says it.
    fn cover(&mut self) -> SeqNo {
        self.catalog.cover(self.open.values().filter_map(|keyspace| keyspace.newest().tree.covered()))
    }

    /// Opens a keyspace with the tree that some change made.
    fn open_keyspace(&mut self, id: KeyspaceId, name: String, tree: (TreeId, SeqNo), options: KeyspaceOptions) -> Result<()> {
        let (tree_id, since) = tree;
        let dir = filename::tree(self.dir, tree_id);
        let tree = Tree::open(
            self.env,
            &dir,
            self.settings.tree_options(&options).map_err(|error| error.context(format!("keyspace {name:?}")))?,
        )?;
        tree.set_strategy(self.settings.strategy(&options));
        let tree = Incarnation { keyspace: name.into(), id: tree_id, since, tree };
        self.open.insert(id, KeyspaceState::new(id, tree, options, self.settings, &*self.env.park));
        Ok(())
    }

    fn entry(&mut self, logged: &Logged<'_>) -> Result<()> {
        match &logged.entry {
            Entry::Batch => {
                if self.batch(logged)? > 0 {
                    self.instruments.count(Counter::WalRecordsReplayed, 1);
                }
                Ok(())
            }
            Entry::Change(change) => self.change(logged.seqno, change),
            Entry::Anchor(anchor) => {
                self.anchors.insert(anchor.tree, *anchor);
                Ok(())
            }
            Entry::Ingest { .. } | Entry::Trim { .. } | Entry::Start(_) | Entry::End => Ok(()),
        }
    }

    /// Inserts the rows that no table holds; how many.
    fn batch(&self, logged: &Logged<'_>) -> Result<u64> {
        let (mut seqno, mut inserted) = (logged.seqno, 0);
        for_each_op(logged.payload, logged.count, |op| {
            let row_seqno = seqno;
            seqno += 1;
            let keyspace = match self.open.get(&op.keyspace) {
                Some(keyspace) => keyspace,
                None if planted(Bug::ReplayIntoDroppedKeyspace) && !self.open.is_empty() => {
                    self.open.values().next_back().expect("not empty")
                }
                None if op.keyspace < self.catalog.state().next_keyspace => return Ok(()),
                None => return Err(Error::corruption(format!("a row of keyspace {}, which was never made", op.keyspace))),
            };
            let tree = keyspace.newest();
            let is_contained = row_seqno <= tree.since || tree.tree.mark().is_some_and(|mark| row_seqno <= mark);
            if is_contained && !planted(Bug::ReplayIntoDroppedKeyspace) {
                return Ok(());
            }
            inserted += 1;
            apply_op(&tree.tree, &op, row_seqno)
        })?;
        Ok(inserted)
    }

    /// Applies a change that the catalog lacks.
    fn change(&mut self, seqno: SeqNo, change: &KeyspaceChange) -> Result<()> {
        if seqno <= self.catalog.state().seqno {
            return Ok(());
        }
        self.catalog.apply(seqno, change)?;
        self.instruments.count(Counter::WalRecordsReplayed, 1);
        match change {
            KeyspaceChange::Create { keyspace, tree, name, options } => {
                self.open_keyspace(*keyspace, name.clone(), (*tree, seqno), options.clone())?;
            }
            KeyspaceChange::Drop { keyspace } => drop(self.open.remove(keyspace)),
            KeyspaceChange::Clear { keyspace, tree } => {
                if let Some(known) = self.open.remove(keyspace) {
                    self.open_keyspace(*keyspace, known.name().to_string(), (*tree, seqno), known.options())?;
                }
            }
            KeyspaceChange::Configure { keyspace, options } => {
                if let Some(known) = self.open.get(keyspace) {
                    known.configure(options, self.settings)?;
                }
            }
        }
        Ok(())
    }

    /// Nothing durable may be ahead of the log, or behind what the log remembers of it.
    fn check(&self, recovered: &Recovered) -> Result<()> {
        let log_end = |what: &str, seqno: SeqNo, file: PathBuf| {
            let error = Error::corruption(format!("the log ends before {what}"));
            let found = format!("seqno {} to come next", recovered.next_seqno);
            Err(error.expected_found(format!("more than seqno {seqno}"), found).in_file(&file))
        };
        if self.catalog.state().seqno >= recovered.next_seqno {
            return log_end("what the catalog contains", self.catalog.state().seqno, self.dir.join(filename::WAL_DIR));
        }
        for keyspace in self.open.values() {
            let tree = keyspace.newest();
            let highest = tree.tree.highest_seqno().max(tree.tree.mark());
            if let Some(seqno) = highest.filter(|seqno| *seqno >= recovered.next_seqno) {
                return log_end("what a tree's tables contain", seqno, filename::tree(self.dir, tree.id));
            }
            if let Some(anchor) = self.anchors.get(&tree.id) {
                let position = ManifestPosition { generation: anchor.generation, length: anchor.length };
                tree.tree.check_position(position)?;
            }
        }
        Ok(())
    }
}

fn list_or_nothing(env: &Env, dir: &Path) -> Result<Vec<DirEntry>> {
    match env.fs.read_dir(dir) {
        Err(error) if is_not_found(&error) => Ok(Vec::new()),
        listed => listed,
    }
}

/// The highest number under which something from this folder was put into `lost/`.
fn lost_number(lost: &[DirEntry], folder: &str) -> u64 {
    let number = |entry: &DirEntry| filename::parse_number(entry.name.strip_prefix(folder)?.strip_prefix('-')?);
    lost.iter().filter_map(number).max().unwrap_or(0)
}
