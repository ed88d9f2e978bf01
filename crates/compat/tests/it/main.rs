//! The interface, section by section, through its public face alone.

mod batch;
mod common;
mod compaction;
mod comparator;
mod compression;
mod config;
mod counting;
mod errors;
mod files;
mod filter;
mod flush;
mod ingestion;
mod iterators;
mod merge;
mod model;
mod overlay;
mod points;
mod prefix;
mod ranges;
mod seqnos;
mod shapes;
mod since;
mod snapshots;
mod types;
mod unsupported;
