//! `MemFs`: a simulated disk.
//!
//! It behaves as a process sees a file system, keeps what an inode's last name and last handle keep alive, and, once told to
//! record, notes every change, so that the disk can be had as a crash after any of them would leave it.
//!
//! Every path starts at one root, which exists; `a`, `/a` and `./a` are the same name. Shared; one lock guards it all.

mod build;
mod content;
mod disk;
mod handle;
mod history;
mod image;
mod op;
mod plan;
mod replay;

pub use self::{
    history::History,
    image::{ImageName, Rule, Variant},
    plan::CrashPlan,
};

use self::{
    disk::{Disk, Inode, Naming, Node, ROOT},
    handle::{MemFile, MemLock},
    op::{Op, Recorded},
    replay::Replay,
};
use super::{DirEntry, DirLock, File, Fs, LogFile};
use sediment_base::{Error, ErrorKind, Result};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// A file system in memory. Clones are the same disk.
#[derive(Clone)]
pub struct MemFs {
    state: Arc<RwLock<State>>,
    reserves_logs: bool,
}

/// How much of a log file is set aside, where that is wished for: enough to end in the middle of.
const RESERVED_BYTES_MAX: u64 = 16 << 10;

#[derive(Debug)]
struct State {
    disk: Disk,
    next_inode: Inode,
    /// Open handles by inode: the last one of a file without a name takes its bytes along.
    handles: BTreeMap<Inode, u32>,
    locks: BTreeSet<Inode>,
    recording: Option<Box<Recording>>,
    write_calls: u64,
    /// Files with bytes that were written after their last sync.
    dirty: BTreeSet<Inode>,
    evicted: Vec<(PathBuf, Range<u64>)>,
}

#[derive(Debug)]
struct Recording {
    start: Replay,
    ops: Vec<Recorded>,
}

impl MemFs {
    /// An empty disk.
    pub fn new() -> Self {
        Self::from_disk(Disk::new())
    }

    /// The same disk for a process that sets log files aside when it makes them, with zeros at their end from the beginning, as it does
    /// for the mapped ones of a real disk.
    #[must_use]
    pub fn with_reserved_logs(self) -> Self {
        Self { reserves_logs: true, ..self }
    }

