//! What is too long says how long it may be.

use crate::disks::{open, rows};
use sediment_env::MemFs;
use sedimentdb::ErrorKind;

#[test]
fn each_limit_is_told() {
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    let told = |result: sedimentdb::Result<()>, limit: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(limit), "{error}");
    };
    told(a.insert("", "x"), "1 to 65535");
    told(a.remove(""), "1 to 65535");
    told(a.insert(vec![1; 65_536], "x"), "65535");
    told(a.insert("x", vec![1; (64 << 20) + 1]), "67108864");
    told(db.keyspace("").map(drop), "1 to 255");
    told(db.keyspace(&"n".repeat(256)).map(drop), "1 to 255");
    assert_eq!(a.get("").unwrap(), None);
    a.insert(vec![1; 65_535], "").unwrap();
    db.keyspace(&"n".repeat(255)).unwrap();
    db.flush().unwrap();
    assert_eq!(rows(a.iter()).len(), 1);
}
