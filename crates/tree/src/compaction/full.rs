//! Everything into one run, whatever the strategy.

use super::plan::{Action, Plan};
use crate::{
    options::TreeOptions,
    version::{Level, Version},
};

/// All tables into one run, at the first level from the deepest one on that they fit.
pub(crate) fn pick_all(version: &Version, options: &TreeOptions) -> Option<Plan> {
    let bytes: u64 = version.levels.iter().map(Level::bytes).sum();
    let deepest = version.levels.iter().rposition(|level| !level.is_empty())?.max(1);
    let last = version.levels.len() - 1;
    let target = (deepest..last).find(|level| options.level_bytes_max(*level) >= bytes).unwrap_or(last);
    let inputs = version.levels.iter().enumerate().map(|(index, level)| (index, level.tables().cloned().collect())).collect();
    Plan::new(Action::Rewrite, inputs, target, &options.order)
}
