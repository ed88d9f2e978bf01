//! `History`: what happened to a disk, and the disks that crashes along the way would leave.
//!
//! Points are op counts: the crash at point `n` comes after the first `n` ops. Asking in ascending order costs one replay in all;
//! a step back replays from the start. Images share names and bytes with the history until they are written to.

use super::{
    MemFs,
    build::build,
    image::{ImageName, Variant},
    op::Recorded,
    plan::CrashPlan,
    replay::Replay,
};
use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    ops::RangeInclusive,
    sync::Mutex,
};

/// The recorded ops of a [`MemFs`]. Shared.
pub struct History {
    start: Replay,
    ops: Vec<Recorded>,
    now: Mutex<Replay>,
}

impl History {
    pub(super) fn new(start: Replay, ops: Vec<Recorded>) -> Self {
        let now = Mutex::new(start.clone());
        Self { start, ops, now }
    }

    /// How many ops there are, all earlier lives of the disk included.
    pub fn len(&self) -> usize {
        self.start.at + self.ops.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points at which it can crash: before its first op, after each one. A disk that outlived the kill of a process goes on
    /// counting where that process stopped.
    pub fn points(&self) -> RangeInclusive<usize> {
        self.start.at..=self.len()
    }

    /// The op of this number (counted from 0), for people.
    pub fn describe(&self, op: usize) -> String {
        match op.checked_sub(self.start.at).map(|index| self.ops.get(index)) {
            Some(Some(recorded)) => recorded.to_string(),
            Some(None) => "not yet".into(),
            None => "in an earlier life".into(),
        }
    }

    /// A number that two runs share if they did the same.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for recorded in &self.ops {
            recorded.to_string().hash(&mut hasher);
            recorded.bytes().hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Visits the images of a crash after the first `point` ops. Each one is a disk of its own: all that it holds is durable
    /// (but see [`Variant::Killed`]), nobody has a lock, and nothing is recorded until asked for.
    pub fn for_each_image(&self, point: usize, plan: &CrashPlan, visit: &mut dyn FnMut(&ImageName, MemFs)) {
        let Some(replay) = self.replay(point) else { return };
        let last = point.checked_sub(self.start.at + 1).map(|index| &self.ops[index]);
        let names = plan.names(&replay, last.map(|recorded| (&recorded.op, &*recorded.path)));
        for name in names {
            visit(&name, image(&replay, &name));
        }
    }

    /// Makes one image again; none for a point that this history does not have.
    pub fn image(&self, name: &ImageName) -> Option<MemFs> {
        Some(image(&self.replay(name.point)?, name))
    }

    /// A copy, so that a visitor may ask this history for other images.
    fn replay(&self, point: usize) -> Option<Replay> {
        if !self.points().contains(&point) {
            return None;
        }
        let mut now = self.now.lock().expect("no op panics");
        if now.at > point {
            *now = self.start.clone();
        }
        while now.at < point {
            let index = now.at - self.start.at;
            now.step(&self.ops[index].op);
        }
        Some(now.clone())
    }
}

fn image(replay: &Replay, name: &ImageName) -> MemFs {
    match name.variant {
        Variant::Killed => MemFs::killed(replay.clone()),
        variant => MemFs::from_disk(build(replay, name.rule, variant)),
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ops.iter().map(|recorded| format_args!("{recorded}").to_string())).finish()
    }
}
