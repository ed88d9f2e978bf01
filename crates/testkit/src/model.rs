//! The oracle: every version of every key, by the commit that made it.
//!
//! Commits are counted from 1; *moment* `p` is the state after the first `p` of them, so a snapshot, a crash image and "now" are
//! all moments. Beside the versions the model keeps a fingerprint of each moment, so that the contents of a recovered store are
//! compared with thousands of moments at once.
//!
//! A keyspace that is dropped and made again is another keyspace: an older snapshot sees nothing in it. One that is cleared is
//! the same: an older snapshot still sees what was there.

mod contents;
#[cfg(test)]
mod tests;

pub use contents::{Contents, Short};

use crate::store::{Action, Span, Text, Write};
use contents::{name_print, row_print};
use std::{
    collections::BTreeMap,
    ops::{Bound, RangeInclusive},
};

/// The state after so many commits.
pub type Moment = u64;

/// What something has been, each from a commit on, ascending.
type Versions<T> = Vec<(Moment, T)>;

/// What one commit does.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Writes, in order.
    Writes(&'a [Write]),
    /// A new keyspace.
    Create(&'a str),
    /// A keyspace ends.
    Drop(&'a str),
    /// A keyspace becomes empty.
    Clear(&'a str),
    /// A keyspace has other settings, which no reader sees.
    Configure(&'a str, u32),
}

/// The oracle.
#[derive(Clone, Debug)]
pub struct Model {
    /// Which keyspace a name has meant, from which commit on.
    names: BTreeMap<String, Versions<Option<u64>>>,
    /// Which tree a keyspace has been, from which commit on.
    trees: BTreeMap<u64, Versions<u64>>,
    rows: BTreeMap<(u64, Vec<u8>), Versions<Option<Text>>>,
    /// Fingerprint of each moment.
    prints: Vec<u64>,
    next_id: u64,
}

impl Default for Model {
    fn default() -> Self {
        Self { names: BTreeMap::new(), trees: BTreeMap::new(), rows: BTreeMap::new(), prints: vec![0], next_id: 0 }
    }
}

impl Model {
    /// The latest moment: how many commits there are.
    pub fn now(&self) -> Moment {
        self.prints.len() as Moment - 1
    }

    /// Whether a keyspace exists at a moment.
    pub fn has_keyspace(&self, name: &str, at: Moment) -> bool {
        self.keyspace(name, at).is_some()
    }

    /// The names of the keyspaces at a moment.
    pub fn keyspaces(&self, at: Moment) -> Vec<String> {
        self.names.keys().filter(|name| self.has_keyspace(name, at)).cloned().collect()
    }

    /// Adds a commit. Its keyspaces exist (or, for a new one, do not).
    pub fn commit(&mut self, change: Change<'_>) {
        let now = self.now();
        let moment = now + 1;
        let mut print = self.prints[now as usize];
        match change {
            Change::Writes(writes) => {
                for write in writes {
                    print ^= self.write(write, moment);
                }
            }
            Change::Create(name) => {
                let (keyspace, tree) = (self.new_id(), self.new_id());
                self.names.entry(name.to_owned()).or_default().push((moment, Some(keyspace)));
                self.trees.insert(keyspace, vec![(moment, tree)]);
                print ^= name_print(name);
            }
            Change::Drop(name) => {
                print ^= name_print(name) ^ self.keyspace_print(name, now);
                self.names.get_mut(name).expect("it exists").push((moment, None));
            }
            Change::Clear(name) => {
                print ^= self.keyspace_print(name, now);
                let (keyspace, tree) = (self.keyspace(name, now).expect("it exists"), self.new_id());
                self.trees.get_mut(&keyspace).expect("made with its keyspace").push((moment, tree));
            }
            Change::Configure(..) => {}
        }
        self.prints.push(print);
    }

    /// The value of a key at a moment; the keyspace is the one that has the name now.
    pub fn get(&self, name: &str, key: &[u8], at: Moment) -> Option<Text> {
        let tree = self.tree(name, at)?;
        visible(self.rows.get(&(tree, key.to_vec()))?, at)
    }

    /// The pairs in a span at a moment, ascending; the keyspace is the one that has the name now.
    pub fn scan(&self, name: &str, span: &Span, at: Moment) -> Vec<(Vec<u8>, Text)> {
        let Some(tree) = self.tree(name, at) else { return Vec::new() };
        self.rows_within(tree, span, at)
    }

    fn rows_within(&self, tree: u64, span: &Span, at: Moment) -> Vec<(Vec<u8>, Text)> {
        let low = match span {
            Span::Prefix(prefix) => prefix.clone(),
            Span::Range(Bound::Included(low) | Bound::Excluded(low), _) => low.clone(),
            Span::Range(Bound::Unbounded, _) => Vec::new(),
        };
        let rows = self.rows.range((tree, low)..(tree + 1, Vec::new()));
        let live = rows.filter(|((_, key), _)| span.contains(key));
        live.filter_map(|((_, key), versions)| Some((key.clone(), visible(versions, at)?))).collect()
    }

    /// Everything that is there at a moment.
    pub fn contents(&self, at: Moment) -> Contents {
        let mut contents = Contents::default();
        for name in self.keyspaces(at) {
            let tree = self.keyspace(&name, at).and_then(|keyspace| last(&self.trees[&keyspace], at));
            let rows = tree.map(|tree| self.live_rows(*tree, at)).unwrap_or_default();
            contents.0.insert(name, rows.into_iter().map(|(key, value)| (key, value.bytes())).collect());
        }
        contents
    }

    /// The latest of these moments that looks like this.
    pub fn find(&self, contents: &Contents, moments: RangeInclusive<Moment>) -> Option<Moment> {
        let print = contents.print();
        moments.rev().find(|&moment| self.prints[moment as usize] == print)
    }

    /// Forgets every commit after a moment: a crash has lost them.
    pub fn roll_back(&mut self, to: Moment) {
        self.prints.truncate(to as usize + 1);
        for versions in self.names.values_mut() {
            versions.retain(|(moment, _)| *moment <= to);
        }
        for versions in self.trees.values_mut() {
            versions.retain(|(moment, _)| *moment <= to);
        }
        self.rows.retain(|_, versions| {
            versions.retain(|(moment, _)| *moment <= to);
            !versions.is_empty()
        });
    }

    fn write(&mut self, write: &Write, moment: Moment) -> u64 {
        let tree = self.tree(&write.keyspace, moment).expect("writes go to keyspaces that exist");
        let keyspace = &write.keyspace;
        match &write.action {
            Action::Insert(key, value) => self.set(tree, keyspace, key, moment, |_| Some((*value).into())),
            Action::Remove(key) | Action::RemoveWeak(key) => self.set(tree, keyspace, key, moment, |_| None),
            Action::Merge(key, value) => self.set(tree, keyspace, key, moment, |before| {
                let mut text = before.unwrap_or_default();
                text.0.push(*value);
                Some(text)
            }),
            Action::Erase(span) => {
                let gone = self.rows_within(tree, span, moment);
                gone.iter().fold(0, |print, (key, _)| print ^ self.set(tree, keyspace, key, moment, |_| None))
            }
        }
    }

    /// Gives a key another value; how the fingerprint changes.
    fn set(
        &mut self,
        tree: u64,
        keyspace: &str,
        key: &[u8],
        moment: Moment,
        change: impl FnOnce(Option<Text>) -> Option<Text>,
    ) -> u64 {
        let versions = self.rows.entry((tree, key.to_vec())).or_default();
        let before = visible(versions, moment);
        let after = change(before.clone());
        versions.push((moment, after.clone()));
        let print = |text: Option<Text>| text.map_or(0, |text| row_print(keyspace, key, &text.bytes()));
        print(before) ^ print(after)
    }

    fn keyspace_print(&self, name: &str, at: Moment) -> u64 {
        let rows = self.scan(name, &Span::all(), at);
        rows.iter().fold(0, |print, (key, value)| print ^ row_print(name, key, &value.bytes()))
    }

    fn live_rows(&self, tree: u64, at: Moment) -> Vec<(Vec<u8>, Text)> {
        self.rows_within(tree, &Span::all(), at)
    }

    fn keyspace(&self, name: &str, at: Moment) -> Option<u64> {
        *last(self.names.get(name)?, at)?
    }

    /// The tree that a reader at a moment sees under the name's present meaning.
    fn tree(&self, name: &str, at: Moment) -> Option<u64> {
        let keyspace = self.keyspace(name, Moment::MAX)?;
        last(&self.trees[&keyspace], at).copied()
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

fn last<T>(versions: &[(Moment, T)], at: Moment) -> Option<&T> {
    versions.iter().rev().find(|(moment, _)| *moment <= at).map(|(_, version)| version)
}

fn visible(versions: &[(Moment, Option<Text>)], at: Moment) -> Option<Text> {
    last(versions, at)?.clone()
}
