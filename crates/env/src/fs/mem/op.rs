//! `Op`: one change to a simulated disk, as it is recorded.

use super::disk::{Disk, Edit, Inode, Naming};
use std::{fmt, path::Path, sync::Arc};

#[derive(Clone, Debug)]
pub(super) enum Op {
    /// A new file or directory and its first name.
    Make {
        inode: Inode,
        is_dir: bool,
        naming: Naming,
    },
    /// A further name, or one taken away.
    Name(Naming),
    /// `from` takes a name away, `to` gives one to the same inode.
    Rename {
        from: Naming,
        to: Naming,
    },
    Edit {
        inode: Inode,
        edit: Edit,
    },
    Sync {
        inode: Inode,
        with_len: bool,
    },
    /// A sync that failed: what it was to save is clean in the cache and will never reach the disk.
    SyncLost {
        inode: Inode,
    },
    SyncDir {
        dir: Inode,
    },
    /// Bytes that changed on the platter by themselves.
    Rot {
        inode: Inode,
        offset: u64,
        bytes: Arc<[u8]>,
    },
}

/// An op and the path under which the process knew its file.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) op: Op,
    pub(super) path: Arc<Path>,
}

impl Op {
    /// Applies what a running process sees of it.
    pub(super) fn apply(&self, disk: &mut Disk) {
        match self {
            Self::Make { inode, is_dir, naming } => {
                disk.make(*inode, *is_dir);
                disk.set_name(naming);
            }
            Self::Name(naming) => disk.set_name(naming),
            Self::Rename { from, to } => {
                disk.set_name(to);
                disk.set_name(from);
            }
            Self::Edit { inode, edit } => disk.edit(*inode, edit),
            Self::Rot { inode, offset, bytes } => {
                disk.edit(*inode, &Edit::Write { offset: *offset, bytes: bytes.clone() });
            }
            Self::Sync { .. } | Self::SyncLost { .. } | Self::SyncDir { .. } => {}
        }
    }
}

impl Recorded {
    /// What it wrote.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.op {
            Op::Edit { edit: Edit::Write { bytes, .. }, .. } | Op::Rot { bytes, .. } => bytes,
            _ => &[],
        }
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.op {
            Op::Make { is_dir: false, .. } => write!(f, "create {path}"),
            Op::Make { is_dir: true, .. } => write!(f, "create_dir {path}"),
            Op::Name(Naming { inode: Some(_), .. }) => write!(f, "hard_link {path}"),
            Op::Name(Naming { inode: None, .. }) => write!(f, "remove {path}"),
            Op::Rename { from, to } => write!(f, "rename {path} ({} to {})", from.name, to.name),
            Op::Edit { edit: Edit::Write { offset, bytes }, .. } => write!(f, "write {path} {offset}+{}", bytes.len()),
            Op::Edit { edit: Edit::SetLen(len), .. } => write!(f, "set_len {path} {len}"),
            Op::Edit { edit: Edit::Become(_), .. } => write!(f, "become {path}"),
            Op::Sync { with_len: true, .. } => write!(f, "sync_all {path}"),
            Op::Sync { with_len: false, .. } => write!(f, "sync_data {path}"),
            Op::SyncLost { .. } => write!(f, "sync_lost {path}"),
            Op::SyncDir { .. } => write!(f, "sync_dir {path}"),
            Op::Rot { offset, bytes, .. } => write!(f, "rot {path} {offset}+{}", bytes.len()),
        }
    }
}
