//! `BlockKey`: the user key of a row, put together from what all keys of its block share and the rest.

use crate::block::{Block, RowView};

/// The user key of a row of one block.
#[derive(Debug, Default)]
pub(super) struct BlockKey {
    bytes: Vec<u8>,
    prefix_len: usize,
}

impl BlockKey {
    /// Goes over to another block, to no row of it.
    pub(super) fn enter(&mut self, block: Block<'_>) {
        self.bytes.clear();
        self.bytes.extend_from_slice(block.prefix());
        self.prefix_len = self.bytes.len();
    }

    /// Becomes the key of a row, whose parts `view` are.
    #[inline]
    pub(super) fn set(&mut self, block: Block<'_>, row: usize, view: &RowView<'_>) {
        let suffix = view.suffix.unwrap_or_else(|| block.suffix(row));
        self.bytes.truncate(self.prefix_len);
        self.bytes.extend_from_slice(suffix);
    }

    /// The same where its parts are not known.
    pub(super) fn set_to(&mut self, block: Block<'_>, row: usize) {
        self.bytes.truncate(self.prefix_len);
        self.bytes.extend_from_slice(block.suffix(row));
    }

    /// The key.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
