//! Which block of a table can hold a key, and what is known of blocks without reading them.

mod builder;
mod fence;
mod place;
mod root;

pub(crate) use builder::{EncodedFence, FenceBuilder};
pub(crate) use fence::Fence;
pub(crate) use place::{BlockEntry, BlockFlags, BlockPlace};
pub(crate) use root::{Leaf, Root};
