//! Tables through their public face, on a disk in memory.

mod model;
mod order;
mod rows;
