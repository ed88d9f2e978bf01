//! One suite, run by every file system.

use sediment_base::ErrorKind;
use sediment_env::{
    FaultFs, Fs, MemFs, StdFs, atomic_file,
    fs::{is_already_exists, is_not_found},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

fn everywhere(promise: impl Fn(&dyn Fs, &Path)) {
    let dir = tempfile::tempdir().expect("the system has a temporary directory");
    promise(&StdFs, dir.path());
    let mem = MemFs::new();
    mem.create_dir(Path::new("/db")).expect("an empty disk has room");
    promise(&mem, Path::new("/db"));
    mem.record();
    mem.create_dir(Path::new("/recorded")).expect("the name is free");
    promise(&mem, Path::new("/recorded"));
    mem.create_dir(Path::new("/wrapped")).expect("the name is free");
    let faulty = FaultFs::new(Arc::new(mem));
    promise(&faulty, Path::new("/wrapped"));
    assert!(faulty.calls() > 0 && faulty.injected().is_empty());
}

fn write(fs: &dyn Fs, path: &Path, bytes: &[u8]) {
    fs.create(path).expect("the name is free").write_at(0, bytes).expect("nothing fails here");
}

fn read(fs: &dyn Fs, path: &Path) -> Vec<u8> {
    let file = fs.open(path).expect("it was written");
    let mut bytes = vec![0; file.len().expect("it is open") as usize];
    file.read_exact_at(0, &mut bytes).expect("it is that long");
    bytes
}

fn names(fs: &dyn Fs, dir: &Path) -> Vec<String> {
    fs.read_dir(dir).expect("it exists").into_iter().map(|entry| entry.name).collect()
}

#[test]
fn bytes_are_where_they_were_written() {
    everywhere(|fs, dir| {
        let file = fs.create(&dir.join("a")).expect("the name is free");
        file.write_at(0, b"sediment").expect("nothing fails here");
        file.write_at(10, b"!").expect("nothing fails here");
        file.write_at(3, b"IM").expect("nothing fails here");
        assert_eq!(read(fs, &dir.join("a")), b"sedIMent\0\0!");
        file.set_len(4).expect("nothing fails here");
        file.set_len(6).expect("nothing fails here");
        assert_eq!(read(fs, file.path()), b"sedI\0\0");
        file.sync_data().and_then(|()| file.sync_all()).expect("nothing fails here");
        assert!(!file.is_empty().expect("it is open"));
    });
}

#[test]
fn reading_past_the_end_says_so() {
    everywhere(|fs, dir| {
        write(fs, &dir.join("a"), b"abc");
        let file = fs.open(&dir.join("a")).expect("it was written");
        let mut buf = [9; 4];
        assert_eq!(file.read_at(1, &mut buf).expect("nothing fails here"), 2);
        assert_eq!(buf, [b'b', b'c', 9, 9]);
        assert_eq!(file.read_at(3, &mut buf).expect("nothing fails here"), 0);
        assert_eq!(file.read_at(1 << 40, &mut buf).expect("nothing fails here"), 0);
        let error = file.read_exact_at(1, &mut buf).expect_err("two bytes are missing");
        let place = error.location().expect("it names its place");
        assert_eq!((error.kind(), place.offset, place.file), (ErrorKind::Corruption, Some(3), dir.join("a")));
    });
}

#[test]
fn names_are_taken_once_and_missing_ones_are_told_apart() {
    everywhere(|fs, dir| {
        let path = dir.join("a");
        assert!(fs.open(&path).is_err_and(|e| is_not_found(&e)));
        assert!(fs.remove_file(&path).is_err_and(|e| is_not_found(&e)));
        assert!(fs.rename(&path, &dir.join("b")).is_err_and(|e| is_not_found(&e)));
        assert!(fs.create(&dir.join("none/a")).is_err_and(|e| is_not_found(&e)));
        assert!(fs.read_dir(&path).is_err_and(|e| is_not_found(&e)));
        assert!(fs.sync_dir(&path).is_err_and(|e| is_not_found(&e)));
        assert!(!fs.exists(&path).expect("the directory is there"));
        write(fs, &path, b"first");
        assert!(fs.create(&path).is_err_and(|e| is_already_exists(&e)));
        assert!(fs.create_log(&path, 4096).is_err_and(|e| is_already_exists(&e)));
        assert!(fs.create_dir(&path).is_err_and(|e| is_already_exists(&e)));
        assert!(fs.exists(&path).expect("the directory is there"));
        assert_eq!(read(fs, &path), b"first");
    });
}

#[test]
fn directories_list_in_order_and_go_only_when_empty() {
    everywhere(|fs, dir| {
        fs.create_dir(&dir.join("d")).expect("the name is free");
        write(fs, &dir.join("d/z"), b"12");
        write(fs, &dir.join("d/a"), b"");
        fs.create_dir(&dir.join("d/m")).expect("the name is free");
        let entries = fs.read_dir(&dir.join("d")).expect("it exists");
        let seen: Vec<_> = entries.iter().map(|entry| (&*entry.name, entry.is_dir, entry.len)).collect();
        assert_eq!(seen, [("a", false, 0), ("m", true, 0), ("z", false, 2)]);
        assert!(fs.remove_dir(&dir.join("d")).is_err() && fs.remove_file(&dir.join("d/m")).is_err());
        assert!(fs.remove_dir(&dir.join("d/a")).is_err() && fs.read_dir(&dir.join("d/a")).is_err());
        fs.remove_dir(&dir.join("d/m")).expect("it is empty");
        assert_eq!(names(fs, &dir.join("d")), ["a", "z"]);
        fs.sync_dir(&dir.join("d")).expect("nothing fails here");
    });
}

#[test]
fn rename_replaces_files_and_moves_directories() {
    everywhere(|fs, dir| {
        write(fs, &dir.join("a"), b"new");
        write(fs, &dir.join("b"), b"old");
        let old = fs.open(&dir.join("b")).expect("it was written");
        fs.rename(&dir.join("a"), &dir.join("b")).expect("both are files");
        assert_eq!((read(fs, &dir.join("b")), names(fs, dir)), (b"new".to_vec(), vec!["b".to_string()]));
        let mut bytes = [0; 3];
        old.read_exact_at(0, &mut bytes).expect("an open handle keeps the bytes");
        assert_eq!(&bytes, b"old");
        fs.create_dir(&dir.join("d")).expect("the name is free");
        write(fs, &dir.join("d/x"), b"x");
        assert!(fs.rename(&dir.join("b"), &dir.join("d")).is_err(), "a file does not replace a directory");
        fs.rename(&dir.join("d"), &dir.join("e")).expect("the name is free");
        assert_eq!(read(fs, &dir.join("e/x")), b"x");
        fs.create_dir(&dir.join("f")).expect("the name is free");
        assert!(fs.rename(&dir.join("f"), &dir.join("e")).is_err(), "a full directory is not replaced");
        fs.rename(&dir.join("e/x"), &dir.join("f/y")).expect("the name is free");
        assert_eq!((names(fs, &dir.join("e")), names(fs, &dir.join("f"))), (vec![], vec!["y".to_string()]));
    });
}

#[test]
fn hard_links_share_bytes_and_outlive_each_other() {
    everywhere(|fs, dir| {
        write(fs, &dir.join("a"), b"shared");
        fs.hard_link(&dir.join("a"), &dir.join("b")).expect("the name is free");
        assert!(fs.hard_link(&dir.join("a"), &dir.join("b")).is_err_and(|e| is_already_exists(&e)));
        assert!(fs.hard_link(&dir.join("none"), &dir.join("c")).is_err_and(|e| is_not_found(&e)));
        fs.remove_file(&dir.join("a")).expect("it is there");
        assert_eq!(read(fs, &dir.join("b")), b"shared");
    });
}

#[test]
fn a_removed_file_lives_until_its_last_handle() {
    everywhere(|fs, dir| {
        let path = dir.join("a");
        let file = fs.create(&path).expect("the name is free");
        file.write_at(0, b"kept").expect("nothing fails here");
        fs.remove_file(&path).expect("it is there");
        write(fs, &path, b"another");
        file.write_at(4, b" on").expect("nothing fails here");
        file.sync_all().expect("nothing fails here");
        let mut bytes = [0; 7];
        file.read_exact_at(0, &mut bytes).expect("the handle keeps the bytes");
        assert_eq!((&bytes, read(fs, &path)), (b"kept on", b"another".to_vec()));
    });
}

#[test]
fn logs_are_read_back_as_files() {
    everywhere(|fs, dir| {
        let log = fs.create_log(&dir.join("1"), 1 << 20).expect("the name is free");
        log.write_at(0, b"one").expect("nothing fails here");
        log.write_at(3, b"two").expect("nothing fails here");
        log.sync().expect("nothing fails here");
        let bytes = read(fs, log.path());
        let (written, rest) = bytes.split_at(6);
        assert_eq!((written, log.path()), (&b"onetwo"[..], &*dir.join("1")));
        assert!(rest.iter().all(|byte| *byte == 0), "what is set aside reads as zeros");
    });
}

#[test]
fn a_log_may_outgrow_its_capacity() {
    everywhere(|fs, dir| {
        let path = dir.join("1");
        let log = fs.create_log(&path, 10_000).expect("the name is free");
        let bytes: Vec<u8> = (0..30_000_u32).map(|i| 1 + (i % 251) as u8).collect();
        // Within, across the end, and behind it.
        for range in [0..7000, 7000..9999, 9999..10_001, 10_001..30_000] {
            log.write_at(range.start as u64, &bytes[range]).expect("nothing fails here");
        }
        log.sync().expect("nothing fails here");
        assert_eq!(read(fs, &path), bytes);
        drop(log);
        assert_eq!(read(fs, &path), bytes);
    });
}

/// A mapped log lets go of the pages that lie behind, and may write ahead; writing anywhere again finds what was there.
#[test]
fn a_long_log_holds_what_lies_far_behind_and_takes_more_of_it() {
    everywhere(|fs, dir| {
        let path = dir.join("1");
        for (piece_bytes, expects_syncs) in [(50_001, true), (50_001, false), (70_001, true), (70_001, false)] {
            let log = fs.create_log(&path, 4 << 20).expect("the name is free");
            log.expect_syncs(expects_syncs);
            let mut bytes: Vec<u8> = (0..3_500_000_u32).map(|i| 1 + (i % 251) as u8).collect();
            let mut at = 0;
            for piece in bytes.chunks(piece_bytes) {
                log.write_at(at, piece).expect("nothing fails here");
                at += piece.len() as u64;
            }
            for place in [0, 4095, (1 << 20) - 2, 2_000_000] {
                bytes[place..place + 4].fill(255);
                log.write_at(place as u64, &[255; 4]).expect("nothing fails here");
            }
            log.sync().expect("nothing fails here");
            assert!(read(fs, &path).starts_with(&bytes));
            drop(log);
            assert!(read(fs, &path) == bytes, "{piece_bytes} at once, syncs are expected: {expects_syncs}");
            fs.remove_file(&path).expect("it is there");
        }
    });
}

/// Each log file of a small database held on to its whole capacity.
#[cfg(unix)]
#[test]
fn a_log_file_gives_back_what_was_reserved_and_not_used() {
    let dir = tempfile::tempdir().expect("the system has a temporary directory");
    let path = dir.path().join("1");
    let log = StdFs.create_log(&path, 8 << 20).expect("the name is free");
    log.write_at(0, b"one").expect("nothing fails here");
    drop(log);
    let meta = std::fs::metadata(&path).expect("it is there");
    assert!(std::os::unix::fs::MetadataExt::blocks(&meta) < 1000, "{meta:?}");
    assert_eq!(read(&StdFs, &path), b"one");
}

#[test]
fn one_lock_at_a_time_and_its_file_stays() {
    everywhere(|fs, dir| {
        let path = dir.join("LOCK");
        let lock = fs.lock(&path).expect("nobody else has it");
        assert!(lock.is_owner());
        assert_eq!(fs.lock(&path).expect_err("the first one is held").kind(), ErrorKind::Locked);
        drop(lock);
        assert!(fs.exists(&path).expect("the directory is there"));
        drop(fs.lock(&path).expect("it was given back"));
        assert!(fs.lock(&dir.join("none/LOCK")).is_err_and(|e| is_not_found(&e)));
    });
}

#[test]
fn an_atomic_file_holds_the_last_bytes_and_leaves_nothing_beside() {
    everywhere(|fs, dir| {
        let path = dir.join("CURRENT");
        write(fs, &dir.join("CURRENT.tmp"), b"a longer leftover");
        for bytes in [&b"one"[..], b"two", b""] {
            atomic_file::replace(fs, &path, bytes).expect("nothing fails here");
            assert_eq!((read(fs, &path), names(fs, dir)), (bytes.to_vec(), vec!["CURRENT".to_string()]));
        }
        assert!(fs.available_bytes(dir).expect("it is there").is_none_or(|bytes| bytes > 0));
    });
}

#[cfg(unix)]
#[test]
fn a_read_only_directory_can_be_locked_and_read() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let dir = tempfile::tempdir().expect("the system has a temporary directory");
    let path = dir.path().join("LOCK");
    fs::write(&path, b"").and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o444))).expect("ours");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).expect("ours");
    let lock = StdFs.lock(&path).expect("reading is enough");
    assert_eq!(StdFs.lock(&path).expect_err("the first one is held").kind(), ErrorKind::Locked);
    drop(lock);
    assert!(StdFs.open(&path).is_ok());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
}

