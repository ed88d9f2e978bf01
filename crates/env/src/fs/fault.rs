//! `FaultFs`: a file system that fails on demand, around any other.
//!
//! Rules are armed one beside the other; each counts the calls it could strike and strikes from its n-th on, once or until
//! disarmed. So a test runs a script with `FaultRule::nth(0, …)`, `nth(1, …)`, … until a run in which nothing was injected.
//!
//! Everything goes through, and counts, here; nothing is failed behind the caller's back by the wrapped file system.

mod rule;

pub use self::rule::{Call, Fault, FaultRule};

use self::rule::{Armed, Verdict};
use super::{DirEntry, DirLock, File, Fs, LogFile};
use sediment_base::{
    Error, Result,
    planted::{Bug, planted},
};
use std::{
    fmt, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

/// A file system that fails where a [`FaultRule`] says so. Clones share their rules.
#[derive(Clone)]
pub struct FaultFs {
    inner: Arc<dyn Fs>,
    rules: Arc<Rules>,
}

#[derive(Default)]
struct Rules {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    armed: Vec<Armed>,
    calls: u64,
    injected: Vec<String>,
}

impl FaultFs {
    /// Wraps `inner`, with no rule armed.
    pub fn new(inner: Arc<dyn Fs>) -> Self {
        Self { inner, rules: Arc::default() }
    }

    /// Adds a rule; where several strike one call, the first armed wins.
    pub fn arm(&self, rule: FaultRule) {
        self.rules.state().armed.push(Armed::new(rule));
    }

    /// Takes all rules away.
    pub fn disarm(&self) {
        self.rules.state().armed.clear();
    }

    /// Calls so far, failed ones included.
    pub fn calls(&self) -> u64 {
        self.rules.state().calls
    }

    /// What was injected so far, for people: one line each, such as `Eio into call 17: Write /db/wal/1`.
    pub fn injected(&self) -> Vec<String> {
        self.rules.state().injected.clone()
    }

    fn pass(&self, call: Call, path: &Path) -> Result<()> {
        match self.rules.judge(call, path, 0) {
            Verdict::Fail { error, .. } => Err(Error::io(call.verb(), path, error)),
            _ => Ok(()),
        }
    }
}

impl Rules {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the rules panics")
    }

    /// What is to become of a call; of its bytes, where it has any.
    fn judge(&self, call: Call, path: &Path, bytes: usize) -> Verdict {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        let State { armed, injected, .. } = &mut *state;
        for rule in armed.iter_mut() {
            if let Some(verdict) = rule.judge(call, path, bytes) {
                injected.push(format!("{:?} into call {number}: {call:?} {}", rule.fault(), path.display()));
                return verdict;
            }
        }
        Verdict::Pass
    }
}

impl Fs for FaultFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        self.pass(Call::Create, path)?;
        Ok(Arc::new(FaultFile { inner: self.inner.create(path)?, rules: self.rules.clone() }))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        self.pass(Call::Open, path)?;
        Ok(Arc::new(FaultFile { inner: self.inner.open(path)?, rules: self.rules.clone() }))
    }

    fn create_log(&self, path: &Path, capacity: u64) -> Result<Arc<dyn LogFile>> {
        self.pass(Call::Create, path)?;
        Ok(Arc::new(FaultLog { inner: self.inner.create_log(path, capacity)?, rules: self.rules.clone() }))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.pass(Call::CreateDir, path)?;
        self.inner.create_dir(path)
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        self.pass(Call::ReadDir, path)?;
        self.inner.read_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.pass(Call::Rename, from)?;
        self.inner.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> Result<()> {
        self.pass(Call::HardLink, from)?;
        self.inner.hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.pass(Call::RemoveFile, path)?;
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.pass(Call::RemoveDir, path)?;
        self.inner.remove_dir(path)
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        self.pass(Call::Exists, path)?;
        self.inner.exists(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.pass(Call::SyncDir, path)?;
        self.inner.sync_dir(path)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>> {
        self.pass(Call::Lock, path)?;
        self.inner.lock(path)
    }

    fn available_bytes(&self, path: &Path) -> Result<Option<u64>> {
        let left = self.rules.state().armed.iter().find_map(Armed::bytes_left);
        match left {
            Some(left) => Ok(Some(left)),
            None => self.inner.available_bytes(path),
        }
    }

    fn memory_bytes(&self) -> Option<u64> {
        self.inner.memory_bytes()
    }
}

impl fmt::Debug for FaultFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.rules.state();
        f.debug_struct("FaultFs").field("inner", &self.inner).field("calls", &state.calls).finish_non_exhaustive()
    }
}

