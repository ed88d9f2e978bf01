//! Rows in, tables out: the machine that flush and compaction share. They differ only in where the cursors come from.

mod borders;
mod cuts;
mod elsewhere;
mod filter;
mod output;
mod ranges;
mod removed;
mod rules;
mod run;
mod slices;
mod widths;

pub(crate) use borders::{Portion, Stretch, borders, portions_max};
pub(crate) use cuts::Cuts;
pub(crate) use elsewhere::Elsewhere;
pub(crate) use filter::Judge;
pub(crate) use output::OutputSpec;
pub(crate) use removed::Removed;
pub(crate) use run::{Rewrite, Rewritten};
pub use slices::{OnSlice, Progress};
pub(crate) use widths::{Arriving, FilterWidth, width};
