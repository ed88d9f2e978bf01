//! `SeqNo`: the version number of a write, and what a reader at a given number sees.

/// The version number of a write. The database hands them out; the caller of a bare tree brings its own.
pub type SeqNo = u64;

/// Largest sequence number; legal only as a read bound. The bit above it is reserved for transactions.
pub const SEQNO_MAX: SeqNo = 0x7FFF_FFFF_FFFF_FFFF;

/// Whether a reader at `read_seqno` sees an entry: strictly older ones only, so a read at 0 sees nothing.
#[inline]
pub fn is_visible(entry_seqno: SeqNo, read_seqno: SeqNo) -> bool {
    entry_seqno < read_seqno
}
