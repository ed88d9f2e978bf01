//! Running a whole list of operations, and shrinking one that fails.

use super::{Failure, Runner};
use crate::{
    ops::{Op, print_script},
    shrink::shrink,
    store::Store,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs operations on a new simulated disk; the error says which one failed, and why. A panic is a failure.
pub fn check_ops<S: Store>(ops: &[Op], settings: &S::Settings, seed: u64) -> Result<(), String> {
    let mut at = None;
    let run = guarded(|| {
        let mut runner = Runner::<S>::new(seed, settings.clone())?;
        for (index, op) in ops.iter().enumerate() {
            at = Some(index);
            runner.apply(op)?;
        }
        at = None;
        runner.check()
    });
    let place = at.map_or(String::new(), |index| format!("operation {index}, `{}`: ", ops[index]));
    run.map_err(|failure| format!("{place}{failure}"))
}

/// The smallest part of a failing list that still fails, whatever the failure.
pub fn shrink_failure(ops: &[Op], fails: &mut dyn FnMut(&[Op]) -> Option<String>) -> Vec<Op> {
    shrink(ops, &mut |ops| fails(ops).is_some())
}

/// Runs operations, and where they fail, shrinks them and panics with a script that can be pasted into a test.
pub fn demand<S: Store>(ops: &[Op], settings: &S::Settings, seed: u64) {
    let mut fails = |ops: &[Op]| check_ops::<S>(ops, settings, seed).err();
    let Some(first) = fails(ops) else { return };
    eprintln!("seed {seed}: {first}\nshrinking {} operations ...", ops.len());
    let small = shrink_failure(ops, &mut fails);
    let reason = fails(&small).unwrap_or(first);
    panic!("seed {seed}, {settings:?}: {reason}\nscript:\n{}", print_script(&small));
}

/// Runs a check; a panic in it is a wrong answer.
pub fn guarded<T>(check: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        Err(Failure::Wrong(format!("panic: {text}")))
    })
}
