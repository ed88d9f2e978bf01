//! `Below`: one source as a reader with a bound of its own sees it.

use super::{STEPS_MAX, Segmented, Source};
use sediment_base::{Cursor, InternalKey, Result, RowFlags, SeqNo, seqno::is_visible};
use sediment_table::Segment;
use std::ops::Bound;

/// The rows of a source that a reader at some seqno sees, of all versions. One caller at a time.
pub(crate) struct Below {
    source: Source,
    read_seqno: SeqNo,
}

impl Below {
    pub(crate) fn new(source: Source, read_seqno: SeqNo) -> Self {
        Self { source, read_seqno }
    }

    fn is_hidden(&self) -> bool {
        self.source.is_valid() && !is_visible(self.source.key().seqno, self.read_seqno)
    }

    /// From a hidden row to the next that is not. Those of a key come newest first: a seek finds where hidden ones end.
    fn skip_hidden(&mut self) -> Result<()> {
        let read_seqno = self.read_seqno;
        self.skip_by(Source::next, |source, key| source.seek(InternalKey::seek_to(key, read_seqno)))
    }

    /// The same backwards: behind a hidden row of a key there are only hidden ones.
    fn skip_hidden_back(&mut self) -> Result<()> {
        self.skip_by(Source::prev, |source, key| source.seek_before(InternalKey::before(key)))
    }

    /// By `step`s, and after a few of them by a `jump` over the rest of a key.
    fn skip_by(
        &mut self,
        step: impl Fn(&mut Source) -> Result<()>,
        jump: impl Fn(&mut Source, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut steps = 0;
        while self.is_hidden() {
            steps += 1;
            if steps == STEPS_MAX {
                steps = 0;
                let key = self.source.key().user_key.to_vec();
                jump(&mut self.source, &key)?;
            } else {
                step(&mut self.source)?;
            }
        }
        Ok(())
    }
}

impl Cursor for Below {
    fn is_valid(&self) -> bool {
        self.source.is_valid()
    }

    fn key(&self) -> InternalKey<'_> {
        self.source.key()
    }

    fn value(&self) -> &[u8] {
        self.source.value()
    }

    fn flags(&self) -> RowFlags {
        self.source.flags()
    }

    fn digest(&self, hash_seed: u64) -> Option<u32> {
        self.source.digest(hash_seed)
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.source.seek_to_first()?;
        self.skip_hidden()
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.source.seek_to_last()?;
        self.skip_hidden_back()
    }

    fn seek(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.source.seek(target)?;
        self.skip_hidden()
    }

    fn seek_before(&mut self, target: InternalKey<'_>) -> Result<()> {
        self.source.seek_before(target)?;
        self.skip_hidden_back()
    }

    fn next(&mut self) -> Result<()> {
        self.source.next()?;
        self.skip_hidden()
    }

    fn prev(&mut self) -> Result<()> {
        self.source.prev()?;
        self.skip_hidden_back()
    }
}

impl Segmented for Below {
    fn segment_after(&mut self, _upper: Bound<&[u8]>, _segment: &mut Segment) -> bool {
        false
    }

    fn segment_before(&mut self, _lower: Bound<&[u8]>, _segment: &mut Segment) -> bool {
        false
    }

    fn is_last_of_key(&self) -> bool {
        self.source.is_last_of_key()
    }

    fn is_first_of_key(&self) -> bool {
        false
    }

    fn skip_below(&mut self, _cover: SeqNo, _to: Option<&[u8]>) -> Result<bool> {
        Ok(false)
    }

    fn skip_back_below(&mut self, _cover: SeqNo, _from: Option<&[u8]>) -> Result<bool> {
        Ok(false)
    }
}
