use sedimentdb::{Db, Durability};

pub(super) fn example(path: &std::path::Path) -> sedimentdb::Result<()> {
    let db = Db::open(path)?;
    let users = db.keyspace("users")?;
    let emails = db.keyspace("emails")?;

    let mut batch = db.batch(); // all of it or none of it, across keyspaces
    batch.insert(&users, "u17", "Ada").insert(&emails, "ada@example.org", "u17");
    batch.durability(Durability::Sync).commit()?; // on disk when this returns

    let before = db.snapshot();
    users.insert("u17", "Ada Lovelace")?;
    assert_eq!(users.get("u17")?.as_deref(), Some("Ada Lovelace".as_bytes()));
    assert_eq!(before.get(&users, "u17")?.as_deref(), Some("Ada".as_bytes()));

    for row in users.prefix("u").rev() {
        let (key, value) = row?;
        println!("{} = {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value));
    }
    db.close()
}
