//! Guards: rows of a scan, whose errors come when they are opened.

use crate::{
    error::{Result, of_tree},
    slice::{KvPair, Slice, UserKey, UserValue},
};
use sediment_tree::Scan;

/// A row of a scan.
pub trait IterGuard {
    /// The row; the value only if the key is as wished.
    fn into_inner_if(self, pred: impl Fn(&UserKey) -> bool) -> Result<(UserKey, Option<UserValue>)>;

    /// The row.
    fn into_inner(self) -> Result<KvPair>;

    /// The key.
    fn key(self) -> Result<UserKey>;

    /// Bytes of the value.
    fn size(self) -> Result<u32>;

    /// The value.
    fn value(self) -> Result<UserValue>
    where
        Self: Sized,
    {
        self.into_inner().map(|(_, value)| value)
    }
}

/// A row whose value lies with its key.
#[derive(Debug)]
pub struct StandardGuard(sediment_base::Result<(sediment_base::Slice, sediment_base::Slice)>);

/// A row whose value may lie apart.
#[derive(Debug)]
pub struct BlobGuard(StandardGuard);

/// A row of a scan.
#[derive(Debug)]
pub enum IterGuardImpl {
    /// Of a tree without files of values.
    Standard(StandardGuard),
    /// Of one with them.
    Blob(BlobGuard),
}

impl IterGuard for StandardGuard {
    fn into_inner_if(self, pred: impl Fn(&UserKey) -> bool) -> Result<(UserKey, Option<UserValue>)> {
        let (key, value) = self.into_inner()?;
        let is_wished = pred(&key);
        Ok((key, is_wished.then_some(value)))
    }

    #[inline]
    fn into_inner(self) -> Result<KvPair> {
        match self.0 {
            Ok((key, value)) => Ok((Slice::wrap(key), Slice::wrap(value))),
            Err(error) => Err(of_tree(error)),
        }
    }

    #[inline]
    fn key(self) -> Result<UserKey> {
        self.into_inner().map(|(key, _)| key)
    }

    fn size(self) -> Result<u32> {
        self.into_inner().map(|(_, value)| value.len() as u32)
    }
}

macro_rules! forwarded {
    ($($self:ident: $type:ty => $standard:expr;)*) => {$(
        impl IterGuard for $type {
            fn into_inner_if($self, pred: impl Fn(&UserKey) -> bool) -> Result<(UserKey, Option<UserValue>)> {
                $standard.into_inner_if(pred)
            }

            #[inline]
            fn into_inner($self) -> Result<KvPair> {
                $standard.into_inner()
            }

            #[inline]
            fn key($self) -> Result<UserKey> {
                $standard.key()
            }

            fn size($self) -> Result<u32> {
                $standard.size()
            }
        }
    )*};
}

forwarded! {
    self: BlobGuard => self.0;
    self: IterGuardImpl => match self {
        IterGuardImpl::Standard(guard) => guard,
        IterGuardImpl::Blob(BlobGuard(guard)) => guard,
    };
}

/// What scans are.
pub type BoxedIterator<'a> = Box<dyn DoubleEndedIterator<Item = IterGuardImpl> + Send + 'a>;

/// The rows of a scan as guards.
pub(crate) struct Rows(State);

enum State {
    Scanning(Box<Scan>),
    /// It could not begin.
    Refused(Option<sediment_base::Error>),
}

impl Rows {
    pub(crate) fn of(scan: sediment_base::Result<Scan>) -> BoxedIterator<'static> {
        Box::new(Self(match scan {
            Ok(scan) => State::Scanning(Box::new(scan)),
            Err(error) => State::Refused(Some(error)),
        }))
    }
}

#[inline]
fn guard(row: sediment_base::Result<(sediment_base::Slice, sediment_base::Slice)>) -> IterGuardImpl {
    IterGuardImpl::Standard(StandardGuard(row))
}

impl Iterator for Rows {
    type Item = IterGuardImpl;

    #[inline]
    fn next(&mut self) -> Option<IterGuardImpl> {
        match &mut self.0 {
            State::Scanning(scan) => scan.next().map(guard),
            State::Refused(error) => error.take().map(|error| guard(Err(error))),
        }
    }
}

impl DoubleEndedIterator for Rows {
    #[inline]
    fn next_back(&mut self) -> Option<IterGuardImpl> {
        match &mut self.0 {
            State::Scanning(scan) => scan.next_back().map(guard),
            State::Refused(error) => error.take().map(|error| guard(Err(error))),
        }
    }
}
