//! Scripts.

use super::Leveled;
use crate::compaction::scripts;

#[test]
fn the_plan_relieves_the_fullest_level_cheaply() {
    let names =
        ["level0", "sublevels", "concurrent", "deeper", "targets", "moves", "busy", "scores", "tombstones", "all", "awaiting"];
    scripts::check(&Leveled, "leveled", &names);
}
