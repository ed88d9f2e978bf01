//! Directories of databases: what they occupy, and how the system is made to forget them.

use rustix::fs::{Advice, fadvise};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// The system counts blocks of this size, whatever the file system has.
const BLOCK_BYTES: u64 = 512;

/// Bytes of all files below a directory, holes included.
///
/// # Errors
///
/// If the directory cannot be read. A file that is deleted meanwhile does not count.
pub fn length(dir: &Path) -> io::Result<u64> {
    sum(dir, |metadata| metadata.len())
}

/// What the files below a directory occupy on the disk.
///
/// # Errors
///
/// If the directory cannot be read. A file that is deleted meanwhile does not count.
pub fn occupied(dir: &Path) -> io::Result<u64> {
    sum(dir, |metadata| metadata.blocks() * BLOCK_BYTES)
}

/// Writes the files below a directory to the disk and drops what the system has of them in memory. What is mapped stays.
///
/// # Errors
///
/// If a file cannot be read or synced.
pub fn forget(dir: &Path) -> io::Result<()> {
    each(dir, &mut |path| {
        let file = File::open(path)?;
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
    })
}

/// Visits every file below a directory.
///
/// # Errors
///
/// If a directory cannot be read, or the visitor fails.
pub fn each(dir: &Path, visit: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            each(&path, visit)?;
        } else {
            visit(&path)?;
        }
    }
    Ok(())
}

fn sum(dir: &Path, of: impl Fn(&fs::Metadata) -> u64) -> io::Result<u64> {
    let mut bytes = 0;
    each(dir, &mut |path| {
        bytes += fs::metadata(path).map_or(0, |metadata| of(&metadata));
        Ok(())
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{each, forget, length, occupied};
    use std::fs;

    #[test]
    fn files_below_a_directory_count_and_survive_being_forgotten() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(dir.path().join("inner")).expect("it can be made");
        fs::write(dir.path().join("a"), [1; 1000]).expect("it can be written");
        fs::write(dir.path().join("inner/b"), [2; 5000]).expect("it can be written");
        forget(dir.path()).expect("they are forgotten");
        assert_eq!(length(dir.path()).expect("they are there"), 6000);
        assert!(occupied(dir.path()).expect("they are there") >= 6000);
        let mut names = Vec::new();
        let visited = each(dir.path(), &mut |path| {
            names.push(path.file_name().expect("files have names").to_owned());
            Ok(())
        });
        visited.expect("nothing fails");
        names.sort();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(fs::read(dir.path().join("inner/b")).expect("it is there"), [2; 5000]);
        assert!(length(&dir.path().join("absent")).is_err());
    }
}
