//! The strategies that are known by a name.

use super::{fifo::Fifo, lazy::Lazy, leveled::Leveled, strategy::Strategy, tiered::Tiered};
use std::sync::Arc;

/// The strategy of this name: `leveled`, `tiered`, `lazy`, `lazy-` and how many percent of a partition it
/// collects, or `fifo-` and how many bytes it keeps, perhaps with `-` and how many seconds.
pub fn strategy_by_name(name: &str) -> Option<Arc<dyn Strategy>> {
    match name {
        "leveled" => Some(Arc::new(Leveled)),
        "tiered" => Some(Arc::new(Tiered)),
        _ if name.starts_with("fifo") => Some(Arc::new(Fifo::by_name(name)?)),
        _ => Some(Arc::new(Lazy::by_name(name)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_own_name() {
        for name in ["leveled", "tiered", "lazy", "lazy-7", "fifo-100", "fifo-100-60"] {
            assert_eq!(strategy_by_name(name).expect("it is known").name(), name);
        }
        assert!(strategy_by_name("eager").is_none());
    }
}