struct FaultFile {
    inner: Arc<dyn File>,
    rules: Arc<Rules>,
}

impl FaultFile {
    fn sync(&self, sync: impl FnOnce(&dyn File) -> Result<()>) -> Result<()> {
        let verdict = self.rules.judge(Call::Sync, self.path(), 0);
        struck_sync(verdict, self.path(), || self.inner.lose_unsynced(), || sync(&*self.inner))
    }
}

impl File for FaultFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        match self.rules.judge(Call::Read, self.path(), buf.len()) {
            Verdict::Fail { error, .. } => Err(Error::io("read", self.path(), error).at(offset)),
            Verdict::Cut(len) => self.inner.read_at(offset, &mut buf[..len]),
            _ => self.inner.read_at(offset, buf),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let verdict = self.rules.judge(Call::Write, self.path(), bytes.len());
        struck_write(verdict, self.path(), offset, bytes, |offset, bytes| self.inner.write_at(offset, bytes))
    }

    fn len(&self) -> Result<u64> {
        match self.rules.judge(Call::Len, self.path(), 0) {
            Verdict::Fail { error, .. } => Err(Error::io("ask the length", self.path(), error)),
            _ => self.inner.len(),
        }
    }

    fn set_len(&self, len: u64) -> Result<()> {
        match self.rules.judge(Call::SetLen, self.path(), 0) {
            Verdict::Fail { error, .. } => Err(Error::io("set the length", self.path(), error)),
            _ => self.inner.set_len(len),
        }
    }

    fn evict(&self, offset: u64, bytes: u64) {
        self.inner.evict(offset, bytes);
    }

    fn sync_data(&self) -> Result<()> {
        self.sync(|inner| inner.sync_data())
    }

    fn sync_all(&self) -> Result<()> {
        self.sync(|inner| inner.sync_all())
    }

    fn path(&self) -> &Path {
        self.inner.path()
    }

    fn lose_unsynced(&self) {
        self.inner.lose_unsynced();
    }
}

impl fmt::Debug for FaultFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultFile({:?})", self.inner)
    }
}

struct FaultLog {
    inner: Arc<dyn LogFile>,
    rules: Arc<Rules>,
}

impl LogFile for FaultLog {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let verdict = self.rules.judge(Call::Write, self.path(), bytes.len());
        struck_write(verdict, self.path(), offset, bytes, |offset, bytes| self.inner.write_at(offset, bytes))
    }

    fn sync(&self) -> Result<()> {
        let verdict = self.rules.judge(Call::Sync, self.path(), 0);
        struck_sync(verdict, self.path(), || self.inner.lose_unsynced(), || self.inner.sync())
    }

    fn is_mapped(&self) -> bool {
        self.inner.is_mapped()
    }

    fn expect_syncs(&self, are_expected: bool) {
        self.inner.expect_syncs(are_expected);
    }

    fn path(&self) -> &Path {
        self.inner.path()
    }

    fn lose_unsynced(&self) {
        self.inner.lose_unsynced();
    }
}

impl fmt::Debug for FaultLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultLog({:?})", self.inner)
    }
}

fn struck_write(
    verdict: Verdict,
    path: &Path,
    offset: u64,
    bytes: &[u8],
    write: impl Fn(u64, &[u8]) -> Result<()>,
) -> Result<()> {
    match verdict {
        Verdict::Fail { error, after } => {
            if after > 0 {
                write(offset, &bytes[..after])?;
            }
            Err(Error::io("write", path, error).at(offset))
        }
        Verdict::Cut(len) => {
            write(offset, &bytes[..len])?;
            if planted(Bug::IgnoreShortWrite) {
                return Ok(());
            }
            write(offset + len as u64, &bytes[len..])
        }
        Verdict::Swallow => Ok(()),
        Verdict::Pass | Verdict::LoseSync => write(offset, bytes),
    }
}

fn struck_sync(verdict: Verdict, path: &Path, lose: impl FnOnce(), sync: impl FnOnce() -> Result<()>) -> Result<()> {
    match verdict {
        Verdict::Fail { error, .. } => Err(Error::io("sync", path, error)),
        Verdict::LoseSync => {
            lose();
            Err(Error::io("sync", path, io::Error::other("injected fault")))
        }
        _ => sync(),
    }
}
