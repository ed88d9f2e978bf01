//! A directory becomes a tree.

use sediment_base::Error;
use std::fmt;

/// Whether the error of [`Tree::open`](crate::Tree::open) is that no tree was ever completed here: the directory is empty, or
/// its first creation was cut short. [`Tree::create`](crate::Tree::create) then succeeds.
pub fn is_not_created(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<NotCreated>())
}

#[derive(Debug)]
struct NotCreated;

impl fmt::Display for NotCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its creation was never completed")
    }
}

impl std::error::Error for NotCreated {}
