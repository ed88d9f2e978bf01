//! Background work in steps: order by seed, waits that drive, deadlocks that name themselves.

use sediment_env::{Env, MemFs, Park, Priority, Spawn, SteppedClock, Stepper};
use std::{
    collections::BTreeSet,
    panic,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Three workers that take numbers from a queue, as a pool does; who took which.
fn pool(seed: u64) -> Vec<(u64, u64)> {
    let (env, stepper) = Env::stepped(MemFs::new(), seed);
    let queue = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let is_closing = Arc::new(AtomicU64::new(0));
    let worker = |me: u64| {
        let (park, queue, taken, is_closing) = (env.park.clone(), queue.clone(), taken.clone(), is_closing.clone());
        let job = move || loop {
            let mut next = None;
            park.wait_until(&mut || {
                next = queue.lock().expect("nobody panics").pop();
                next.is_some() || is_closing.load(Ordering::Relaxed) == 1
            });
            let Some(number) = next else { return };
            taken.lock().expect("nobody panics").push((me, number));
            park.wake_all();
        };
        env.spawn.spawn(&format!("worker-{me}"), Priority::Normal, Box::new(job)).expect("threads are to be had")
    };
    let workers: Vec<_> = (0..3).map(worker).collect();
    assert_eq!(stepper.run(100), 3, "each one starts and waits");
    for number in 0..20 {
        queue.lock().expect("nobody panics").push(number);
        env.park.wake_all();
        if number % 3 == 0 {
            env.park.wait_until(&mut || taken.lock().expect("nobody panics").len() as u64 > number);
        }
    }
    env.park.wait_until(&mut || taken.lock().expect("nobody panics").len() == 20);
    is_closing.store(1, Ordering::Relaxed);
    env.park.wake_all();
    workers.into_iter().for_each(|worker| worker.join());
    assert!(!stepper.step() && stepper.steps() > 6);
    Arc::into_inner(taken).and_then(|taken| taken.into_inner().ok()).expect("the workers are gone")
}

#[test]
fn a_seed_fixes_the_order_and_another_changes_it() {
    let runs: BTreeSet<_> = (0..8).map(pool).collect();
    assert!(runs.len() > 1, "{runs:?}");
    for seed in 0..8 {
        assert_eq!(pool(seed), pool(seed));
    }
}

#[test]
fn nothing_runs_behind_the_drivers_back() {
    let (env, stepper) = Env::stepped(MemFs::new(), 1);
    let done = Arc::new(AtomicU64::new(0));
    let (seen, clock) = (done.clone(), env.clock.clone());
    let job = move || {
        for _ in 0..3 {
            seen.fetch_add(1, Ordering::SeqCst);
            clock.sleep_us(10);
        }
    };
    let task = env.spawn.spawn("sleeper", Priority::Normal, Box::new(job)).expect("threads are to be had");
    thread::sleep(Duration::from_millis(5));
    assert_eq!(done.load(Ordering::SeqCst), 0);
    assert!(stepper.step());
    assert_eq!((done.load(Ordering::SeqCst), env.clock.monotonic_us()), (1, 10));
    env.clock.sleep_us(1);
    assert_eq!((done.load(Ordering::SeqCst), env.clock.monotonic_us()), (2, 21));
    task.join();
    assert_eq!(done.load(Ordering::SeqCst), 3);
}

#[test]
fn work_can_start_and_await_work() {
    let (env, _stepper) = Env::stepped(MemFs::new(), 1);
    let done = Arc::new(AtomicU64::new(0));
    let (inner_done, inner_env) = (done.clone(), env.clone());
    let job = move || {
        let counts = move || inner_done.store(1, Ordering::SeqCst);
        inner_env.spawn.spawn("inner", Priority::Normal, Box::new(counts)).expect("threads are to be had").join();
    };
    env.spawn.spawn("outer", Priority::Normal, Box::new(job)).expect("threads are to be had").join();
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[test]
fn drivers_may_be_several() {
    let (env, _stepper) = Env::stepped(MemFs::new(), 1);
    let turn = AtomicU64::new(0);
    thread::scope(|scope| {
        for me in 0..3 {
            let (env, turn) = (&env, &turn);
            scope.spawn(move || {
                for round in 0..100 {
                    env.park.wait_until(&mut || turn.load(Ordering::SeqCst) == 3 * round + me);
                    turn.fetch_add(1, Ordering::SeqCst);
                    env.park.wake_all();
                }
            });
        }
    });
    assert_eq!(turn.into_inner(), 300);
}

#[test]
fn a_deadlock_names_those_who_wait() {
    let stepper = Stepper::with_patience(1, SteppedClock::new(0), Duration::from_millis(20));
    let park = stepper.clone();
    // Leaked: it waits for ever.
    let task = stepper
        .spawn("flush-1", Priority::Normal, Box::new(move || park.wait_until(&mut || false)))
        .expect("threads are to be had");
    let waits = panic::AssertUnwindSafe(|| stepper.wait_until(&mut || false));
    let payload = panic::catch_unwind(waits).expect_err("nobody can go on");
    let text = payload.downcast_ref::<String>().expect("it has a text");
    assert!(text.starts_with("deadlock: ") && text.ends_with("[flush-1]"), "{text}");
    drop(task);
}

#[test]
fn a_panic_comes_out_where_the_work_is_awaited() {
    let (env, stepper) = Env::stepped(MemFs::new(), 1);
    let task = env.spawn.spawn("unlucky", Priority::Normal, Box::new(|| panic!("found out"))).expect("threads are to be had");
    assert!(panic::catch_unwind(panic::AssertUnwindSafe(|| task.join())).is_err());
    assert!(!stepper.step(), "the others could go on");
}

#[test]
fn who_waits_idly_moves_no_time_and_ends_when_others_have_moved_it() {
    let (env, stepper) = Env::stepped(MemFs::new(), 1);
    let looked = Arc::new(AtomicU64::new(0));
    let job = {
        let (park, looked) = (env.park.clone(), looked.clone());
        Box::new(move || {
            let is_held = park.wait_idly(1000, &mut || false);
            looked.store(if is_held { 2 } else { 1 }, Ordering::Relaxed);
        })
    };
    let task = env.spawn.spawn("idler", Priority::Low, job).expect("threads are to be had");
    assert_eq!((stepper.run(100), env.clock.monotonic_us()), (1, 0), "it waits, and is not drawn again");
    env.clock.sleep_us(999);
    env.park.wake_all();
    assert_eq!((stepper.run(100), looked.load(Ordering::Relaxed)), (1, 0), "not yet");
    env.clock.sleep_us(1);
    env.park.wake_all();
    task.join();
    assert_eq!(looked.load(Ordering::Relaxed), 1, "its time is over");
}
