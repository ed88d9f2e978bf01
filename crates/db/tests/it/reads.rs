//! Reads beyond one key and one scan: several keys at once, cursors, scans in parts.

use crate::disks::{eventually_by, list, open, rows};
use sediment_env::MemFs;
use sedimentdb::{Cursor, Direction, ErrorKind, Keys, Keyspace, ScanLimits, ScanPart, Snapshot};

const TWO: ScanLimits = ScanLimits { rows: 2, bytes: u64::MAX, steps: u64::MAX };

fn filled(keyspace: &Keyspace) {
    for key in ["a", "b", "c", "d", "e"] {
        keyspace.insert(key, "1").unwrap();
    }
}

fn part(keyspace: &Keyspace) -> ScanPart {
    keyspace.scan_part::<&str, _>(.., Direction::Forward, TWO).unwrap()
}

fn part_of(snapshot: &Snapshot, keyspace: &Keyspace) -> ScanPart {
    snapshot.scan_part::<&str, _>(keyspace, .., Direction::Forward, TWO).unwrap()
}

/// Takes all rows of a part, and what it leaves.
fn taken(mut part: ScanPart) -> (Vec<String>, Option<Vec<u8>>) {
    let taken = rows(part.by_ref());
    (taken, part.token())
}

/// Nobody but a scan came by, and scans begin under a pin, where nothing is let go of: the files stayed until the next write.
#[test]
fn whatever_begins_a_scan_lets_go_of_what_compactions_left_for_a_reader() {
    type Begin = fn(&Keyspace);
    let scan: Begin = |keyspace| drop(keyspace.iter());
    let cursor: Begin = |keyspace| drop(keyspace.cursor());
    let in_parts: Begin = |keyspace| drop(part(keyspace));
    for (name, begin) in [("scan", scan), ("cursor", cursor), ("part", in_parts)] {
        let disk = MemFs::new();
        let db = open(&disk);
        let a = db.create_keyspace("a").unwrap();
        filled(&a);
        db.flush().unwrap();
        filled(&a);
        let reader = sediment_raw::epoch::pin();
        db.compact().unwrap();
        assert!(list(&disk, "trees/1/tables").len() > 1, "{name}: the reader has them");
        drop(reader);
        assert!(eventually_by(|| begin(&a), || list(&disk, "trees/1/tables").len() == 1), "{name}");
    }
}

#[test]
fn a_token_survives_the_process() {
    let disk = MemFs::new();
    let token = {
        let db = open(&disk);
        let a = db.keyspace("a").unwrap();
        filled(&a);
        let (first, token) = taken(part(&a));
        assert_eq!(first, ["a=1", "b=1"]);
        db.close().unwrap();
        token.unwrap()
    };
    let db = open(&disk);
    let a = db.keyspace("a").unwrap();
    a.remove("c").unwrap();
    a.insert("a", "2").unwrap();
    let (second, token) = taken(a.next_part(token, TWO).unwrap());
    assert_eq!(second, ["d=1", "e=1"], "the present, behind what was seen");
    let (third, token) = taken(a.next_part(token.unwrap(), TWO).unwrap());
    assert_eq!((third.len(), token), (0, None));
}

#[test]
fn a_token_is_good_for_its_keyspace_alone() {
    let db = open(&MemFs::new());
    let (a, b) = (db.keyspace("a").unwrap(), db.keyspace("b").unwrap());
    filled(&a);
    filled(&b);
    let token = part(&a).token().unwrap();
    let refused = |keyspace: &Keyspace, token: &[u8]| keyspace.next_part(token, TWO).unwrap_err().kind();
    assert_eq!(refused(&b, &token), ErrorKind::InvalidInput);
    assert_eq!(refused(&a, b"no token"), ErrorKind::InvalidInput);
    assert_eq!(refused(&a, b""), ErrorKind::InvalidInput);
    // The same name is another keyspace.
    db.drop_keyspace("a").unwrap();
    assert_eq!(refused(&db.keyspace("a").unwrap(), &token), ErrorKind::InvalidInput);
    let mut other = sedimentdb::Options::default();
    other.expert.background_threads = Some(0);
    let env = sedimentdb::Env::simulated(MemFs::new(), 99);
    let elsewhere = sedimentdb::Db::builder("elsewhere").options(other).env(env).open().unwrap();
    let token = part(&b).token().unwrap();
    let (_, same_number) = (elsewhere.keyspace("a").unwrap(), elsewhere.keyspace("b").unwrap());
    assert_eq!(refused(&same_number, &token), ErrorKind::InvalidInput);
}

