//! Going on when the disk is full.
//!
//! A file of zeros holds space that is given back when there is none left: with the first failure for want of space all but its last
//! part. From then on writes are refused before they take any of it, while what frees space goes on: removes, drops and clears,
//! compactions, the log's old files. Flushes and compactions may use up what was given back without freeing any; the last part is
//! given back to removes, drops and clears alone, so that there is room to write them down. A compaction that might fill the disk does not
//! begin before. A write that comes when there is room again makes the file anew, and everything resumes.
//!
//! Without a reserve nothing is refused beforehand: each write finds out by itself.

use sediment_base::{Error, ErrorKind, Result, filename};
use sediment_env::Fs;
use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// How much of the file is written at a time.
const PIECE_BYTES: u64 = 256 << 10;
/// There must be room for so many reserves before one is made again: it is not to be spent at once.
const ROOM_IN_RESERVES: u64 = 2;
/// The last part is one of so many.
const PARTS: u64 = 4;

/// The space that is held, or the lack of it. Shared.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    is_full: AtomicBool,
    /// Held while the file is made or removed.
    changing: Mutex<()>,
}

impl Reserve {
    /// So many bytes in the database's directory; 0 for none.
    pub(super) fn new(dir: &Path, bytes: u64) -> Self {
        Self { path: dir.join(filename::RESERVE), bytes, is_full: AtomicBool::new(false), changing: Mutex::new(()) }
    }

    /// Whether the disk was full, and has not been found otherwise since.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Acquire)
    }

    /// Whether so many bytes more leave the disk with room. On one that is full already, what is left is for what frees space: anything
    /// may be tried, with a little left. So it may where nothing is reserved, and nobody is kept from finding out.
    pub(super) fn has_room_for(&self, fs: &dyn Fs, bytes: u64) -> bool {
        let wanted = if self.is_full() { self.last_bytes() } else { bytes };
        self.bytes == 0 || self.left(fs).unwrap_or_default().is_none_or(|left| left >= wanted)
    }

    /// Makes the file where it is missing, or shorter than wanted.
    pub(super) fn ensure(&self, fs: &dyn Fs) -> Result<()> {
        let is_whole = || Ok(fs.exists(&self.path)? && fs.open(&self.path)?.len()? >= self.bytes);
        if self.bytes == 0 || is_whole()? {
            return Ok(());
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.make(fs, self.bytes)
    }

    /// The disk is full: gives the space back, but for the last part; whether this is news.
    pub(super) fn spend(&self, fs: &dyn Fs) -> bool {
        if self.bytes == 0 {
            return false;
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = !self.is_full.swap(true, Ordering::AcqRel);
        if is_news {
            let _ = self.make(fs, self.last_bytes());
        }
        is_news
    }

    /// The disk is full, and there is no room to write down what frees space: gives the last part back; false if it is gone already.
    pub(super) fn spend_last(&self, fs: &dyn Fs) -> bool {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_full() && fs.remove_file(&self.path).is_ok()
    }

    /// Holds space again if there is enough, or says that there is not; whether that is news.
    pub(super) fn restore(&self, fs: &dyn Fs) -> Result<bool> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_full() {
            return Ok(false);
        }
        let wanted = self.bytes.saturating_mul(ROOM_IN_RESERVES);
        let left = self.left(fs)?;
        if left.is_some_and(|left| left < wanted) {
            return Err(self.refusal(wanted, left));
        }
        self.make(fs, self.bytes)
            .map_err(|error| if error.kind() == ErrorKind::NoSpace { self.refusal(wanted, left) } else { error })?;
        self.is_full.store(false, Ordering::Release);
        Ok(true)
    }

    fn last_bytes(&self) -> u64 {
        self.bytes.div_ceil(PARTS)
    }

    /// What the disk has left; `None` where that cannot be known.
    fn left(&self, fs: &dyn Fs) -> Result<Option<u64>> {
        fs.available_bytes(self.path.parent().unwrap_or(Path::new("")))
    }

    /// The file anew. Zeros, not just a length: only what is written holds space.
    fn make(&self, fs: &dyn Fs, bytes: u64) -> Result<()> {
        if fs.exists(&self.path)? {
            fs.remove_file(&self.path)?;
        }
        let file = fs.create(&self.path)?;
        let zeros = vec![0; PIECE_BYTES.min(bytes) as usize];
        let mut at = 0;
        while at < bytes {
            let piece = &zeros[..PIECE_BYTES.min(bytes - at) as usize];
            if let Err(error) = file.write_at(at, piece) {
                let _ = fs.remove_file(&self.path);
                return Err(error);
            }
            at += piece.len() as u64;
        }
        Ok(())
    }

    #[cold]
    fn refusal(&self, wanted: u64, left: Option<u64>) -> Error {
        let message = "the disk is full: writes go on by themselves once there is room; removing, dropping and clearing works";
        let found = left.map_or("fewer".into(), |left| left.to_string());
        Error::new(ErrorKind::NoSpace, message).expected_found(format!("{wanted} bytes free"), found).in_file(&self.path)
    }
}
