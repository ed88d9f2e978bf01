//! A small database whose scans leave tokens.

use sediment_env::{Env, MemFs};
use sedimentdb::{Db, Direction, Keyspace, Result, ScanLimits, Snapshot};

/// A database, a keyspace of twenty keys in it, and a snapshot of them all. Twice made, the tokens of its scans are the same.
pub fn sample() -> (Db, Keyspace, Snapshot) {
    let make = || -> Result<_> {
        let db = Db::builder("/db").env(Env::simulated(MemFs::new(), 1)).open()?;
        let users = db.keyspace("users")?;
        for i in 0..20 {
            users.insert(format!("user-{i:02}"), [i; 20])?;
        }
        let snapshot = db.snapshot();
        Ok((db, users, snapshot))
    };
    make().expect("a sound disk")
}

/// What one part may do here.
pub fn limits() -> ScanLimits {
    ScanLimits { rows: 3, ..ScanLimits::default() }
}

/// Tokens that scans leave, with their names.
pub fn some() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let (_db, users, snapshot) = sample();
    let mut now = users.scan_part("user-03".."user-10", Direction::Forward, limits())?;
    let mut then = snapshot.scan_part::<&str, _>(&users, .., Direction::Backward, limits())?;
    let mut tokens = vec![("begun", now.token()), ("snapshot-begun", then.token())];
    now.next_ref()?;
    then.next_ref()?;
    tokens.extend([("now", now.token()), ("snapshot", then.token())]);
    Ok(tokens.into_iter().filter_map(|(name, token)| Some((name, token?))).collect())
}
