//! Every name of `lsm_tree::heal_hints` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::heal_hints::*;

fn heal_hints_keeps_its_shape() {
    let _: fn(bool) -> Arc<HealHints> = HealHints::new_shared;
    let _: fn(&HealHints) -> bool = HealHints::is_enabled;
    let _: fn(&HealHints, bool) -> () = HealHints::set_enabled;
    let _: fn(&HealHints, GlobalTableId) -> bool = HealHints::record;
    let _: fn(&HealHints) -> Option<GlobalTableId> = HealHints::pop;
    let _: fn(&HealHints) -> bool = HealHints::is_empty;
    has!(HealHints: Default);
}