#[test]
fn a_scan_of_a_snapshot_goes_on_at_its_moment_or_not_at_all() {
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    filled(&a);
    let snapshot = db.snapshot();
    let (first, token) = taken(part_of(&snapshot, &a));
    let token = token.unwrap();
    a.clear().unwrap();
    a.insert("c", "2").unwrap();
    db.flush().unwrap();
    db.compact().unwrap();
    let (second, _) = taken(snapshot.clone().next_part(&a, &token, TWO).unwrap());
    assert_eq!((first, second), (vec!["a=1".to_owned(), "b=1".to_owned()], vec!["c=1".to_owned(), "d=1".to_owned()]));
    for refused in [a.next_part(&token, TWO), db.snapshot().next_part(&a, &token, TWO)] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let token = part(&a).token().unwrap();
    assert_eq!(snapshot.next_part(&a, token, TWO).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_snapshot_of_before_a_keyspace_sees_nothing_in_it() {
    let db = open(&MemFs::new());
    let before = db.snapshot();
    let a = db.keyspace("a").unwrap();
    filled(&a);
    assert_eq!(before.multi_get(&a, ["a", "b"]).unwrap(), [None, None]);
    assert_eq!((before.size_of(&a, "a").unwrap(), before.len(&a).unwrap()), (None, 0));
    let mut cursor = before.cursor(&a);
    assert!(!cursor.next().unwrap() && !cursor.seek("a").unwrap() && !cursor.seek_to_last().unwrap());
    assert_eq!(taken(part_of(&before, &a)), (Vec::new(), None));
}

#[test]
fn several_keys_are_of_one_moment_while_a_writer_goes_on() {
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    let write = |round: u32| {
        let mut batch = db.batch();
        for key in ["x", "y", "z"] {
            batch.insert(&a, key, round.to_string());
        }
        batch.commit().unwrap();
    };
    write(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..400 {
                write(round);
                if round % 100 == 0 {
                    db.flush().unwrap();
                }
            }
        });
        for _ in 0..400 {
            let found = a.multi_get(["z", "x", "y"]).unwrap();
            assert!(found[0].is_some() && found[0] == found[1] && found[1] == found[2], "{found:?}");
        }
    });
}

#[test]
fn handles_of_another_database_and_closed_ones_are_refused() {
    let (db, other) = (open(&MemFs::new()), open(&MemFs::new()));
    let (a, foreign) = (db.keyspace("a").unwrap(), other.keyspace("a").unwrap());
    let snapshot = db.snapshot();
    let kinds = |error: [sedimentdb::Error; 4]| error.map(|error| error.kind());
    let refused = kinds([
        snapshot.multi_get(&foreign, ["a"]).unwrap_err(),
        snapshot.size_of(&foreign, "a").unwrap_err(),
        snapshot.cursor(&foreign).next().unwrap_err(),
        snapshot.scan_part::<&str, _>(&foreign, .., Direction::Forward, TWO).unwrap_err(),
    ]);
    assert_eq!(refused, [ErrorKind::InvalidInput; 4]);
    db.drop_keyspace("a").unwrap();
    let closed = || {
        kinds([
            a.multi_get(["a"]).unwrap_err(),
            a.approximate_bytes::<&str, _>(..).unwrap_err(),
            a.cursor().seek_to_first().unwrap_err(),
            a.scan_part::<&str, _>(.., Direction::Forward, TWO).unwrap_err(),
        ])
    };
    assert_eq!(closed(), [ErrorKind::Closed; 4], "it was dropped");
    assert!(snapshot.is_empty(&a).unwrap(), "a snapshot still sees it");
    db.close().unwrap();
    assert_eq!(closed(), [ErrorKind::Closed; 4]);
}

#[test]
fn cursors_and_parts_outlive_the_database() {
    fn is_free<T: Send + 'static>(_: &T) {}
    let db = open(&MemFs::new());
    let a = db.keyspace("a").unwrap();
    filled(&a);
    db.flush().unwrap();
    let (mut cursor, part, keys): (Cursor, ScanPart, Keys) = (a.cursor(), part(&a), a.iter().keys());
    is_free(&cursor);
    is_free(&part);
    is_free(&keys);
    drop((a, db));
    let walk = move || {
        assert!(cursor.seek_back("bb").unwrap());
        (cursor.key().map(<[u8]>::to_vec), taken(part).0, keys.map(Result::unwrap).count())
    };
    let walked = std::thread::scope(|scope| scope.spawn(walk).join());
    assert_eq!(walked.unwrap(), (Some(b"b".to_vec()), vec!["a=1".to_owned(), "b=1".to_owned()], 5));
}
