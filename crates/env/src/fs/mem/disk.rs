//! `Disk`: inodes and names at one moment, with nothing said about durability.
//!
//! The running file system, what a crash would leave, and every crash image are disks. Names and bytes are shared between
//! clones until one of them changes.

use super::content::Content;
use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path},
    sync::Arc,
};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Inode(pub(super) u64);

/// The directory at the top.
pub(super) const ROOT: Inode = Inode(0);

/// Names in one directory.
pub(super) type Names = BTreeMap<Arc<str>, Inode>;

#[derive(Clone, Debug)]
pub(super) enum Node {
    File { content: Content, links: u32 },
    Dir(Arc<Names>),
}

/// One name given to an inode, or taken away.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    pub(super) dir: Inode,
    pub(super) name: Arc<str>,
    pub(super) inode: Option<Inode>,
}

/// A change to the bytes of one file.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Write {
        offset: u64,
        bytes: Arc<[u8]>,
    },
    SetLen(u64),
    /// The whole file as it was: what `sync_data` leaves open is only whether its new length is kept.
    Become(Content),
}

impl Content {
    pub(super) fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Write { offset, bytes } => self.write_at(*offset, bytes),
            Edit::SetLen(len) => self.set_len(*len),
            Edit::Become(other) => *self = other.clone(),
        }
    }
}

impl Edit {
    /// How long it makes a file that was `len` bytes long.
    pub(super) fn len_after(&self, len: u64) -> u64 {
        match self {
            Self::Write { bytes, .. } if bytes.is_empty() => len,
            Self::Write { offset, bytes } => len.max(offset + bytes.len() as u64),
            Self::SetLen(new_len) => *new_len,
            Self::Become(content) => content.len(),
        }
    }
}

/// Inodes in ascending order.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    nodes: Vec<(Inode, Node)>,
}

impl Disk {
    pub(super) fn new() -> Self {
        Self { nodes: vec![(ROOT, Node::Dir(Arc::default()))] }
    }

    /// The number above all inodes in use.
    pub(super) fn next_inode(&self) -> Inode {
        Inode(self.nodes.last().map_or(0, |(inode, _)| inode.0 + 1))
    }

    pub(super) fn node(&self, inode: Inode) -> Option<&Node> {
        let index = self.nodes.binary_search_by_key(&inode, |(inode, _)| *inode).ok()?;
        Some(&self.nodes[index].1)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = (Inode, &Node)> {
        self.nodes.iter().map(|(inode, node)| (*inode, node))
    }

    fn node_mut(&mut self, inode: Inode) -> Option<&mut Node> {
        let index = self.nodes.binary_search_by_key(&inode, |(inode, _)| *inode).ok()?;
        Some(&mut self.nodes[index].1)
    }

    /// The names in a directory; none for anything else.
    pub(super) fn names(&self, dir: Inode) -> Option<&Arc<Names>> {
        match self.node(dir)? {
            Node::Dir(names) => Some(names),
            Node::File { .. } => None,
        }
    }

    pub(super) fn content(&self, inode: Inode) -> Option<&Content> {
        match self.node(inode)? {
            Node::File { content, .. } => Some(content),
            Node::Dir(_) => None,
        }
    }

    /// How many names a file has.
    pub(super) fn links(&self, inode: Inode) -> u32 {
        match self.node(inode) {
            Some(Node::File { links, .. }) => *links,
            _ => 0,
        }
    }

    /// Adds an inode without a name; its number must be above all others.
    pub(super) fn make(&mut self, inode: Inode, is_dir: bool) {
        assert!(inode >= self.next_inode(), "inodes are numbered in ascending order");
        let node = if is_dir { Node::Dir(Arc::default()) } else { Node::File { content: Content::default(), links: 0 } };
        self.nodes.push((inode, node));
    }

    /// Forgets an inode that nothing names.
    pub(super) fn remove(&mut self, inode: Inode) {
        self.nodes.retain(|(other, _)| *other != inode);
    }

    pub(super) fn set_name(&mut self, naming: &Naming) {
        let Some(Node::Dir(names)) = self.node_mut(naming.dir) else { return };
        let names = Arc::make_mut(names);
        let before = match naming.inode {
            Some(inode) => names.insert(naming.name.clone(), inode),
            None => names.remove(&naming.name),
        };
        if let Some(Node::File { links, .. }) = before.and_then(|inode| self.node_mut(inode)) {
            *links -= 1;
        }
        if let Some(Node::File { links, .. }) = naming.inode.and_then(|inode| self.node_mut(inode)) {
            *links += 1;
        }
    }

    /// Does nothing to a file that is gone.
    pub(super) fn edit(&mut self, inode: Inode, edit: &Edit) {
        if let Some(Node::File { content, .. }) = self.node_mut(inode) {
            content.edit(edit);
        }
    }

    /// What the path names.
    pub(super) fn lookup(&self, path: &Path) -> io::Result<Inode> {
        self.walk(&components(path))
    }

    /// The directory that holds, or would hold, the path's last name; and that name.
    pub(super) fn parent(&self, path: &Path) -> io::Result<(Inode, Arc<str>)> {
        let mut names = components(path);
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let dir = self.walk(&names)?;
        if self.names(dir).is_none() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok((dir, name.as_str().into()))
    }

    fn walk(&self, names: &[String]) -> io::Result<Inode> {
        names.iter().try_fold(ROOT, |dir, name| {
            let entries = self.names(dir).ok_or(io::ErrorKind::NotADirectory)?;
            entries.get(name.as_str()).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }
}

/// The names along a path; every path starts at the root, and `..` steps back.
fn components(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(names.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    names
}
