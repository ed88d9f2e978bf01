//! `Replay`: what is on the platter after some ops, and what is still on its way.
//!
//! Two disks: `visible` as the process sees it, `durable` as a power loss at its worst leaves it; and, in order, the changes that
//! are visible and not durable. A sync moves changes from the list to `durable`. Rules beyond the obvious:
//!
//! * `sync_data` on a file that grew saves its bytes but not its length: one pending change is left, the whole file or its old
//!   length;
//! * a rename within one directory is one change; of a file between two, it is two: a name given, and a name taken away, of
//!   which the second is never durable without the first, so a file may be found twice but is not lost;
//! * a sync that failed takes the pending changes of its file off the list: `durable` never learns of them.

use super::{
    disk::{Disk, Edit, Inode, Naming, Node},
    op::Op,
};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub(super) struct Replay {
    /// Ops applied, all earlier lives of the disk included.
    pub(super) at: usize,
    pub(super) visible: Disk,
    pub(super) durable: Disk,
    pub(super) pending: Vec<Pending>,
    /// Files whose visible bytes include some that a failed sync lost.
    pub(super) lost: BTreeSet<Inode>,
    /// Ops before this one were followed by a good sync of something.
    pub(super) synced_before: usize,
}

/// A change that a crash may or may not undo.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) op: usize,
    pub(super) change: Change,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Edit {
        inode: Inode,
        edit: Edit,
    },
    /// Namings that hold together.
    Names {
        first: Naming,
        second: Option<Naming>,
        /// Cannot be durable before the change listed just ahead of it.
        is_second_half: bool,
    },
}

impl Change {
    fn names(first: Naming, second: Option<Naming>) -> Self {
        Self::Names { first, second, is_second_half: false }
    }

    pub(super) fn edited(&self) -> Option<Inode> {
        match self {
            Self::Edit { inode, .. } => Some(*inode),
            Self::Names { .. } => None,
        }
    }

    pub(super) fn namings(&self) -> impl Iterator<Item = &Naming> {
        let (first, second) = match self {
            Self::Edit { .. } => (None, None),
            Self::Names { first, second, .. } => (Some(first), second.as_ref()),
        };
        first.into_iter().chain(second)
    }
}

impl Replay {
    /// A disk on which everything is durable.
    pub(super) fn synced(disk: Disk) -> Self {
        Self { at: 0, visible: disk.clone(), durable: disk, pending: Vec::new(), lost: BTreeSet::new(), synced_before: 0 }
    }

    pub(super) fn step(&mut self, op: &Op) {
        op.apply(&mut self.visible);
        match op {
            Op::Make { inode, is_dir, naming } => {
                self.durable.make(*inode, *is_dir);
                self.push(Change::names(naming.clone(), None));
            }
            Op::Name(naming) => self.push(Change::names(naming.clone(), None)),
            Op::Rename { from, to } => self.rename(from, to),
            Op::Edit { inode, edit } => {
                if self.visible.node(*inode).is_some() {
                    self.push(Change::Edit { inode: *inode, edit: edit.clone() });
                }
            }
            Op::Sync { inode, with_len } => {
                self.sync(*inode, *with_len);
                self.synced_before = self.at;
            }
            Op::SyncLost { inode } => {
                let is_lost = |change: &Change| match change {
                    Change::Edit { inode: other, edit } => other == inode && !matches!(edit, Edit::Become(_)),
                    Change::Names { .. } => false,
                };
                if self.pending.extract_if(.., |pending| is_lost(&pending.change)).count() > 0 {
                    self.lost.insert(*inode);
                }
            }
            Op::SyncDir { dir } => {
                self.sync_names(*dir);
                self.forget_unnamed();
                self.synced_before = self.at;
            }
            Op::Rot { .. } => op.apply(&mut self.durable),
        }
        self.at += 1;
    }

    fn push(&mut self, change: Change) {
        self.pending.push(Pending { op: self.at, change });
    }

