//! `Chosen`: the strategy of a tree, and what it said last.

use super::{
    busy::Busy,
    leveled::Leveled,
    plan::Plan,
    strategy::{Backlog, Strategy, TreeView},
    sweep::pick_sweep,
};
use crate::{options::TreeOptions, version::Version};
use sediment_base::Slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The strategy of a tree. Shared.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    strategy: Arc<dyn Strategy>,
    score: Option<Scored>,
}

/// The highest score of a version, until the time when there is more to do.
#[derive(Debug)]
struct Scored {
    version: Weak<Version>,
    score: f64,
    due_us: Option<u64>,
}

impl Default for Now {
    fn default() -> Self {
        Self { strategy: Arc::new(Leveled), score: None }
    }
}

impl Chosen {
    /// Chooses another for plans that are made from now on.
    pub(crate) fn set(&self, strategy: Arc<dyn Strategy>) {
        *self.lock() = Now { strategy, score: None };
    }

    /// The settings have changed, and with them what is due.
    pub(crate) fn forget_score(&self) {
        self.lock().score = None;
    }

    /// The most urgent work that is possible now.
    pub(crate) fn pick(&self, version: &Version, busy: &Busy, options: &TreeOptions, now_us: u64) -> Option<Plan> {
        let view = TreeView::new(version, busy, options).at(now_us);
        pick_sweep(&view).or_else(|| self.strategy().pick(&view))
    }

    /// The highest score of a level, as if nothing were under way. Worked out once for a version, and again when time makes more due.
    pub(crate) fn score(&self, version: &Arc<Version>, options: &TreeOptions, now_us: u64) -> f64 {
        let mut now = self.lock();
        if let Some(scored) = &now.score
            && std::ptr::eq(scored.version.as_ptr(), Arc::as_ptr(version))
            && scored.due_us.is_none_or(|due_us| now_us < due_us)
        {
            return scored.score;
        }
        let busy = Busy::default();
        let view = TreeView::new(version, &busy, options);
        let least = if pick_sweep(&view).is_some() { 1.0 } else { 0.0 };
        let score = now.strategy.scores(&view.at(now_us)).into_iter().fold(least, f64::max);
        now.score = Some(Scored { version: Arc::downgrade(version), score, due_us: now.strategy.due_us(&view) });
        score
    }

    /// When there is more to do although nothing else happens.
    pub(crate) fn due_us(&self, version: &Version, options: &TreeOptions) -> Option<u64> {
        self.strategy().due_us(&TreeView::new(version, &Busy::default(), options))
    }

    /// Whether rows keep their seqnos.
    pub(crate) fn keeps_seqnos(&self) -> bool {
        self.strategy().keeps_seqnos()
    }

    /// How urgent each level is, as if nothing were under way.
    pub(crate) fn scores(&self, version: &Version, options: &TreeOptions) -> Vec<f64> {
        let mut scores = self.strategy().scores(&TreeView::new(version, &Busy::default(), options));
        scores.resize(version.levels.len(), 0.0);
        scores
    }

    /// Where the tables of a flush are cut.
    pub(crate) fn guards(&self, version: &Version, options: &TreeOptions) -> Vec<Slice> {
        self.strategy().guards(&TreeView::new(version, &Busy::default(), options))
    }

    /// How far the tree is from being in shape.
    pub(crate) fn backlog(&self, version: &Version, options: &TreeOptions) -> Backlog {
        self.strategy().backlog(&TreeView::new(version, &Busy::default(), options))
    }

    fn strategy(&self) -> Arc<dyn Strategy> {
        Arc::clone(&self.lock().strategy)
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
