//! Steps 1 to 4: import, look up, scan, hold a snapshot.

use super::{Guide, data};
use crate::{
    failure::{Failure, Result},
    output::{counted, grouped},
};
use sedimentdb::{Db, Iter, Keyspace, Slice};
use std::time::Instant;

const BATCH_ROWS: usize = 1000;
const CRAB: &str = "01F980";

/// Step 1: three keyspaces.
pub(super) fn fill(db: &Db, guide: &mut Guide<'_>) -> Result<()> {
    guide.step("1. Put data in: the Unicode character database")?;
    let began = Instant::now();
    let mut total = 0;
    let rows: [(&str, &mut dyn Iterator<Item = data::Row>); 3] =
        [("characters", &mut data::characters()), ("names", &mut data::names()), ("notes", &mut data::notes())];
    for (name, rows) in rows {
        let count = load(db, &db.keyspace(name)?, rows)?;
        guide.say(format!("   {:>6} {name}", grouped(count)))?;
        guide.found(name, count);
        total += count;
    }
    let seconds = began.elapsed().as_secs_f64();
    guide.say(format!("   {} in {seconds:.2} s, in batches of {}\n", counted(total, "row"), grouped(BATCH_ROWS as u64)))
}

fn load(db: &Db, keyspace: &Keyspace, rows: &mut dyn Iterator<Item = data::Row>) -> Result<u64> {
    let mut count = 0;
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let mut batch = db.batch();
        for (key, value) in rows.by_ref().take(BATCH_ROWS) {
            batch.insert(keyspace, key, value);
            count += 1;
        }
        batch.commit()?;
    }
    Ok(count)
}

/// Step 2: a key that is there, what else is known of it, and one that is not there.
pub(super) fn look_up(db: &Db, guide: &mut Guide<'_>) -> Result<()> {
    guide.step("2. Look things up")?;
    let (characters, notes) = (db.keyspace("characters")?, db.keyspace("notes")?);
    let record = text(&demand(characters.get(CRAB)?, "the crab")?);
    expect(data::name_of(&record) == "CRAB", "the crab is called CRAB")?;
    guide.say(format!("   characters {CRAB}  {}", shown(CRAB, data::name_of(&record))))?;
    let note = text(&demand(notes.get(CRAB)?, "the note on the crab")?);
    guide.say(format!("   notes      {CRAB}  {}", note.replace('\n', "; ")))?;
    expect(characters.get("0FFFFF")?.is_none(), "there is no character FFFFF")?;
    guide.say("   characters 0FFFFF  (not there)\n")
}

/// Step 3: a range, a prefix, and backwards.
pub(super) fn scan(db: &Db, guide: &mut Guide<'_>) -> Result<()> {
    guide.step("3. Walk through them in order")?;
    let (characters, names) = (db.keyspace("characters")?, db.keyspace("names")?);

    let greek = rows(characters.range("0003B1".."0003C0"), 100)?;
    expect(greek.len() == 15, "15 Greek letters from alpha to omicron")?;
    let letters: String = greek.iter().filter_map(|(key, _)| data::character(key)).map(|letter| format!("{letter} ")).collect();
    guide.say(format!("   range   0003B1 .. 0003C0     {letters}"))?;

    let snow = rows(names.prefix("SNOW"), 100)?;
    expect(snow.len() == 5, "5 names begin with SNOW")?;
    let list: Vec<String> = snow.iter().map(|(name, key)| shown(key, name)).collect();
    guide.say(format!("   prefix  SNOW                 {}", list[..3].join(", ")))?;
    guide.say(format!("                                {}", list[3..].join(", ")))?;

    let last = rows(names.iter().rev(), 2)?;
    let list: Vec<&str> = last.iter().map(|(name, _)| name.as_str()).collect();
    expect(list == ["ZOMBIE", "ZNAMENNY PRIZNAK MODIFIER ROG"], "the last two names")?;
    guide.say(format!("   reverse, the last two        {}\n", list.join(", ")))
}

/// Step 4: a snapshot goes on seeing what later writes change.
pub(super) fn hold_still(db: &Db, guide: &mut Guide<'_>) -> Result<()> {
    guide.step("4. Hold a moment still")?;
    let names = db.keyspace("names")?;
    let snapshot = db.snapshot();
    let cats = rows(names.prefix("CAT "), 100)?;
    expect(!cats.is_empty(), "there are cats")?;
    let mut batch = db.batch();
    for (name, _) in &cats {
        batch.remove(&names, name);
    }
    batch.commit()?;
    db.flush()?;
    db.compact()?;
    let (now, then) = (rows(names.prefix("CAT "), 100)?, rows(snapshot.prefix(&names, "CAT "), 100)?);
    expect(now.is_empty(), "removed names are gone")?;
    expect(then == cats, "the snapshot sees them still")?;
    guide.say(format!("   took a snapshot, removed {}, flushed and compacted", counted(cats.len() as u64, "cat")))?;
    guide.say(format!("   cats now: {}; cats in the snapshot: {}\n", now.len(), then.len()))?;
    guide.found("cats_removed", cats.len());
    Ok(())
}

/// After the kills: what steps 1 to 4 left is untouched.
pub(super) fn still_there(db: &Db) -> Result<()> {
    for (name, expected) in
        [("characters", &mut data::characters() as &mut dyn Iterator<Item = data::Row>), ("notes", &mut data::notes())]
    {
        let mut found = db.keyspace(name)?.iter();
        for row in expected {
            let stored = found.next().transpose()?.map(|(key, value)| (text(&key), text(&value)));
            expect(stored.as_ref() == Some(&row), "what was imported is there, row by row")?;
        }
        expect(found.next().is_none(), "nothing else is there")?;
    }
    expect(db.keyspace("names")?.prefix("CAT ").next().is_none(), "removed names stay gone")
}

/// Fails the tour if a promise is not kept; `promise` says which.
pub(super) fn expect(kept: bool, promise: &str) -> Result<()> {
    if kept { Ok(()) } else { Err(Failure::Broken { message: format!("not as promised: {promise}") }) }
}

fn demand(value: Option<Slice>, what: &str) -> Result<Slice> {
    value.ok_or_else(|| Failure::Broken { message: format!("not as promised: {what} is there") })
}

fn rows(rows: impl Iterator<Item = <Iter as Iterator>::Item>, limit: usize) -> Result<Vec<data::Row>> {
    rows.take(limit).map(|row| row.map(|(key, value)| (text(&key), text(&value))).map_err(Failure::from)).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A character beside its name.
fn shown(key: &str, name: &str) -> String {
    data::character(key).map_or_else(|| name.to_owned(), |character| format!("{character} {name}"))
}
