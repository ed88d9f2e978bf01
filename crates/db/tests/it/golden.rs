//! Databases of the first format open for ever, and the same calls still write the same bytes.
//!
//! `testdata/format/v1/killed` is what a killed process left, `closed` what followed it and was closed. `REWRITE=1` writes them
//! anew: only ever right for a format that no release has written.

use crate::disks::{DIR, small};
use sediment_env::{Env, Fs, MemFs};
use sedimentdb::{Create, Db, Durability, Result, dump_file};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

type Files = BTreeMap<PathBuf, Vec<u8>>;
type Rows = Vec<(String, String)>;

const FORMAT_1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/format/v1");

#[test]
fn format_1_is_read_and_written_as_it_always_was() {
    let killed = written(None, 1, write_killed);
    let closed = written(Some(&killed), 2, write_closed);
    for (name, written, rows) in [("killed", killed, rows_killed()), ("closed", closed, rows_closed())] {
        let golden = Path::new(FORMAT_1).join(name);
        if std::env::var_os("REWRITE").is_some() {
            store(&golden, &written);
        }
        let files = load(&golden, &golden);
        assert_eq!(read(&files), rows, "{name}");
        assert_eq!(files.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>(), "{name}: other files");
        for (path, bytes) in files {
            assert!(written[&path] == bytes, "{name}: {} is written with other bytes than it was", path.display());
        }
    }
}

#[test]
fn every_file_of_format_1_prints() {
    for (path, bytes) in load(Path::new(FORMAT_1), Path::new(FORMAT_1)) {
        let mut text = String::new();
        match bytes.is_empty() {
            true => assert!(path.ends_with("LOCK")),
            false => dump_file(Path::new(FORMAT_1).join(&path), &mut text).unwrap(),
        }
        assert!(!text.contains("damage"), "{}: {text}", path.display());
    }
}

/// Two keyspaces and one that was dropped; one compacted, one cleared; more in the log than in tables.
fn write_killed(db: &Db) -> Result<()> {
    let users = db.create_keyspace("users")?;
    let mails = db.create_keyspace("mails")?;
    for i in 0..12 {
        users.insert(format!("user-{i:02}"), format!("name {i}"))?;
    }
    db.flush()?;
    users.remove("user-03")?;
    users.insert("user-04", "another name")?;
    mails.insert("mail", "never read")?;
    db.compact()?;
    mails.clear()?;
    mails.insert("large", "x".repeat(1500))?;
    db.flush()?;
    db.create_keyspace("gone")?.insert("with", "it")?;
    db.drop_keyspace("gone")?;
    let mut batch = db.batch().durability(Durability::Sync);
    batch.insert(&users, "user-05", "in a batch").remove(&users, "user-06").insert(&mails, "empty", "");
    batch.commit()
}

fn rows_killed() -> BTreeMap<String, Rows> {
    let changed = [(4, Some("another name")), (5, Some("in a batch")), (3, None), (6, None)];
    let user = |i: usize| {
        let name = changed
            .iter()
            .find(|(changed, _)| *changed == i)
            .map_or(Some(format!("name {i}")), |(_, name)| name.map(Into::into));
        name.map(|name| (format!("user-{i:02}"), name))
    };
    let mails = vec![("empty".into(), String::new()), ("large".into(), "x".repeat(1500))];
    BTreeMap::from([("users".into(), (0..12).filter_map(user).collect()), ("mails".into(), mails)])
}

fn write_closed(db: &Db) -> Result<()> {
    db.keyspace("mails")?.insert("last", "words")?;
    db.clone().close()
}

fn rows_closed() -> BTreeMap<String, Rows> {
    let mut rows = rows_killed();
    rows.entry("mails".into()).or_default().push(("last".into(), "words".into()));
    rows
}

/// The files after these calls on a new database, or on these files.
fn written(before: Option<&Files>, seed: u64, write: fn(&Db) -> Result<()>) -> Files {
    let disk = before.map_or_else(MemFs::new, disk_of);
    let create = if before.is_some() { Create::MustExist } else { Create::New };
    let db = Db::builder(DIR).options(small()).create(create).env(Env::simulated(disk.clone(), seed)).open();
    write(&db.expect("a sound disk")).expect("a sound disk");
    let inside = |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(Path::new("/").join(DIR)).unwrap().into(), bytes);
    disk.tree().into_iter().map(inside).collect()
}

/// All that is in a database which consists of these files.
fn read(files: &Files) -> BTreeMap<String, Rows> {
    let db = Db::builder(DIR).read_only(true).env(Env::simulated(disk_of(files), 3)).open().expect("format 1 opens");
    assert!(db.verify().expect("it can be read").faults.is_empty());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let rows = |name: &String| {
        let keyspace = db.open_keyspace(name).unwrap().expect("it is named");
        keyspace.iter().map(|row| row.map(|(key, value)| (text(&key), text(&value))).unwrap()).collect()
    };
    db.keyspace_names().into_iter().map(|name| (name.clone(), rows(&name))).collect()
}

fn disk_of(files: &Files) -> MemFs {
    let disk = MemFs::new();
    for (path, bytes) in files {
        let path = Path::new("/").join(DIR).join(path);
        let mut dirs: Vec<&Path> = path.ancestors().skip(1).take_while(|dir| dir.parent().is_some()).collect();
        dirs.reverse();
        for dir in dirs {
            if !disk.exists(dir).unwrap() {
                disk.create_dir(dir).unwrap();
            }
        }
        disk.create(&path).unwrap().write_at(0, bytes).unwrap();
    }
    disk
}

fn load(root: &Path, dir: &Path) -> Files {
    let mut files = Files::new();
    for entry in fs::read_dir(dir).expect("the golden files are there") {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(load(root, &path)),
            false => drop(files.insert(path.strip_prefix(root).unwrap().into(), fs::read(&path).unwrap())),
        }
    }
    files
}

fn store(root: &Path, files: &Files) {
    let _ = fs::remove_dir_all(root);
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
