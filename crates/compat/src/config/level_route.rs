//! `LevelRoute`: levels that lie elsewhere.

use crate::fs::Fs;
use std::{fmt, ops::Range, path::PathBuf, sync::Arc};

/// Where the tables of some levels lie.
#[derive(Clone)]
pub struct LevelRoute {
    /// These levels.
    pub levels: Range<u8>,
    /// Their directory.
    pub path: PathBuf,
    /// Its file system.
    pub fs: Arc<dyn Fs>,
}

impl LevelRoute {
    /// Panics where routes say nothing, or too much.
    pub(super) fn check(routes: &[Self]) {
        for (index, route) in routes.iter().enumerate() {
            assert!(!route.levels.is_empty(), "empty or inverted level route range");
            let overlaps = |other: &Self| other.levels.start < route.levels.end && route.levels.start < other.levels.end;
            assert!(!routes[..index].iter().any(overlaps), "overlapping level routes");
        }
    }
}

impl fmt::Debug for LevelRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LevelRoute").field("levels", &self.levels).field("path", &self.path).finish_non_exhaustive()
    }
}
