//! Tables through their public face, on a disk in memory.

mod damage;
mod faults;
mod golden;
mod hostile;
mod model;
mod order;
mod rows;
