//! Every file that we write can be printed.

use sedimentdb::{Db, dump_file};
use std::path::Path;

#[test]
fn every_file_of_a_database_prints() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(dir.path()).unwrap();
    let a = db.keyspace("a").unwrap();
    a.insert("flushed", "1").unwrap();
    db.flush().unwrap();
    a.insert("logged", "2").unwrap();
    a.clear().unwrap();
    db.close().unwrap();
    let mut printed = Vec::new();
    print_all(dir.path(), &mut printed);
    let all = printed.concat();
    for wanted in ["CURRENT of database", "keyspace 1 \"a\"", "\"logged\" = \"2\"", "Clear", "Anchor", "End"] {
        assert!(all.contains(wanted), "{wanted} in {all}");
    }
    assert!(printed.len() >= 5, "{}", printed.len());
    let foreign = dir.path().join("foreign");
    std::fs::write(&foreign, "hello").unwrap();
    assert!(dump_file(&foreign, &mut String::new()).is_err());
}

fn print_all(dir: &Path, printed: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            print_all(&path, printed);
        } else if !path.ends_with("LOCK") {
            let mut text = String::new();
            dump_file(&path, &mut text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!text.is_empty(), "{}", path.display());
            printed.push(text);
        }
    }
}