    fn rename(&mut self, from: &Naming, to: &Naming) {
        let is_dir = to.inode.is_some_and(|inode| self.visible.names(inode).is_some());
        if from.dir == to.dir || is_dir {
            self.push(Change::names(to.clone(), Some(from.clone())));
        } else {
            self.push(Change::names(to.clone(), None));
            self.push(Change::Names { first: from.clone(), second: None, is_second_half: true });
        }
    }

    fn sync(&mut self, inode: Inode, with_len: bool) {
        let (Some(visible), Some(durable)) = (self.visible.content(inode), self.durable.content(inode)) else { return };
        let (visible, old_len) = (visible.clone(), durable.len());
        let is_edit = |pending: &Pending| pending.change.edited() == Some(inode);
        if self.lost.contains(&inode) {
            for pending in self.pending.extract_if(.., |pending| is_edit(pending)) {
                if let Change::Edit { edit, .. } = pending.change {
                    self.durable.edit(inode, &edit);
                }
            }
            self.durable.edit(inode, &Edit::SetLen(visible.len()));
            return;
        }
        self.pending.retain(|pending| !is_edit(pending));
        if with_len || visible.len() == old_len {
            self.durable.edit(inode, &Edit::Become(visible));
            return;
        }
        let mut saved = visible.to_vec();
        saved.truncate(old_len as usize);
        self.durable.edit(inode, &Edit::Write { offset: 0, bytes: saved.into() });
        self.push(Change::Edit { inode, edit: Edit::Become(visible) });
    }

    /// Makes the names of a directory durable; with each change that also touches another directory, what came before it there.
    fn sync_names(&mut self, dir: Inode) {
        let mut others = Vec::new();
        for (index, pending) in self.pending.iter().enumerate() {
            if !pending.change.namings().any(|naming| naming.dir == dir) {
                continue;
            }
            let partner = match pending.change {
                Change::Names { is_second_half: true, .. } => index.checked_sub(1).map(|index| &self.pending[index]),
                _ => None,
            };
            let partner = partner.filter(|partner| partner.op == pending.op);
            let namings = pending.change.namings().chain(partner.into_iter().flat_map(|partner| partner.change.namings()));
            others.extend(namings.filter(|naming| naming.dir != dir).map(|naming| (naming.dir, pending.op, partner.is_some())));
        }
        for (other, op, with_half) in others {
            self.sync_other(dir, other, if with_half { op + 1 } else { op });
        }
        let touches = |pending: &mut Pending| pending.change.namings().any(|naming| naming.dir == dir);
        for pending in self.pending.extract_if(.., touches) {
            for naming in pending.change.namings() {
                self.durable.set_name(naming);
            }
        }
    }

    /// Makes the names durable that were given within `other` alone, before the op `end`.
    fn sync_other(&mut self, dir: Inode, other: Inode, end: usize) {
        let is_within = |pending: &mut Pending| {
            let mut namings = pending.change.namings().peekable();
            pending.op < end && namings.peek().is_some() && namings.all(|naming| naming.dir == other && naming.dir != dir)
        };
        for pending in self.pending.extract_if(.., is_within) {
            for naming in pending.change.namings() {
                self.durable.set_name(naming);
            }
        }
    }

    /// Drops files that no crash can bring back.
    fn forget_unnamed(&mut self) {
        let named: BTreeSet<Inode> =
            self.pending.iter().flat_map(|pending| pending.change.namings()).filter_map(|naming| naming.inode).collect();
        let is_gone = |inode: Inode, node: &Node| {
            matches!(node, Node::File { links: 0, .. }) && self.durable.links(inode) == 0 && !named.contains(&inode)
        };
        let gone: Vec<Inode> =
            self.visible.nodes().filter(|(inode, node)| is_gone(*inode, node)).map(|(inode, _)| inode).collect();
        for inode in gone {
            self.visible.remove(inode);
            self.durable.remove(inode);
            self.lost.remove(&inode);
            self.pending.retain(|pending| pending.change.edited() != Some(inode));
        }
    }
}