    /// Every file as a process sees it, by its path from the root.
    pub fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.read();
        let mut files = BTreeMap::new();
        let mut dirs = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, dir)) = dirs.pop() {
            for (name, inode) in state.disk.names(dir).into_iter().flat_map(|names| names.iter()) {
                let path = path.join(&**name);
                match state.disk.content(*inode) {
                    Some(content) => drop(files.insert(path, content.to_vec())),
                    None => dirs.push((path, *inode)),
                }
            }
        }
        files
    }

    /// What it was asked not to keep in memory ([`File::evict`]) so far, in order. Without what was asked of files that had bytes to
    /// be synced: a system keeps those.
    pub fn evicted(&self) -> Vec<(PathBuf, Range<u64>)> {
        self.read().evicted.clone()
    }

    /// Starts recording: what is there now counts as durable. Does nothing where it records already.
    pub fn record(&self) {
        let mut state = self.write();
        if state.recording.is_none() {
            let start = Replay::synced(state.disk.clone());
            state.recording = Some(Box::new(Recording { start, ops: Vec::new() }));
        }
    }

    /// How many ops were recorded, as [`History::points`] counts them: a crash at this point or later comes after everything that
    /// was done so far.
    pub fn op_count(&self) -> usize {
        self.read().recording.as_ref().map_or(0, |recording| recording.start.at + recording.ops.len())
    }

    /// What was recorded so far; recording goes on. Panics where it never began.
    pub fn history(&self) -> History {
        let state = self.read();
        let recording = state.recording.as_ref().expect("`record` was called");
        History::new(recording.start.clone(), recording.ops.clone())
    }

    /// Bit rot: turns one bit of a file over, on the platter and in the cache at once.
    pub fn flip(&self, path: &Path, offset: u64, bit: u8) -> Result<()> {
        let mut byte = [0];
        self.open(path)?.read_exact_at(offset, &mut byte)?;
        self.write_raw(path, offset, &[byte[0] ^ 1 << (bit % 8)])
    }

    /// A write that nobody asked for, as a misdirected one: replaces bytes, on the platter and in the cache at once.
    pub fn write_raw(&self, path: &Path, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut state = self.write();
        let inode = state.disk.lookup(path).map_err(|e| Error::io("damage", path, e))?;
        state.apply(Op::Rot { inode, offset, bytes: bytes.into() }, &path.into());
        Ok(())
    }

    fn killed(start: Replay) -> Self {
        let fs = Self::from_disk(start.visible.clone());
        fs.write().recording = Some(Box::new(Recording { start, ops: Vec::new() }));
        fs
    }

    fn from_disk(disk: Disk) -> Self {
        let next_inode = disk.next_inode();
        Self {
            state: Arc::new(RwLock::new(State {
                disk,
                next_inode,
                handles: BTreeMap::new(),
                locks: BTreeSet::new(),
                recording: None,
                write_calls: 0,
                dirty: BTreeSet::new(),
                evicted: Vec::new(),
            })),
            reserves_logs: false,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect("no holder of the disk panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().expect("no holder of the disk panics")
    }

    fn make(&self, path: &Path) -> io::Result<Arc<MemFile>> {
        let mut state = self.write();
        let inode = state.make(path, false)?;
        Ok(self.handle(&mut state, inode, path))
    }

    fn handle(&self, state: &mut State, inode: Inode, path: &Path) -> Arc<MemFile> {
        *state.handles.entry(inode).or_default() += 1;
        Arc::new(MemFile { fs: self.clone(), inode, path: path.into() })
    }
}

impl Default for MemFs {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.tree().into_iter().map(|(path, bytes)| (path, bytes.len()));
        f.debug_map().entries(files).finish()
    }
}

impl State {
    fn apply(&mut self, op: Op, path: &Arc<Path>) {
        match &op {
            Op::Edit { inode, .. } => drop(self.dirty.insert(*inode)),
            Op::Sync { inode, .. } => drop(self.dirty.remove(inode)),
            _ => {}
        }
        op.apply(&mut self.disk);
        if let Some(recording) = &mut self.recording {
            recording.ops.push(Recorded { op, path: path.clone() });
        }
    }

