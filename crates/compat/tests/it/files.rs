//! File systems (API 18).

use crate::common::{World, io_kind, keys};
use lsm_tree::{
    AbstractTree, Config, Guard, Result, SeqNo,
    fs::{
        FileHint, Fs, FsCapabilities, FsDirEntry, FsFile, FsMetadata, FsOpenOptions, IoUringFs, MemFs, StdFs, SyncMode,
        is_io_uring_available,
    },
};
use std::{
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

/// One that keeps to what the traits demand, and gives nothing of itself away.
struct Plain(MemFs);

impl Fs for Plain {
    fn open(&self, path: &Path, opts: &FsOpenOptions) -> std::io::Result<Box<dyn FsFile>> {
        self.0.open(path, opts)
    }

    fn create_dir_all(&self, path: &Path) -> std::io::Result<()> {
        self.0.create_dir_all(path)
    }

    fn read_dir(&self, path: &Path) -> std::io::Result<Vec<FsDirEntry>> {
        self.0.read_dir(path)
    }

    fn remove_file(&self, path: &Path) -> std::io::Result<()> {
        self.0.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> std::io::Result<()> {
        self.0.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        self.0.rename(from, to)
    }

    fn metadata(&self, path: &Path) -> std::io::Result<FsMetadata> {
        self.0.metadata(path)
    }

    fn sync_directory(&self, path: &Path) -> std::io::Result<()> {
        self.0.sync_directory(path)
    }

    fn exists(&self, path: &Path) -> std::io::Result<bool> {
        self.0.exists(path)
    }
}

fn lives_on(fs: &Arc<dyn Fs>, path: &str) -> Result<()> {
    let open = || Config::new(path, Default::default(), Default::default()).with_shared_fs(Arc::clone(fs)).open();
    let tree = open()?;
    for n in 0..100_u64 {
        tree.insert(format!("{n:03}"), "v".repeat(100), n);
        if n % 20 == 19 {
            tree.flush_active_memtable(0)?;
        }
    }
    tree.major_compact(64 << 20, 0)?;
    drop(tree);
    let tree = open()?;
    assert_eq!(keys(tree.iter(SeqNo::MAX, None)).len(), 100);
    tree.clear()?;
    Ok(())
}

#[test]
fn a_tree_lives_in_memory() -> Result<()> {
    let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
    lives_on(&fs, "/tree")?;
    lives_on(&fs, "./relative")?;
    assert!(fs.exists(Path::new("/tree/CURRENT"))? && fs.exists(Path::new("relative/CURRENT"))?);
    let open = || Config::new("/tree", Default::default(), Default::default()).with_shared_fs(Arc::clone(&fs)).open();
    let first = open()?;
    assert_eq!(io_kind(open()), Some(ErrorKind::WouldBlock));
    drop(first);
    open()?;
    Ok(())
}

#[test]
fn a_tree_lives_on_a_file_system_of_the_callers() -> Result<()> {
    lives_on(&(Arc::new(Plain(MemFs::new())) as Arc<dyn Fs>), "/tree")
}

#[test]
fn what_lies_about_is_set_aside_on_a_file_system_of_the_callers_too() -> Result<()> {
    let disk = MemFs::new();
    let fs: Arc<dyn Fs> = Arc::new(Plain(disk.clone()));
    let open = || Config::new("/tree", Default::default(), Default::default()).with_shared_fs(Arc::clone(&fs)).open();
    drop(open()?);
    let left = "/tree/.creating-00000000000000ff";
    disk.create_dir(Path::new(left))?;
    let tree = open()?;
    tree.insert("a", "a", 0);
    tree.flush_active_memtable(0)?;
    assert!(!disk.exists(Path::new(left))? && disk.exists(Path::new("/tree/lost/.creating-00000000000000ff"))?);
    assert_eq!(keys(tree.iter(SeqNo::MAX, None)), ["a"]);
    Ok(())
}

/// What both file systems do alike.
fn behaves(fs: &dyn Fs, root: &Path) -> std::io::Result<()> {
    let (a, b, folder) = (root.join("a"), root.join("b"), root.join("x").join("y"));
    fs.create_dir_all(&folder)?;
    fs.create_dir_all(&folder)?;
    assert_eq!(fs.create_dir(&folder).expect_err("taken").kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs.open(&a, &FsOpenOptions::new().read(true)).err().map(|error| error.kind()), Some(ErrorKind::NotFound));
    assert_eq!(fs.remove_file(&a).expect_err("missing").kind(), ErrorKind::NotFound);

    let mut file = fs.open(&a, &FsOpenOptions::new().read(true).write(true).create(true))?;
    file.write_all(b"hello world")?;
    file.seek(SeekFrom::Start(6))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    assert_eq!(text, "world");
    let mut buf = [0; 8];
    assert_eq!((file.read_at(&mut buf, 6)?, &buf[..5]), (5, &b"world"[..]));
    file.set_len(5)?;
    file.sync_all()?;
    file.sync_data()?;
    file.sync_all_with(SyncMode::Full)?;
    file.sync_data_with(SyncMode::Normal)?;
    file.lock_exclusive()?;
    file.hint(FileHint::Sequential)?;
    assert_eq!((file.metadata()?.len, file.metadata()?.is_file), (5, true));
    drop(file);
    assert_eq!(fs.open(&a, &FsOpenOptions::new().read(true).direct_io(true))?.read_at(&mut buf, 0)?, 5);
    let cut = root.join("cut");
    fs.open(&cut, &FsOpenOptions::new().write(true).create(true))?.write_all(b"long")?;
    fs.open(&cut, &FsOpenOptions::new().write(true).truncate(true))?.write_all(b"s")?;
    assert_eq!(fs.metadata(&cut)?.len, 1);
    fs.remove_file(&cut)?;
    fs.open(&a, &FsOpenOptions::new().append(true))?.write_all(b"!")?;
    assert_eq!(
        fs.open(&a, &FsOpenOptions::new().write(true).create_new(true)).err().map(|error| error.kind()),
        Some(ErrorKind::AlreadyExists)
    );

    fs.reflink_file(&a, &b)?;
    fs.hard_link(&a, &root.join("c"))?;
    fs.rename(&a, &b)?;
    assert!(!fs.exists(&a)? && fs.exists(&b)? && fs.metadata(&b)?.len == 6);
    let mut names: Vec<_> = fs.read_dir(root)?.into_iter().map(|entry| (entry.file_name, entry.is_dir)).collect();
    names.sort();
    assert_eq!(names, [("b".to_owned(), false), ("c".to_owned(), false), ("x".to_owned(), true)]);
    fs.truncate_file(&b)?;
    assert_eq!((fs.metadata(&b)?.len, fs.metadata(root)?.is_dir), (0, true));
    fs.sync_directory(root)?;
    fs.sync_directory_with(root, SyncMode::Full)?;
    fs.try_disable_cow(&b)?;
    assert_eq!(fs.capabilities(root), FsCapabilities::default());
    fs.remove_dir_all(&root.join("x"))?;
    assert!(!fs.exists(&folder)?);
    assert!(fs.sync_directory(&folder).is_err());
    Ok(())
}

#[test]
fn file_systems_keep_their_promises() -> Result<()> {
    let folder = lsm_tree::get_tmp_folder();
    behaves(&StdFs, folder.path())?;
    let fs = MemFs::new();
    fs.create_dir_all(Path::new("/root"))?;
    behaves(&fs, Path::new("/root"))?;
    assert_eq!(fs.rename(Path::new("/root"), Path::new("/r")).expect_err("a directory").kind(), ErrorKind::InvalidInput);
    assert_eq!(fs.create_dir_all(Path::new("")).expect_err("empty").kind(), ErrorKind::InvalidInput);
    assert!(
        fs.exists(Path::new("/"))? && fs.open(Path::new("/none/a"), &FsOpenOptions::new().write(true).create(true)).is_err()
    );
    assert!(fs.clone().exists(Path::new("/root/b"))?);
    assert_ne!(fs.backend_id(), MemFs::new().backend_id());
    assert!(StdFs.backend_id().is_some() && StdFs.backend_id() != fs.backend_id());
    assert_eq!(StdFs.backend_id(), StdFs.backend_id());
    Ok(())
}

#[test]
fn a_ring_is_not_there_and_says_so() {
    assert!(!is_io_uring_available());
    for made in [IoUringFs::new(), IoUringFs::with_ring_size(8)] {
        assert_eq!(made.expect_err("not there").kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn damage_names_the_file() -> Result<()> {
    let world = World::new()?;
    for n in 0..100 {
        world.put(&format!("{n:03}"), &"v".repeat(100));
    }
    world.flush();
    let path = world.tree.current_version().iter_tables().next().expect("one").path.to_path_buf();
    let World { tree, folder, .. } = world;
    drop(tree);
    let mut bytes = std::fs::read(&path)?;
    bytes[200] ^= 1;
    std::fs::write(&path, bytes)?;
    let tree = Config::new(&folder, Default::default(), Default::default()).open()?;
    let error = tree.get("000", SeqNo::MAX).expect_err("damaged");
    assert!(matches!(&error, lsm_tree::Error::Io(io) if io.kind() == ErrorKind::InvalidData), "{error:?}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    let report = lsm_tree::verify::verify_integrity(&tree);
    assert!(!report.is_ok() && report.errors[0].to_string().contains("tables"), "{report:?}");
    assert!(!tree.verify_checksum().is_ok());
    Ok(())
}

/// A file that keeps to what the trait demands.
struct PlainFile(Box<dyn FsFile>);

impl Read for PlainFile {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for PlainFile {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Seek for PlainFile {
    fn seek(&mut self, pos: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(pos)
    }
}

impl FsFile for PlainFile {
    fn sync_all(&self) -> std::io::Result<()> {
        Err(ErrorKind::StorageFull.into())
    }

    fn sync_data(&self) -> std::io::Result<()> {
        Err(ErrorKind::QuotaExceeded.into())
    }

    fn metadata(&self) -> std::io::Result<FsMetadata> {
        self.0.metadata()
    }

    fn set_len(&self, size: u64) -> std::io::Result<()> {
        self.0.set_len(size)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn lock_exclusive(&self) -> std::io::Result<()> {
        self.0.lock_exclusive()
    }
}

const MADE: FsOpenOptions = FsOpenOptions::new().read(true).write(true).create(true);

#[test]
fn what_a_file_system_of_the_callers_does_not_say_is_said_for_it() -> Result<()> {
    let fs = Plain(MemFs::new());
    let (a, b) = (Path::new("/a"), Path::new("/b"));
    fs.open(a, &MADE)?.write_all(b"hello")?;
    for refused in [fs.create_dir(b), fs.hard_link(a, b), fs.hard_link_count(a).map(drop)] {
        assert_eq!(refused.expect_err("not said").kind(), ErrorKind::Unsupported);
    }
    assert_eq!((fs.backend_id(), fs.capabilities(a)), (None, FsCapabilities::default()));
    fs.try_disable_cow(a)?;
    fs.reflink_file(a, b)?;
    assert_eq!((fs.metadata(b)?.len, fs.reflink_file(a, b).expect_err("taken").kind()), (5, ErrorKind::AlreadyExists));
    fs.truncate_file(b)?;
    assert_eq!((fs.metadata(a)?.len, fs.metadata(b)?.len), (5, 0));
    assert!(fs.sync_directory_with(Path::new("/"), SyncMode::Full).is_ok());
    assert!(fs.sync_directory_with(Path::new("/none"), SyncMode::Full).is_err(), "it asks for the plain sync");

    let file = PlainFile(fs.open(a, &MADE)?);
    assert_eq!(file.sync_all_with(SyncMode::Full).expect_err("as the plain one").kind(), ErrorKind::StorageFull);
    assert_eq!(file.sync_data_with(SyncMode::Normal).expect_err("as the plain one").kind(), ErrorKind::QuotaExceeded);
    file.hint(FileHint::WriteOnce)?;
    Ok(())
}

#[test]
fn nothing_is_asked_for_by_default() {
    let FsOpenOptions { read, write, create, create_new, truncate, append, direct_io, .. } = FsOpenOptions::default();
    assert_eq!([read, write, create, create_new, truncate, append, direct_io], [false; 7]);
    let all = FsOpenOptions::new().truncate(true).append(true).direct_io(true).create_new(true);
    assert!(all.truncate && all.append && all.direct_io && all.create_new && !all.read);
    assert_eq!((FileHint::default(), SyncMode::default()), (FileHint::Default, SyncMode::Normal));
}

#[test]
fn names_of_one_file_are_counted() -> Result<()> {
    let folder = lsm_tree::get_tmp_folder();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    std::fs::write(&a, b"a")?;
    assert_eq!(StdFs.hard_link_count(&a)?, 1);
    StdFs.hard_link(&a, &b)?;
    assert_eq!((StdFs.hard_link_count(&a)?, StdFs.hard_link_count(&b)?), (2, 2));
    assert_eq!(StdFs.hard_link_count(&folder.path().join("c")).expect_err("missing").kind(), ErrorKind::NotFound);
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_told() -> Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let folder = lsm_tree::get_tmp_folder();
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"\xff")), b"")?;
    assert_eq!(StdFs.read_dir(folder.path()).expect_err("no text").kind(), ErrorKind::InvalidData);
    Ok(())
}

#[test]
fn files_in_memory_are_files() -> Result<()> {
    let fs = MemFs::new();
    let (a, b) = (Path::new("/a"), Path::new("/b"));
    let mut file = fs.open(a, &MADE)?;
    file.write_all(b"hello")?;
    fs.hard_link(a, b)?;
    file.write_all(b"!")?;
    assert_eq!((fs.metadata(a)?.len, fs.metadata(b)?.len), (6, 5), "a link is a copy");
    fs.remove_file(a)?;
    let mut buf = [0; 6];
    assert_eq!((file.read_at(&mut buf, 0)?, &buf), (6, b"hello!"), "a handle outlives its name");
    assert!(fs.rename(b, Path::new("/none/b")).is_err() && fs.hard_link(b, Path::new("/none/b")).is_err());
    assert!(fs.exists(b)?);
    Ok(())
}

#[test]
fn damage_is_told_by_the_guard() -> Result<()> {
    let world = World::new()?;
    for n in 0..100 {
        world.put(&format!("{n:03}"), &"v".repeat(100));
    }
    world.flush();
    let path = world.tree.current_version().iter_tables().next().expect("one").path.to_path_buf();
    let mut bytes = std::fs::read(&path)?;
    bytes[200] ^= 1;
    std::fs::write(&path, bytes)?;
    let world = world.reopened(|config| config)?;
    let row = world.tree.iter(SeqNo::MAX, None).next().expect("a row that is an error");
    assert_eq!(io_kind(row.into_inner()), Some(ErrorKind::InvalidData));
    Ok(())
}

/// Otherwise than in the family, where both would write to it.
#[test]
fn a_second_opening_waits_for_the_first_on_a_file_system_of_the_callers() -> Result<()> {
    let fs: Arc<dyn Fs> = Arc::new(Plain(MemFs::new()));
    let open = |path: &str| Config::new(path, Default::default(), Default::default()).with_shared_fs(Arc::clone(&fs)).open();
    let first = open("tree")?;
    std::thread::scope(|scope| {
        let (started, starts) = std::sync::mpsc::channel();
        let second = scope.spawn(move || {
            started.send(()).expect("heard");
            open("./tree")
        });
        starts.recv().expect("it starts");
        (0..1000).for_each(|_| std::thread::yield_now());
        first.insert("a", "a", 0);
        first.flush_active_memtable(0)?;
        drop(first);
        assert_eq!(keys(second.join().expect("whole")?.iter(SeqNo::MAX, None)), ["a"]);
        Ok(())
    })
}
