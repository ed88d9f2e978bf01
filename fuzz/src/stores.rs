//! A small tree and a small database made by the real writers, with one file replaced or one record added, and everything one
//! can ask of them.

use crate::DB_UUID;
use sediment_base::{ErrorKind, SeqNo, filename::CURRENT};
use sediment_codec::{
    checksum::crc64,
    coding::Writer,
    current::Current,
    frame::{Fragment, Record, RecordReader, RecordWriter, Step, payload_crc},
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use sediment_env::{Env, MemFs};
use sediment_table::BlockCache;
use sediment_tree::{CompactionContext, FlushContext, Retention, Tree, TreeOptions};
use sedimentdb::{Create, Db, ExpertOptions, Goal, KeyspaceOptions, Options};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The files of a disk.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

const DIR: &str = "/store";

/// A tree with two levels and a flush more than its last snapshot.
pub fn sample_tree() -> Files {
    let disk = MemFs::new();
    let env = Env::simulated(disk.clone(), 1);
    let tree = Tree::create(&env, Path::new(DIR), DB_UUID, tree_options()).expect("an empty disk");
    for round in 0..3 {
        for i in 0..20_u64 {
            let key = format!("key-{i:02}");
            let seqno = round * 100 + i + 1;
            match (i + round) % 4 {
                0 => tree.remove(key.as_bytes(), seqno),
                _ => tree.insert(key.as_bytes(), &[round as u8; 20], seqno),
            }
            .expect("a sound disk");
        }
        flush(&tree, round * 100 + 99).expect("a sound disk");
        if round == 1 {
            compact(&tree).expect("a sound disk");
        }
    }
    drop(tree);
    disk.tree()
}

/// A database as a killed process leaves it: three keyspaces, one of them flushed, two with settings, a fourth one dropped; a log
/// with more.
pub fn sample_database() -> Files {
    let disk = MemFs::new();
    let db = open_database(&disk, Create::New).expect("an empty disk");
    let write = || {
        let users = db.keyspace("users")?;
        let settings = KeyspaceOptions { goal: Some(Goal::Space), block_bytes: Some(512), ..KeyspaceOptions::default() };
        let mails = db.keyspace_with("mails", settings.clone())?;
        db.keyspace("later")?.set_options(KeyspaceOptions { level_ratio: Some(5), ..settings })?;
        for i in 0..20 {
            users.insert(format!("user-{i:02}"), [i; 20])?;
        }
        db.flush()?;
        let mut batch = db.batch();
        batch.insert(&users, "user-03", "changed").remove(&users, "user-04").insert(&mails, "mail", "text");
        batch.commit()?;
        mails.clear()?;
        mails.insert("after", "clear")?;
        db.keyspace("gone")?.insert("a", "b")?;
        db.drop_keyspace("gone").map(drop)
    };
    write().expect("a sound disk");
    drop(db);
    disk.tree()
}

/// The path of the newest file of a kind.
pub fn path_of(files: &Files, kind: FileKind) -> PathBuf {
    let is_kind = |bytes: &Vec<u8>| FileHeader::decode(bytes).is_ok_and(|header| header.kind == kind);
    let newest = files.iter().filter(|(_, bytes)| is_kind(bytes));
    let newest = newest.max_by_key(|(_, bytes)| FileHeader::decode(bytes).map_or(0, |header| header.file_id));
    newest.expect("the sample has one").0.clone()
}

/// The files with one of them replaced.
pub fn with_file(mut files: Files, kind: FileKind, bytes: &[u8]) -> Files {
    files.insert(path_of(&files, kind), bytes.to_vec());
    files
}

/// The tree with an edit of these fields behind its last.
pub fn with_edit(files: Files, fields: &[u8]) -> Files {
    const EDIT_RECORD: u8 = 2;
    let mut bytes = files[&path_of(&files, FileKind::Manifest)].clone();
    let (header, mut writer, _) = end_of(&bytes);
    let bound = crc64(crc64(crc64(0, &header.uuid.0), &[EDIT_RECORD]), &writer.offset().to_le_bytes());
    let mut payload = fields.to_vec();
    payload.put_u64(crc64(bound, fields));
    let record = Record { kind: EDIT_RECORD, count: 1, synced_upto: writer.offset(), ..Record::default() };
    append(&mut writer, &record, &payload, &mut bytes);
    with_file(files, FileKind::Manifest, &bytes)
}

/// The database with one more record in its log. The first four bytes are kind, fragment, count and keyspace, the rest the
/// payload.
pub fn with_log_record(files: Files, input: &[u8]) -> Files {
    let Some((&[kind, fragment, count, keyspace], payload)) = input.split_first_chunk::<4>() else { return files };
    let mut bytes = files[&path_of(&files, FileKind::Wal)].clone();
    let (_, mut writer, last) = end_of(&bytes);
    let fragment = [Fragment::Whole, Fragment::First, Fragment::Middle, Fragment::Last][usize::from(fragment % 4)];
    let record = Record {
        kind,
        fragment,
        keyspace: keyspace.into(),
        count: count.into(),
        seqno: last.seqno + u64::from(last.count),
        synced_upto: HEADER_BYTES as u64,
    };
    append(&mut writer, &record, payload, &mut bytes);
    with_file(files, FileKind::Wal, &bytes)
}

/// The database with a catalog of this content, named by `CURRENT`.
pub fn with_catalog(mut files: Files, payload: &[u8]) -> Files {
    let path = path_of(&files, FileKind::Catalog);
    let (header, _, last) = end_of(&files[&path]);
    let mut bytes = header.encode().to_vec();
    append(&mut RecordWriter::new(header.uuid, 0, HEADER_BYTES as u64), &last, payload, &mut bytes);
    files.insert(path, bytes);
    let path = Path::new(DIR).join(CURRENT);
    let (own, current) = Current::decode(&files[&path], FileKind::Catalog).expect("a sound database");
    let current = Current { root: payload_crc(payload).into(), ..current };
    files.insert(path, current.encode(own.db_uuid, own.uuid));
    files
}

/// The payload of the last record of the newest file of a kind.
pub fn last_payload(files: &Files, kind: FileKind) -> Vec<u8> {
    let bytes = &files[&path_of(files, kind)];
    let header = FileHeader::decode(bytes).expect("a sound file");
    let mut reader = RecordReader::new(header.uuid, epoch(&header), bytes, HEADER_BYTES as u64);
    let mut last = Vec::new();
    while let Step::Record { payload, .. } = reader.next() {
        last = payload.to_vec();
    }
    last
}

/// Opens a tree and asks it everything; then writes to it, and what was written must be there when it is opened again.
pub fn exercise_tree(files: &Files) {
    let disk = crate::disk(files);
    let env = Env::simulated(disk.clone(), 2);
    for path in files.keys() {
        let _ = sediment_tree::dump_manifest(&disk, path, &mut String::new());
        let _ = sediment_tree::dump_current(&disk, path, &mut String::new());
    }
    let Ok(tree) = Tree::open(&env, Path::new(DIR), tree_options()) else { return };
    let _ = (tree.verify(), tree.stats(), tree.mark(), tree.manifest_position(), tree.pick_compaction(0));
    let seqno = tree.highest_seqno().unwrap_or(0).max(tree.mark().unwrap_or(0));
    for read_seqno in [0, 50, seqno, SeqNo::MAX] {
        let _ = (tree.get(b"key-03", read_seqno), tree.contains_key(b"key-19", read_seqno));
    }
    let rows = tree.range::<&[u8], _>(.., seqno).take_while(Result::is_ok).count();
    let back = tree.range::<&[u8], _>(.., seqno).rev().take_while(Result::is_ok).count();
    std::hint::black_box(rows + back);
    if seqno >= sediment_base::seqno::SEQNO_MAX - 2 {
        return;
    }
    let written = tree.insert(b"new", b"value", seqno + 1).and_then(|()| flush(&tree, seqno + 1));
    let _ = compact(&tree);
    drop(tree);
    if written.is_ok() {
        let tree = Tree::open(&env, Path::new(DIR), tree_options()).expect("it was open, and a flush succeeded");
        match tree.get(b"new", seqno + 2) {
            // A manifest may claim that a future history is gone already; the tree believes it.
            Err(error) if error.kind() == ErrorKind::HistoryGone => {}
            found => assert_eq!(found.expect("it was just written").as_deref(), Some(&b"value"[..])),
        }
    }
}

/// Opens a database and asks it everything; then writes to it, and what was written must be there when it is opened again.
pub fn exercise_database(files: &Files) {
    let disk = crate::disk(files);
    let Ok(db) = open_database(&disk, Create::MustExist) else { return };
    let _ = (db.verify(), db.stats());
    for name in db.keyspace_names() {
        let Ok(Some(keyspace)) = db.open_keyspace(&name) else { panic!("it is named") };
        let rows = keyspace.iter().take_while(Result::is_ok).count();
        let back = keyspace.iter().rev().take_while(Result::is_ok).count();
        let _ = (rows + back, keyspace.get("user-03"), keyspace.options(), keyspace.effective_options());
    }
    let written = db.keyspace("new").and_then(|new| new.insert("key", "value")).and_then(|()| db.flush());
    let _ = db.compact();
    let closed = db.close();
    if written.is_ok() && closed.is_ok() {
        let db = open_database(&disk, Create::MustExist).expect("it was open, and closed well");
        let new = db.open_keyspace("new").expect("it is open").expect("it was made");
        assert_eq!(new.get("key").expect("it was just written").as_deref(), Some(&b"value"[..]));
    }
}

fn open_database(disk: &MemFs, create: Create) -> sedimentdb::Result<Db> {
    let expert = ExpertOptions { background_threads: Some(0), wal_file_bytes: 1 << 20, ..ExpertOptions::default() };
    let options = Options { create, memory_bytes: 1 << 20, expert, ..Options::default() };
    Db::builder(DIR).options(options).env(Env::simulated(disk.clone(), 3)).open()
}

fn tree_options() -> TreeOptions {
    TreeOptions {
        block_bytes: 512,
        table_bytes: 1 << 10,
        level0_trigger: 2,
        ..TreeOptions::new(Arc::new(BlockCache::new(1 << 20)))
    }
}

fn flush(tree: &Tree, boundary: SeqNo) -> sediment_base::Result<()> {
    tree.seal(boundary);
    let retention = Retention::newest(boundary + 1);
    tree.flush(&FlushContext {
        retention,
        now_us: 1,
        through: SeqNo::MAX,
        covered: None,
        before_publish: &|_| Ok(()),
        on_slice: &|_| ControlFlow::Continue(()),
    })
    .map(drop)
}

fn compact(tree: &Tree) -> sediment_base::Result<()> {
    let horizon = tree.highest_seqno().unwrap_or(0).saturating_add(1);
    tree.compact_all(&CompactionContext {
        retention: Retention::newest(horizon),
        now_us: 1,
        on_slice: &|_| ControlFlow::Continue(()),
        take_stamp: None,
        helpers: None,
    })
    .map(drop)
}

/// The header of a log, a writer for its end, and its last record.
fn end_of(bytes: &[u8]) -> (FileHeader, RecordWriter, Record) {
    let header = FileHeader::decode(bytes).expect("a sound file");
    let mut reader = RecordReader::new(header.uuid, epoch(&header), bytes, HEADER_BYTES as u64);
    let mut last = Record::default();
    while let Step::Record { record, .. } = reader.next() {
        last = record;
    }
    (header, reader.writer(), last)
}

fn epoch(header: &FileHeader) -> u32 {
    if header.kind == FileKind::Wal { header.generation.0 as u32 } else { 0 }
}

fn append(writer: &mut RecordWriter, record: &Record, payload: &[u8], bytes: &mut Vec<u8>) {
    bytes.truncate(writer.offset() as usize);
    writer.append(record, payload, payload_crc(payload), bytes).expect("not too long");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_sound_and_take_more() {
        let tree = sample_tree();
        exercise_tree(&tree);
        exercise_tree(&with_edit(tree.clone(), b""));
        let database = sample_database();
        exercise_database(&database);
        assert!(with_catalog(database.clone(), &last_payload(&database, FileKind::Catalog)) == database);
        exercise_database(&with_log_record(database, b"\x01\0\x01\0\0\x01\x01a\x01b"));
    }
}
