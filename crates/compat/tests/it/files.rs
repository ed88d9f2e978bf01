//! File systems (API 18).

use crate::common::{World, keys};
use lsm_tree::{
    AbstractTree, Config, Result, SeqNo,
    fs::{
        Fs, FsCapabilities, FsDirEntry, FsFile, FsMetadata, FsOpenOptions, IoUringFs, MemFs, StdFs, SyncMode,
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
    file.hint(lsm_tree::fs::FileHint::Sequential)?;
    assert_eq!((file.metadata()?.len, file.metadata()?.is_file), (5, true));
    drop(file);
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
    assert_eq!((fs.capabilities(root), fs.hard_link_count(&b).is_err()), (FsCapabilities::default(), true));
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
