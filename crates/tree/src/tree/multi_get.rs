//! Several points at once.

use super::Tree;
use crate::{
    read::{Searches, TakeValue},
    super_version::SuperVersion,
};
use sediment_base::{Result, SeqNo, Slice};
use sediment_raw::epoch::{self, Pin};
use std::sync::Arc;

/// Point reads that were begun together under an epoch pin.
#[derive(Debug)]
#[must_use = "they may have stopped half-way"]
pub enum BegunMultiGet<'a, V> {
    /// All are at their end; whether each key has a value, which then was taken.
    Ended(Vec<bool>),
    /// What some of them need next takes time.
    Stopped(Box<StoppedMultiGet<'a, V>>),
}

/// Point reads half-way. Holds by counts what the pin held.
#[derive(Debug)]
pub struct StoppedMultiGet<'a, V> {
    searches: Searches<'a, V>,
    pinned: Arc<SuperVersion>,
    tree: Tree,
}

impl Tree {
    /// The values of these keys at `read_seqno`, in their order; keys may come in any order, and more than once.
    pub fn multi_get<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
        read_seqno: SeqNo,
    ) -> Result<Vec<Option<Slice>>> {
        let keys: Vec<K> = keys.into_iter().collect();
        let mut values = vec![Slice::default(); keys.len()];
        let begun = self.begin_multi_get(&epoch::pin(), &keys, || read_seqno, &mut values)?;
        let found = begun.finish()?;
        Ok(values.into_iter().zip(found).map(|(value, is_found)| is_found.then_some(value)).collect())
    }

    /// As [`Tree::begin_get`], for several keys at one seqno: together they cost much less than one after another, because each
    /// waits for memory while the others do. A value for each key; panics on another number of them.
    pub fn begin_multi_get<'a, K: AsRef<[u8]>, V: TakeValue>(
        &self,
        pin: &Pin,
        keys: &'a [K],
        visible: impl FnMut() -> SeqNo,
        values: &'a mut [V],
    ) -> Result<BegunMultiGet<'a, V>> {
        let versions = &self.inner.versions;
        let (pinned, read_seqno) = versions.load_at(pin, visible);
        pinned.check_history(read_seqno)?;
        let mut searches = Searches::begin(&pinned, keys, read_seqno, values, pin)?;
        if !versions.is_sweep_due() && searches.go_on_resident(&pinned, &versions.options, pin)? {
            return searches.end(&pinned, &versions.options).map(BegunMultiGet::Ended);
        }
        Ok(BegunMultiGet::Stopped(Box::new(StoppedMultiGet { searches, pinned: pinned.to_arc(), tree: self.clone() })))
    }
}

impl<V: TakeValue> BegunMultiGet<'_, V> {
    /// Goes on to the end of all; whether each key has a value, which then was taken. Does I/O: hold no epoch pin.
    pub fn finish(self) -> Result<Vec<bool>> {
        match self {
            Self::Ended(found) => Ok(found),
            Self::Stopped(stopped) => stopped.finish(),
        }
    }
}

impl<V: TakeValue> StoppedMultiGet<'_, V> {
    #[cold]
    fn finish(self) -> Result<Vec<bool>> {
        let Self { searches, pinned, tree } = self;
        let versions = &tree.inner.versions;
        let found = searches.finish(&pinned, &versions.options);
        drop(pinned);
        versions.sweep();
        found
    }
}
