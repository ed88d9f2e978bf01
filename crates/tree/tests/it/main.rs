//! What the tree promises, through its public face alone.

mod compare;
mod compression;
mod counts;
mod crash;
mod crash_compacting;
mod crash_watermark;
mod cursors;
mod digests;
mod directory;
mod dropping;
mod faults;
mod fifo;
mod filter_widths;
mod filtering;
mod ingesting;
mod levels;
mod locators;
mod model;
mod multi_gets;
mod overlays;
mod parts;
#[cfg(planted_bugs)]
mod planted;
mod points;
mod portions;
mod prefixes;
mod raw;
mod reclaim;
mod sealing;
mod semantics;
mod sizes;
mod slices;
mod threads;
mod warmth;
mod watermark;
mod watermark_model;
