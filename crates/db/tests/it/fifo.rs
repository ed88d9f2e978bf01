//! First in, first out: what is too old is forgotten although nothing happens but time.

use crate::disks::{DIR, small};
use sediment_env::{Env, MemFs, Park, Stepper};
use sedimentdb::{Db, KeyspaceOptions};

/// Time passes, and who looks at the clock now and then does so.
fn pass(stepper: &Stepper, us: u64) {
    stepper.clock().advance_us(us);
    stepper.wake_all();
    stepper.run(1000);
}

#[test]
fn what_is_too_old_is_forgotten_and_a_snapshot_goes_on() {
    let (env, stepper) = Env::stepped(MemFs::new(), 5);
    let mut options = small();
    options.expert.background_threads = Some(1);
    let db = Db::builder(DIR).options(options).env(env).open().unwrap();
    let minute = KeyspaceOptions { strategy: Some("fifo-1000000-60".into()), ..KeyspaceOptions::default() };
    let events = db.create_keyspace_with("events", minute).unwrap();
    events.insert("a", "1").unwrap();
    db.flush().unwrap();
    pass(&stepper, 59_000_000);
    assert_eq!(events.get("a").unwrap().as_deref(), Some(&b"1"[..]), "it is not old yet");
    events.insert("b", "2").unwrap();
    db.flush().unwrap();
    let snapshot = db.snapshot();
    pass(&stepper, 1_000_001);
    assert_eq!(events.get("a").unwrap(), None, "nobody wrote, and it is gone");
    assert_eq!(events.get("b").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(snapshot.get(&events, "a").unwrap().as_deref(), Some(&b"1"[..]));
    drop(snapshot);
    pass(&stepper, 60_000_000);
    assert_eq!(events.range::<&str, _>(..).count(), 0);
    events.insert("c", "3").unwrap();
    drop(events);
    db.close().unwrap();
}
