//! What the tree promises, through its public face alone.

mod compare;
mod model;
