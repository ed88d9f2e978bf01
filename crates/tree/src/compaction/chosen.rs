//! `Chosen`: the strategy of a tree, and what it said last.

use super::{
    busy::Busy,
    leveled::Leveled,
    plan::Plan,
    pressure::Urgency,
    strategy::{Backlog, Coming, Strategy, TreeView},
    sweep::pick_sweep,
};
use crate::{options::TreeOptions, super_version::SuperVersion, version::Version};
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
    /// Whether writers go on.
    expects_more: bool,
    score: Option<Scored>,
}

/// How urgent a version's work is, until the time when there is more to do.
#[derive(Debug)]
struct Scored {
    version: Weak<Version>,
    urgency: Urgency,
    due_us: Option<u64>,
}

impl Default for Now {
    fn default() -> Self {
        Self { strategy: Arc::new(Leveled), expects_more: false, score: None }
    }
}

impl Now {
    fn coming(&self, now: &SuperVersion) -> Option<Coming> {
        self.expects_more.then(|| Coming { toll_bytes: now.toll.between_flushes() })
    }
}

impl Chosen {
    /// Chooses another for plans that are made from now on.
    pub(crate) fn set(&self, strategy: Arc<dyn Strategy>) {
        let mut now = self.lock();
        (now.strategy, now.score) = (strategy, None);
    }

    /// Whether writers go on.
    pub(crate) fn set_expects_more(&self, expects_more: bool) {
        let mut now = self.lock();
        if now.expects_more != expects_more {
            (now.expects_more, now.score) = (expects_more, None);
        }
    }

    /// The settings have changed, and with them what is due.
    pub(crate) fn forget_score(&self) {
        self.lock().score = None;
    }

    /// The most urgent work that is possible now.
    pub(crate) fn pick(&self, now: &SuperVersion, busy: &Busy, options: &TreeOptions, now_us: u64) -> Option<Plan> {
        let (strategy, coming) = self.strategy_and_coming(now);
        let view = TreeView::new(&now.version, busy, options).at(now_us).awaiting(coming);
        pick_sweep(&view).or_else(|| strategy.pick(&view))
    }

    /// How urgent the work is, as if nothing were under way. Worked out once for a version, and again when time makes more due.
    pub(crate) fn urgency(&self, now: &SuperVersion, options: &TreeOptions, now_us: u64) -> Urgency {
        let (mut chosen, version) = (self.lock(), &now.version);
        if let Some(scored) = &chosen.score
            && std::ptr::eq(scored.version.as_ptr(), Arc::as_ptr(version))
            && scored.due_us.is_none_or(|due_us| now_us < due_us)
        {
            return scored.urgency;
        }
        let busy = Busy::default();
        let view = TreeView::new(version, &busy, options).awaiting(chosen.coming(now));
        let sweep = pick_sweep(&view);
        let least = if sweep.is_some() { 1.0 } else { 0.0 };
        let score = chosen.strategy.scores(&view.at(now_us)).into_iter().fold(least, f64::max);
        let plan = if score >= 1.0 { sweep.or_else(|| chosen.strategy.pick(&view.at(now_us))) } else { None };
        let urgency = Urgency { score, price_bytes: plan.map_or(0, |plan| plan.written_bytes()) };
        chosen.score = Some(Scored { version: Arc::downgrade(version), urgency, due_us: chosen.strategy.due_us(&view) });
        urgency
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
    pub(crate) fn scores(&self, now: &SuperVersion, options: &TreeOptions) -> Vec<f64> {
        let (strategy, coming) = self.strategy_and_coming(now);
        let mut scores = strategy.scores(&TreeView::new(&now.version, &Busy::default(), options).awaiting(coming));
        scores.resize(now.version.levels.len(), 0.0);
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

    fn strategy_and_coming(&self, now: &SuperVersion) -> (Arc<dyn Strategy>, Option<Coming>) {
        let chosen = self.lock();
        (Arc::clone(&chosen.strategy), chosen.coming(now))
    }

    fn strategy(&self) -> Arc<dyn Strategy> {
        Arc::clone(&self.lock().strategy)
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