/// A hint changes nothing but what the system keeps in memory.
#[test]
fn bytes_that_were_evicted_are_still_there() {
    everywhere(|fs, dir| {
        let file = fs.create(&dir.join("a")).expect("a new name");
        file.write_at(0, &[7; 20_000]).expect("there is room");
        file.evict(0, 20_000);
        file.sync_all().expect("nothing fails here");
        for (offset, bytes) in [(0, 0), (0, 20_000), (5, 10), (19_999, 1_000_000), (1 << 40, 5)] {
            file.evict(offset, bytes);
        }
        assert_eq!(read(fs, &dir.join("a")), [7; 20_000]);
    });
}

#[test]
fn a_simulated_disk_tells_what_was_evicted_once_it_was_synced() {
    let fs = MemFs::new();
    let file = fs.create(Path::new("a")).expect("a new name");
    file.write_at(0, &[7; 100]).expect("there is room");
    file.evict(0, 50);
    assert_eq!(fs.evicted(), [], "a system keeps what is not durable");
    file.sync_all().expect("nothing fails here");
    file.evict(0, 50);
    file.write_at(100, &[7; 100]).expect("there is room");
    file.evict(50, 100);
    file.sync_data().expect("nothing fails here");
    fs.open(Path::new("a")).expect("it is there").evict(50, 100);
    assert_eq!(fs.evicted(), [(PathBuf::from("a"), 0..50), (PathBuf::from("a"), 50..150)]);
    assert_eq!(fs.memory_bytes(), None);
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_has_memory() {
    assert!(StdFs.memory_bytes().expect("the system tells") > 1 << 20);
}

#[test]
fn paths_in_memory_have_one_spelling() {
    let fs = MemFs::new();
    fs.create_dir(Path::new("db")).expect("an empty disk has room");
    write(&fs, Path::new("./db/x/../a"), b"1");
    let tree: Vec<(PathBuf, Vec<u8>)> = fs.tree().into_iter().collect();
    assert_eq!(tree, [(PathBuf::from("/db/a"), b"1".to_vec())]);
}
