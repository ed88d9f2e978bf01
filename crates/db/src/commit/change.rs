//! Making, dropping, clearing and configuring keyspaces.
//!
//! First the tree, complete and durable; then the record in the log, synced; then the catalog. From the log's record on the
//! change holds, whatever becomes of the catalog: replay applies what it lacks. After a failure before that the tree goes, and a crash
//! before leaves a tree directory that nothing names.

use crate::{
    catalog::{Catalog, Incarnation, KeyspaceChange, KeyspaceState, check_name},
    commit::check_alive,
    options::{KeyspaceOptions, Settings},
    wal::{Prepared, RecordKind},
    worker::{Machinery, delete_unseen},
};
use sediment_base::{Error, ErrorKind, Result, SeqNo, TreeId, filename};
use sediment_tree::Tree;
use std::{
    path::Path,
    sync::{Arc, MutexGuard},
};

/// Where trees are made, and how.
#[derive(Clone, Debug)]
pub(crate) struct TreeMaker<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) settings: &'a Settings,
    /// Ids below are on disk already, in use or not.
    pub(crate) not_below: TreeId,
}

/// Makes a keyspace; `None` if the name is taken.
pub(crate) fn create(
    machinery: &Machinery,
    maker: &TreeMaker<'_>,
    name: &str,
    options: &KeyspaceOptions,
) -> Result<Option<Arc<KeyspaceState>>> {
    check_name(name)?;
    check_options(name, options)?;
    maker.settings.check_names(options)?;
    let mut catalog = lock(machinery)?;
    if machinery.keyspaces.get(name).is_some() {
        return Ok(None);
    }
    let (tree_id, tree) = make_tree(machinery, &mut catalog, maker, options)?;
    let id = catalog.state().next_keyspace;
    let (options, settings) = (options.clone(), maker.settings);
    let change = KeyspaceChange::Create { keyspace: id, tree: tree_id, name: name.to_owned(), options: options.clone() };
    let mut made = None;
    let recorded = record(machinery, &mut catalog, &change, |since| {
        let tree = Incarnation { keyspace: name.into(), id: tree_id, since, tree: tree.clone() };
        let keyspace = Arc::new(KeyspaceState::new(id, tree, options, settings, &*machinery.env.park));
        machinery.keyspaces.add(Arc::clone(&keyspace));
        made = Some(keyspace);
    });
    if made.is_none() {
        tree.delete_when_unused();
    }
    recorded.map(|()| made)
}

/// Drops a keyspace; `false` if there is none.
pub(crate) fn drop_keyspace(machinery: &Machinery, name: &str) -> Result<bool> {
    let mut catalog = lock(machinery)?;
    let Some(keyspace) = machinery.keyspaces.get(name) else { return Ok(false) };
    let change = KeyspaceChange::Drop { keyspace: keyspace.id() };
    record(machinery, &mut catalog, &change, |_| machinery.keyspaces.remove(name))?;
    delete_unseen(machinery, &catalog);
    Ok(true)
}

/// Lets a keyspace go on with an empty tree.
pub(crate) fn clear(machinery: &Machinery, maker: &TreeMaker<'_>, keyspace: &KeyspaceState) -> Result<()> {
    let mut catalog = lock(machinery)?;
    check_alive(keyspace)?;
    let (id, tree) = make_tree(machinery, &mut catalog, maker, &keyspace.options())?;
    let change = KeyspaceChange::Clear { keyspace: keyspace.id(), tree: id };
    let recorded = record(machinery, &mut catalog, &change, |since| {
        machinery
            .keyspaces
            .renew(keyspace, Incarnation { keyspace: Arc::clone(keyspace.name()), id, since, tree: tree.clone() });
    });
    if keyspace.newest().id != id {
        tree.delete_when_unused();
    }
    recorded?;
    delete_unseen(machinery, &catalog);
    Ok(())
}

/// Gives a keyspace other settings.
pub(crate) fn configure(
    machinery: &Machinery,
    settings: &Settings,
    keyspace: &KeyspaceState,
    options: &KeyspaceOptions,
) -> Result<()> {
    check_options(keyspace.name(), options)?;
    let mut catalog = lock(machinery)?;
    check_alive(keyspace)?;
    let options = &with_names(options, &keyspace.options())?;
    settings.check_changeable(options)?;
    let change = KeyspaceChange::Configure { keyspace: keyspace.id(), options: options.clone() };
    record(machinery, &mut catalog, &change, |_| {})?;
    keyspace.configure(options, settings)
}

/// The settings that are wanted, with the names of before. Others are refused: what is there was written under those.
fn with_names(wanted: &KeyspaceOptions, before: &KeyspaceOptions) -> Result<KeyspaceOptions> {
    let names = |options: &KeyspaceOptions| [options.merge_operator.clone(), options.comparator.clone()];
    let is_same = names(wanted).iter().zip(names(before)).all(|(wanted, before)| wanted.is_none() || *wanted == before);
    if is_same {
        let [merge_operator, comparator] = names(before);
        return Ok(KeyspaceOptions { merge_operator, comparator, ..wanted.clone() });
    }
    let error = Error::invalid_input("merge_operator and comparator are chosen when a keyspace is made, and for good");
    Err(error.expected_found(format!("{:?}", names(before)), format!("{:?}", names(wanted))))
}

fn check_options(name: &str, options: &KeyspaceOptions) -> Result<()> {
    options.validate(&format!("keyspace {name:?}: "))
}

/// Logs a change and publishes it, makes it durable, and tells the catalog.
fn record(machinery: &Machinery, catalog: &mut Catalog, change: &KeyspaceChange, publish: impl FnOnce(SeqNo)) -> Result<()> {
    let prepared = Prepared::new(RecordKind::of_change(change), change.keyspace().0, 1, change.encode());
    let mut publish = Some(publish);
    let mut placed = machinery.log.append_alone(prepared, &mut |seqno| publish.take().expect("called once")(seqno))?;
    machinery.snapshots.expect(&mut placed).pass()?;
    catalog.apply(placed.seqno(), change).map_err(|error| machinery.fatal.set(error))?;
    machinery.log.sync_to(placed.position.expect("it was written"))?;
    match catalog.save_changes() {
        // The log has it; the catalog is written before the log may forget it.
        Err(error) if error.kind() == ErrorKind::NoSpace => Ok(()),
        Err(error) => Err(machinery.fatal.set(error.context("the catalog cannot be written"))),
        Ok(()) => Ok(()),
    }
}

fn make_tree(
    machinery: &Machinery,
    catalog: &mut Catalog,
    maker: &TreeMaker<'_>,
    options: &KeyspaceOptions,
) -> Result<(TreeId, Tree)> {
    let id = catalog.take_tree(maker.not_below);
    let trees = maker.dir.join(filename::TREES_DIR);
    let dir = filename::tree(maker.dir, id);
    let tree = Tree::create(&machinery.env, &dir, catalog.db_uuid(), maker.settings.tree_options(options)?)?;
    tree.set_strategy(maker.settings.strategy(options));
    machinery.env.fs.sync_dir(&trees)?;
    Ok((id, tree))
}

pub(super) fn lock(machinery: &Machinery) -> Result<MutexGuard<'_, Catalog>> {
    let mut catalog = machinery.catalog();
    machinery.log.check()?;
    catalog.confirm()?;
    if catalog.state().next_keyspace.0 == u32::MAX {
        return Err(Error::invalid_input("the database has used up its keyspace ids"));
    }
    Ok(catalog)
}
