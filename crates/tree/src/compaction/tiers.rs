//! Tiers: runs side by side in age, and which of them are of like size.
//!
//! Tiers that lie side by side are *alike* if none is larger by more than a fourth than all newer ones of them together: merging so many
//! of them at a time, rows that were written at like times are rewritten as often.

use super::strategy::TreeView;
use crate::version::Run;

/// A run, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tier {
    /// Which one it is, by the numbers that its maker gives.
    pub(super) number: usize,
    pub(super) bytes: u64,
    /// Whether a compaction has taken a part of it.
    pub(super) is_busy: bool,
}

impl Tier {
    /// The one of a whole run.
    pub(super) fn of_run(tree: &TreeView<'_>, number: usize, run: &Run) -> Self {
        let is_busy = !tree.busy.is_empty() && run.tables().iter().any(|file| tree.busy.has(file.meta.id));
        Self { number, bytes: run.bytes(), is_busy }
    }
}

/// For each tier that qualifies, given newest first: it and the older ones that do and are like it.
pub(super) fn alike(tiers: &[Tier], qualifies: impl Fn(&Tier) -> bool) -> impl Iterator<Item = &[Tier]> {
    (0..tiers.len()).map(move |first| {
        let mut bytes = 0_u64;
        let is_like = |tier: &&Tier| {
            let fits = bytes == 0 || tier.bytes <= bytes.saturating_add(bytes / 4);
            bytes = bytes.saturating_add(tier.bytes);
            fits && qualifies(tier)
        };
        &tiers[first..first + tiers[first..].iter().take_while(is_like).count()]
    })
}

/// How many are alike at most.
pub(super) fn most_alike(tiers: &[Tier]) -> usize {
    alike(tiers, |_| true).map(<[_]>::len).max().unwrap_or(0)
}

/// How many that are alike are merged; at least two, since one cannot be.
pub(super) fn trigger(tree: &TreeView<'_>) -> usize {
    tree.options.level0_trigger.max(2)
}
