//! Tables through their public face, on a disk in memory.

mod carrying;
mod cold;
mod compression;
mod counts;
mod damage;
mod faults;
mod fence_leaves;
mod golden;
mod hostile;
mod locators;
mod model;
mod order;
mod paged_filters;
mod ranges;
mod removed_runs;
mod rows;
mod sealed;
mod segments;
mod stretches;
