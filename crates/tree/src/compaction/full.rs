//! Everything into one run, whatever the strategy.

use super::plan::{Action, Plan};
use crate::{options::TreeOptions, version::Version};

/// All tables into one run at the last level.
pub(crate) fn pick_all(version: &Version, options: &TreeOptions) -> Option<Plan> {
    let inputs = version.levels.iter().enumerate().map(|(index, level)| (index, level.tables().cloned().collect())).collect();
    Plan::new(Action::Rewrite, inputs, version.levels.len() - 1, &options.order)
}
