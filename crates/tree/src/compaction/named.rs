//! The strategies that are known by a name.

use super::{lazy::Lazy, leveled::Leveled, strategy::Strategy, tiered::Tiered};
use std::sync::Arc;

/// The strategy of this name: `leveled`, `tiered`, `lazy`, or `lazy-` and how many percent of a partition it collects.
pub fn strategy_by_name(name: &str) -> Option<Arc<dyn Strategy>> {
    match name {
        "leveled" => Some(Arc::new(Leveled)),
        "tiered" => Some(Arc::new(Tiered)),
        _ => Some(Arc::new(Lazy::by_name(name)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_own_name() {
        for name in ["leveled", "tiered", "lazy", "lazy-7"] {
            assert_eq!(strategy_by_name(name).expect("it is known").name(), name);
        }
        assert!(strategy_by_name("eager").is_none());
    }
}
