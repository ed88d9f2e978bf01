//! `FaultRule`: which calls to strike, with what, how often.

use std::{fmt, io, path::Path, sync::Arc};

/// A kind of call, as rules see it. Logs and files are told apart by path alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named after the calls")]
pub enum Call {
    Create,
    Open,
    CreateDir,
    ReadDir,
    Rename,
    HardLink,
    RemoveFile,
    RemoveDir,
    Exists,
    SyncDir,
    Lock,
    Read,
    Write,
    Len,
    SetLen,
    Sync,
}

impl Call {
    /// For the error: "cannot …".
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Open => "open",
            Self::CreateDir => "create the directory",
            Self::ReadDir => "list the directory",
            Self::Rename => "rename",
            Self::HardLink => "link",
            Self::RemoveFile => "remove",
            Self::RemoveDir => "remove the directory",
            Self::Exists => "look for",
            Self::SyncDir => "sync the directory",
            Self::Lock => "lock",
            Self::Read => "read",
            Self::Write => "write",
            Self::Len => "ask the length",
            Self::SetLen => "set the length",
            Self::Sync => "sync",
        }
    }
}

/// What happens to a call that is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Any call fails and has done nothing. A failed sync leaves its bytes as unsynced as they were.
    Eio,
    /// A write fails and has written its first half.
    PartialWrite,
    /// The disk takes this many more bytes; the write that would pass the limit fills it up, and fails. Once means that there
    /// is space again after the first failure.
    NoSpace {
        /// Counted over all writes that match, from the n-th on.
        after_bytes: u64,
    },
    /// A sync fails, and its bytes will never reach the disk though they can be read, whatever later syncs say.
    SyncLost,
    /// A read gives half of what was asked for.
    ShortRead,
    /// The system takes half of a write, and the rest at a second call.
    ShortWrite,
    /// A write succeeds and has done nothing.
    LostWrite,
}

impl Fault {
    fn can_strike(self, call: Call) -> bool {
        match self {
            Self::Eio => true,
            Self::PartialWrite | Self::ShortWrite | Self::LostWrite | Self::NoSpace { .. } => call == Call::Write,
            Self::SyncLost => call == Call::Sync,
            Self::ShortRead => call == Call::Read,
        }
    }
}

/// Which calls to strike, with what, how often.
#[derive(Clone)]
pub struct FaultRule {
    fault: Fault,
    nth: u64,
    is_sticky: bool,
    matches: Arc<Matches>,
}

type Matches = dyn Fn(Call, &Path) -> bool + Send + Sync;

impl FaultRule {
    /// Strikes the n-th call (from 0) of those that the fault can strike.
    pub fn nth(nth: u64, fault: Fault) -> Self {
        Self { fault, nth, is_sticky: false, matches: Arc::new(|_, _| true) }
    }

    /// Counts and strikes only calls of which `matches` is true.
    #[must_use]
    pub fn matching(self, matches: impl Fn(Call, &Path) -> bool + Send + Sync + 'static) -> Self {
        Self { matches: Arc::new(matches), ..self }
    }

    /// Strikes every call from the n-th on, until disarmed.
    #[must_use]
    pub fn sticky(self) -> Self {
        Self { is_sticky: true, ..self }
    }
}

impl fmt::Debug for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = if self.is_sticky { "from" } else { "at" };
        write!(f, "{:?} {times} call {}", self.fault, self.nth)
    }
}

/// What is to become of a call.
pub(super) enum Verdict {
    Pass,
    /// It fails, after so many bytes.
    Fail {
        error: io::Error,
        after: usize,
    },
    /// The first call of the system takes so many bytes, fewer than it was given.
    Cut(usize),
    Swallow,
    LoseSync,
}

/// A rule and what it has counted.
pub(super) struct Armed {
    rule: FaultRule,
    seen: u64,
    bytes: u64,
    is_spent: bool,
}

impl Armed {
    pub(super) fn new(rule: FaultRule) -> Self {
        Self { rule, seen: 0, bytes: 0, is_spent: false }
    }

    pub(super) fn fault(&self) -> Fault {
        self.rule.fault
    }

    /// What a full disk will still take.
    pub(super) fn bytes_left(&self) -> Option<u64> {
        match self.rule.fault {
            Fault::NoSpace { after_bytes } if !self.is_spent => Some(after_bytes.saturating_sub(self.bytes)),
            _ => None,
        }
    }

    pub(super) fn judge(&mut self, call: Call, path: &Path, len: usize) -> Option<Verdict> {
        if self.is_spent || !self.rule.fault.can_strike(call) || !(self.rule.matches)(call, path) {
            return None;
        }
        self.seen += 1;
        if self.seen <= self.rule.nth {
            return None;
        }
        let verdict = self.strike(len)?;
        self.is_spent = !self.rule.is_sticky;
        Some(verdict)
    }

    fn strike(&mut self, len: usize) -> Option<Verdict> {
        let injected = || io::Error::other("injected fault");
        match self.rule.fault {
            Fault::Eio => Some(Verdict::Fail { error: injected(), after: 0 }),
            Fault::PartialWrite => Some(Verdict::Fail { error: injected(), after: len / 2 }),
            Fault::NoSpace { after_bytes } => {
                let left = after_bytes.saturating_sub(self.bytes);
                self.bytes = self.bytes.saturating_add(len as u64);
                let is_full = len as u64 > left;
                is_full.then(|| Verdict::Fail { error: io::ErrorKind::StorageFull.into(), after: left as usize })
            }
            Fault::SyncLost => Some(Verdict::LoseSync),
            Fault::ShortRead | Fault::ShortWrite => (len > 1).then_some(Verdict::Cut(len / 2)),
            Fault::LostWrite => Some(Verdict::Swallow),
        }
    }
}
