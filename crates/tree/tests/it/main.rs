//! What the tree promises, through its public face alone.

mod compare;
mod crash;
mod model;
#[cfg(planted_bugs)]
mod planted;
