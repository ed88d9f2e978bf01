//! How long level 0 waits for more while writers go on.
//!
//! What level 0 meets below is written again, however little it brings: a compaction of `k` runs writes `below / k` bytes for each of them,
//! beside their own. Meanwhile who reads asks `k / 2` of them on average, and pays the toll for each until another is there. The sum is
//! least at
//!
//! ```text
//! k = sqrt(2 * below / toll)
//! ```
//!
//! Without readers that would be without end. But what waits takes space, and is due all at once when writers pause.

use crate::compaction::strategy::TreeView;

/// Level 0 holds at most so many times what makes it due while writers rest.
const PATIENCE_MAX: f64 = 3.0;
/// And what waits beyond that is at most such a part of what lies below.
const SPACE_SHARE: f64 = 2.0 / 3.0;

/// How many times what makes it due otherwise level 0 is to hold, at least once.
pub(super) fn patience(tree: &TreeView<'_>, base: usize) -> f64 {
    let Some(coming) = tree.coming() else { return 1.0 };
    let below = tree.version.levels[base].bytes() as f64;
    let cheapest = (2.0 * below / coming.toll_bytes.max(1) as f64).sqrt() / tree.options.level0_trigger as f64;
    let room = 1.0 + below * SPACE_SHARE / tree.options.level_base_bytes as f64;
    cheapest.min(room).clamp(1.0, PATIENCE_MAX)
}
