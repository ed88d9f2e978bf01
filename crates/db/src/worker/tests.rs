use crate::{Db, ExpertOptions, Options};
use sediment_env::{Env, fs::MemFs};

/// A keyspace that is seldom written must not hold the log back, and moving it out of the way must not wait for itself.
#[test]
fn an_idle_keyspace_is_flushed_when_it_holds_up_the_log() {
    let expert = ExpertOptions {
        background_threads: Some(0),
        wal_file_bytes: 4096,
        memtable_bytes: Some(1 << 20),
        ..ExpertOptions::default()
    };
    let options = Options { expert, ..Options::default() };
    let db = Db::builder("/db").options(options).env(Env::simulated(MemFs::new(), 1)).open().expect("a fresh disk");
    let (idle, busy) = (db.keyspace("idle").expect("made"), db.keyspace("busy").expect("made"));
    idle.insert("k", "v").expect("written");
    for i in 0..400 {
        busy.insert(format!("{i:04}"), [0; 100]).expect("written");
    }
    assert!(db.stats().wal_files <= 5, "{:?}", db.stats());
    assert_eq!(idle.get("k").expect("read").as_deref(), Some(&b"v"[..]));
}
