//! `Content`: the bytes of a simulated file, in shared pages.
//!
//! A clone costs one reference count; a write copies only the pages that it touches and that somebody else still shares. Pages
//! that were never written are not stored, so preallocation and sparse files cost nothing.
//!
//! Invariant: stored bytes past the length are zero, so that growing a file shows zeros.

use std::sync::Arc;

const PAGE_BYTES: usize = 4096;

type Page = [u8; PAGE_BYTES];

/// The bytes of a file at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    len: u64,
    pages: Arc<Vec<Option<Arc<Page>>>>,
}

impl Content {
    /// Length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Copies what lies at `offset` into `buf`, up to the end of the file.
    pub(super) fn read_at(&self, offset: u64, buf: &mut [u8]) -> usize {
        let count = self.len.saturating_sub(offset).min(buf.len() as u64) as usize;
        each_page(offset, count, |index, within, part| match self.pages.get(index).and_then(Option::as_ref) {
            Some(page) => buf[part].copy_from_slice(&page[within]),
            None => buf[part].fill(0),
        });
        count
    }

    /// Replaces what lies at `offset`, growing the file as needed.
    pub(super) fn write_at(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len() as u64;
        let pages = Arc::make_mut(&mut self.pages);
        let needed = end.div_ceil(PAGE_BYTES as u64) as usize;
        if pages.len() < needed {
            pages.resize(needed, None);
        }
        each_page(offset, bytes.len(), |index, within, part| {
            let page = pages[index].get_or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            Arc::make_mut(page)[within].copy_from_slice(&bytes[part]);
        });
        self.len = self.len.max(end);
    }

    /// Cuts the file, or grows it with zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            let pages = Arc::make_mut(&mut self.pages);
            pages.truncate(len.div_ceil(PAGE_BYTES as u64) as usize);
            let kept = (len % PAGE_BYTES as u64) as usize;
            let whole_pages = (len / PAGE_BYTES as u64) as usize;
            if let (1.., Some(Some(page))) = (kept, pages.get_mut(whole_pages)) {
                Arc::make_mut(page)[kept..].fill(0);
            }
        }
        self.len = len;
    }

    /// All of it.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len as usize];
        self.read_at(0, &mut bytes);
        bytes
    }
}

/// Cuts `count` bytes at `offset` at page ends: the page's index, the range within it, the range within the caller's bytes.
fn each_page(offset: u64, count: usize, mut visit: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < count {
        let at = offset + done as u64;
        let within = (at % PAGE_BYTES as u64) as usize;
        let part = (PAGE_BYTES - within).min(count - done);
        visit((at / PAGE_BYTES as u64) as usize, within..within + part, done..done + part);
        done += part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaves_as_a_vector_of_bytes() {
        let mut content = Content::default();
        let mut model: Vec<u8> = Vec::new();
        let mut state = 1_u64;
        for step in 0..2000_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step | 1);
            let offset = (state >> 33) as usize % 20_000;
            if state >> 60 == 0 {
                content.set_len(offset as u64);
                model.resize(offset, 0);
            } else {
                let bytes = vec![step as u8; (state >> 20) as usize % 9000];
                let copy = content.clone();
                content.write_at(offset as u64, &bytes);
                assert_eq!(copy.to_vec(), model);
                if !bytes.is_empty() && model.len() < offset + bytes.len() {
                    model.resize(offset + bytes.len(), 0);
                }
                model[offset.min(bytes.len() + offset)..][..bytes.len()].copy_from_slice(&bytes);
            }
            assert_eq!(content.len() as usize, model.len());
        }
        assert_eq!(content.to_vec(), model);
    }

    #[test]
    fn a_file_that_shrank_grows_with_zeros() {
        let mut content = Content::default();
        content.write_at(0, &[7; 5000]);
        content.set_len(4100);
        content.set_len(1 << 40);
        let mut buf = [1; 1000];
        assert_eq!(content.read_at(4096, &mut buf), 1000);
        assert!(buf[..4] == [7; 4] && buf[4..].iter().all(|byte| *byte == 0));
        assert_eq!(content.read_at(1 << 40, &mut buf), 0);
    }
}
