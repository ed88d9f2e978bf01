use sedimentdb::{Db, KeyspaceOptions};

pub(super) fn example(db: &Db) -> sedimentdb::Result<()> {
    let visits = db.keyspace_with("visits", KeyspaceOptions { merge_operator: Some("add".into()), ..Default::default() })?;
    visits.merge("2026-01-07/home", 1_i64.to_le_bytes())?; // reads nothing
    visits.remove_range(.."2026-01-01")?; // one write, however many keys
    let mut ingest = visits.ingest()?;
    for day in 1..=9 {
        ingest.insert(format!("2026-02-0{day}/home"), 0_i64.to_le_bytes())?;
    }
    ingest.finish() // seen all at once
}