    fn make(&mut self, path: &Path, is_dir: bool) -> io::Result<Inode> {
        let (dir, name) = self.disk.parent(path)?;
        if self.disk.names(dir).is_some_and(|names| names.contains_key(&name)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.next_inode;
        self.next_inode = Inode(inode.0 + 1);
        let naming = Naming { dir, name, inode: Some(inode) };
        self.apply(Op::Make { inode, is_dir, naming }, &path.into());
        Ok(inode)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.disk.lookup(from)?;
        let (from_dir, from_name) = self.disk.parent(from)?;
        let (to_dir, to_name) = self.disk.parent(to)?;
        let replaced = self.disk.names(to_dir).and_then(|names| names.get(&to_name)).copied();
        if replaced == Some(inode) {
            return Ok(());
        }
        if let Some(replaced) = replaced {
            match (self.disk.names(inode), self.disk.names(replaced)) {
                (None, None) => {}
                (None, Some(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                (Some(_), None) => return Err(io::ErrorKind::NotADirectory.into()),
                (Some(_), Some(names)) if names.is_empty() => {}
                (Some(_), Some(_)) => return Err(io::ErrorKind::DirectoryNotEmpty.into()),
            }
        }
        let from_naming = Naming { dir: from_dir, name: from_name, inode: None };
        let to_naming = Naming { dir: to_dir, name: to_name, inode: Some(inode) };
        self.apply(Op::Rename { from: from_naming, to: to_naming }, &from.into());
        self.reap(replaced);
        Ok(())
    }

    fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.disk.lookup(from)?;
        let (dir, name) = self.disk.parent(to)?;
        if self.disk.names(inode).is_some() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if self.disk.names(dir).is_some_and(|names| names.contains_key(&name)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.apply(Op::Name(Naming { dir, name, inode: Some(inode) }), &to.into());
        Ok(())
    }

    fn remove(&mut self, path: &Path, is_dir: bool) -> io::Result<()> {
        let inode = self.disk.lookup(path)?;
        let (dir, name) = self.disk.parent(path)?;
        match (self.disk.names(inode), is_dir) {
            (Some(_), false) => return Err(io::ErrorKind::IsADirectory.into()),
            (None, true) => return Err(io::ErrorKind::NotADirectory.into()),
            (Some(names), true) if !names.is_empty() => return Err(io::ErrorKind::DirectoryNotEmpty.into()),
            _ => {}
        }
        self.apply(Op::Name(Naming { dir, name, inode: None }), &path.into());
        self.reap(Some(inode));
        Ok(())
    }

    /// Forgets a file without names and handles.
    fn reap(&mut self, inode: Option<Inode>) {
        let Some(inode) = inode else { return };
        let is_file = matches!(self.disk.node(inode), Some(Node::File { .. }));
        if is_file && self.disk.links(inode) == 0 && !self.handles.contains_key(&inode) {
            self.disk.remove(inode);
        }
    }
}

impl Fs for MemFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(self.make(path).map_err(|e| Error::io("create", path, e))?)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        let mut state = self.write();
        let found = state.disk.lookup(path).and_then(|inode| match state.disk.content(inode) {
            Some(_) => Ok(inode),
            None => Err(io::ErrorKind::IsADirectory.into()),
        });
        let inode = found.map_err(|e| Error::io("open", path, e))?;
        Ok(self.handle(&mut state, inode, path))
    }

    fn create_log(&self, path: &Path, capacity: u64) -> Result<Arc<dyn LogFile>> {
        let log = self.make(path).map_err(|e| Error::io("create", path, e))?;
        if self.reserves_logs {
            log.set_len(capacity.min(RESERVED_BYTES_MAX))?;
        }
        Ok(log)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.write().make(path, true).map(drop).map_err(|e| Error::io("create the directory", path, e))
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        let state = self.read();
        let names =
            state.disk.lookup(path).and_then(|dir| state.disk.names(dir).ok_or_else(|| io::ErrorKind::NotADirectory.into()));
        let names = names.map_err(|e| Error::io("list the directory", path, e))?;
        let entry = |(name, inode): (&Arc<str>, &Inode)| {
            let content = state.disk.content(*inode);
            DirEntry { name: name.to_string(), is_dir: content.is_none(), len: content.map_or(0, |c| c.len()) }
        };
        Ok(names.iter().map(entry).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let renamed = self.write().rename(from, to);
        renamed.map_err(|e| Error::io(&format!("rename to {}", to.display()), from, e))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> Result<()> {
        let linked = self.write().link(from, to);
        linked.map_err(|e| Error::io(&format!("link as {}", to.display()), from, e))
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.write().remove(path, false).map_err(|e| Error::io("remove", path, e))
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.write().remove(path, true).map_err(|e| Error::io("remove the directory", path, e))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        match self.read().disk.lookup(path) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io("look for", path, e)),
        }
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        let mut state = self.write();
        let found = state.disk.lookup(path).and_then(|dir| match state.disk.names(dir) {
            Some(_) => Ok(dir),
            None => Err(io::ErrorKind::NotADirectory.into()),
        });
        let dir = found.map_err(|e| Error::io("sync the directory", path, e))?;
        state.apply(Op::SyncDir { dir }, &path.into());
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>> {
        let mut state = self.write();
        let found = match state.disk.lookup(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => state.make(path, false),
            found => found,
        };
        let inode = found.map_err(|e| Error::io("open the lock file", path, e))?;
        if !state.locks.insert(inode) {
            return Err(Error::new(ErrorKind::Locked, "another handle has the directory open").in_file(path));
        }
        Ok(Box::new(MemLock { fs: self.clone(), inode }))
    }

    fn available_bytes(&self, _path: &Path) -> Result<Option<u64>> {
        Ok(None)
    }
}
