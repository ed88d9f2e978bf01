//! Which block of a table can hold a key.

mod fence;

pub(crate) use fence::{BlockFlags, BlockPlace, Fence, FenceBuilder};
