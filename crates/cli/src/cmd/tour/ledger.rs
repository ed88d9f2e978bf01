//! What the killed process writes: commit `n` is fully determined by `n`, so the state after any number of commits is known.
//!
//! Each commit is one batch over two keyspaces. It inserts entry `n` into both, sets `last` in both to `n`, and every fourth
//! one removes entry `n / 2` from the first. So after `n` commits an entry `k <= n` is in the first keyspace unless `k` is even
//! and `2k <= n`.

use super::unicode::expect;
use crate::failure::{Failure, Result};
use sedimentdb::{Db, Durability, Keyspace, Slice};

const LAST: &str = "last";
/// Commits that ask for [`Durability::Sync`], so that synced and unsynced ones are mixed.
const SYNC_EVERY: u64 = 64;

/// The two keyspaces.
pub(super) struct Ledger {
    db: Db,
    entries: Keyspace,
    audit: Keyspace,
}

impl Ledger {
    /// Opens the keyspaces, making them where they are missing.
    pub(super) fn open(db: &Db) -> Result<Self> {
        Ok(Self { db: db.clone(), entries: db.keyspace("ledger")?, audit: db.keyspace("audit")? })
    }

    /// How many commits it holds; an error where the two keyspaces disagree.
    pub(super) fn commits(&self) -> Result<u64> {
        let (entries, audit) = (last(&self.entries)?, last(&self.audit)?);
        expect(entries == audit, "a batch over two keyspaces is all or nothing")?;
        Ok(entries)
    }

    /// Does commit `n`.
    pub(super) fn commit(&self, n: u64) -> Result<()> {
        let mut batch = self.db.batch();
        batch.insert(&self.entries, key(n), value(n)).insert(&self.audit, key(n), n.to_string());
        batch.insert(&self.entries, LAST, n.to_string()).insert(&self.audit, LAST, n.to_string());
        if n.is_multiple_of(4) {
            batch.remove(&self.entries, key(n / 2));
        }
        let durability = if n.is_multiple_of(SYNC_EVERY) { Durability::Sync } else { Durability::Os };
        Ok(batch.durability(durability).commit()?)
    }

    /// Compares everything with what `n` commits must have left: by scans, and each key by a get. Returns the keys compared.
    pub(super) fn check(&self, n: u64) -> Result<u64> {
        compare(&self.entries, (1..=n).filter(|k| is_present(*k, n)).map(|k| (key(k), value(k))), n)?;
        compare(&self.audit, (1..=n).map(|k| (key(k), k.to_string())), n)?;
        for k in 1..=n {
            let found = self.entries.get(key(k))?;
            if is_present(k, n) {
                expect(found.as_deref() == Some(value(k).as_bytes()), &format!("acknowledged entry {k} is there"))?;
            } else {
                expect(found.is_none(), &format!("removed entry {k} is not back"))?;
            }
        }
        Ok(n)
    }
}

fn compare(keyspace: &Keyspace, expected: impl Iterator<Item = (String, String)>, n: u64) -> Result<()> {
    let name = keyspace.name();
    let mut found = keyspace.iter();
    for (key, value) in expected {
        let (found_key, found_value) = next(&mut found, &key)?;
        expect(
            *found_key == *key.as_bytes(),
            &format!("{name}: key {key} comes next, not {}", String::from_utf8_lossy(&found_key)),
        )?;
        expect(*found_value == *value.as_bytes(), &format!("{name}: the value of {key} is as written"))?;
    }
    let (key, value) = next(&mut found, LAST)?;
    expect(*key == *LAST.as_bytes() && *value == *n.to_string().as_bytes(), &format!("{name}: `last` comes last"))?;
    expect(found.next().is_none(), &format!("{name}: nothing else is there"))
}

type Row = (Slice, Slice);

fn next(rows: &mut impl Iterator<Item = sedimentdb::Result<Row>>, key: &str) -> Result<Row> {
    rows.next()
        .ok_or_else(|| Failure::Broken { message: format!("not as promised: key {key} is there") })?
        .map_err(Failure::from)
}

fn is_present(k: u64, n: u64) -> bool {
    k <= n && !(k.is_multiple_of(2) && 2 * k <= n)
}

fn last(keyspace: &Keyspace) -> Result<u64> {
    let Some(value) = keyspace.get(LAST)? else { return Ok(0) };
    let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| Failure::Broken { message: format!("not as promised: `last` of {} is a number", keyspace.name()) })
}

fn key(n: u64) -> String {
    format!("entry-{n:09}")
}

/// Between 30 and 500 bytes.
fn value(n: u64) -> String {
    format!("commit {n} writes: ").repeat(1 + (n % 23) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_is_what_the_commits_do() {
        for n in 0..60_u64 {
            let mut model = std::collections::BTreeSet::new();
            for commit in 1..=n {
                model.insert(commit);
                if commit.is_multiple_of(4) {
                    model.remove(&(commit / 2));
                }
            }
            let claimed = (1..=n + 2).filter(|k| is_present(*k, n)).collect();
            assert_eq!(model, claimed, "after {n}");
        }
    }
}
