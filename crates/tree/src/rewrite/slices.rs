//! Slices: how a running rewrite lets its caller in, to pace it, to do something more urgent, or to end it.

use sediment_base::{Error, ErrorKind, Result};
use std::ops::ControlFlow;

/// Output that ends a slice.
const BYTES_WRITTEN_MAX: u64 = 1 << 20;
/// Input that ends a slice.
const BYTES_READ_MAX: u64 = 4 << 20;

/// What a flush or compaction has done since it asked last: a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Keys and values of the rows that were read, in bytes.
    pub bytes_read: u64,
    /// Bytes of table files that were made.
    pub bytes_written: u64,
}

/// Asked by a flush or compaction after every slice, which ends with 1 MiB of output or 4 MiB of input, or with the row, block or
/// end of a table that goes beyond; and at last, when all tables are durable. Together the slices are all that was read and
/// written. A flush that looks whether anything is left between keys that it removes asks meanwhile as well, and counts nothing of it.
/// `Break` ends the work with `Cancelled`: everything is as before, what was written is discarded.
///
/// A compaction that has [`Helpers`](crate::Helpers) asks for each of its portions, from the thread that is at it: from several at the
/// same time.
///
/// The tree may be used meanwhile, also by the one who is asked: nothing is held that a reader, a writer or a seal needs. A flush
/// must not be asked for from within a flush, because it would wait for that one to end.
pub type OnSlice<'a> = &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync);

/// Asks once; `Cancelled` if the work is to end.
pub(super) fn go_on(on_slice: OnSlice<'_>, progress: Progress) -> Result<()> {
    match on_slice(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::new(ErrorKind::Cancelled, "the flush or compaction was cancelled")),
    }
}

/// Counts, and asks when it is time.
pub(super) struct Slices<'a> {
    on_slice: OnSlice<'a>,
    bytes_read: u64,
    /// Bytes written when it was asked last.
    written_before: u64,
}

impl<'a> Slices<'a> {
    pub(super) fn new(on_slice: OnSlice<'a>) -> Self {
        Self { on_slice, bytes_read: 0, written_before: 0 }
    }

    /// So many more bytes were read, and so many written in all: less than before where a block shrank when it was compressed.
    #[inline]
    pub(super) fn advance(&mut self, read: usize, written: u64) -> Result<()> {
        self.bytes_read += read as u64;
        let is_due = self.bytes_read >= BYTES_READ_MAX || written.saturating_sub(self.written_before) >= BYTES_WRITTEN_MAX;
        if is_due { self.end_slice(written) } else { Ok(()) }
    }

    /// Asks whether to go on.
    #[cold]
    pub(super) fn end_slice(&mut self, written: u64) -> Result<()> {
        let progress = Progress { bytes_read: self.bytes_read, bytes_written: written.saturating_sub(self.written_before) };
        (self.bytes_read, self.written_before) = (0, written);
        go_on(self.on_slice, progress)
    }
}
