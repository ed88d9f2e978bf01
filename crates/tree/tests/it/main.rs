//! What the tree promises, through its public face alone.

mod compare;
mod counts;
mod crash;
mod directory;
mod faults;
mod ingesting;
mod levels;
mod model;
#[cfg(planted_bugs)]
mod planted;
mod points;
mod reclaim;
mod sealing;
mod semantics;
mod slices;
mod threads;
