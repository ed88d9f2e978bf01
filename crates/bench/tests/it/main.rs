//! The program itself, run on tiny databases: every report can be read and adds up. How fast anything was is not asked.

mod mixed;
mod parts;
mod program;
mod workloads;
