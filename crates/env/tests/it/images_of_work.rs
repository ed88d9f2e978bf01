//! Crash images of every moment of a database at work.

use sediment_env::{
    Fs, MemFs, SeededRandom, atomic_file,
    fs::{CrashPlan, Variant},
};
use std::path::{Path, PathBuf};

/// A database at work in small: a log of many records, tables of some KiB, a manifest, `CURRENT`.
fn work(fs: &dyn Fs, ops: usize, count: &dyn Fn() -> usize) -> sediment_base::Result<()> {
    let random = SeededRandom::new(7);
    fs.create_dir(Path::new("/db"))?;
    fs.create_dir(Path::new("/db/tables"))?;
    let log = fs.create_log(Path::new("/db/log"), 1 << 20)?;
    let manifest = fs.create(Path::new("/db/manifest"))?;
    fs.sync_dir(Path::new("/db"))?;
    let (mut log_end, mut manifest_end, mut tables) = (0, 0, 0);
    while count() < ops {
        for _ in 0..20 {
            let record = vec![b'r'; 40 + random.below(200) as usize];
            log.write_at(log_end, &record)?;
            log_end += record.len() as u64;
            if random.below(4) == 0 {
                log.sync()?;
            }
        }
        let path = PathBuf::from(format!("/db/tables/{tables}"));
        let table = fs.create(&path)?;
        for block in 0..4 {
            table.write_at(block * 4096, &vec![b'0' + block as u8; 4096])?;
        }
        table.sync_all()?;
        fs.sync_dir(Path::new("/db/tables"))?;
        manifest.write_at(manifest_end, &[b'm'; 100])?;
        manifest_end += 100;
        manifest.sync_all()?;
        tables += 1;
        if tables % 5 == 0 {
            atomic_file::replace(fs, Path::new("/db/CURRENT"), b"manifest-1")?;
            fs.remove_file(&PathBuf::from(format!("/db/tables/{}", tables - 5)))?;
        }
    }
    Ok(())
}

#[test]
fn there_are_images_of_every_moment_and_the_whole_one_holds_what_was_done() {
    let fs = MemFs::new();
    fs.record();
    work(&fs, 500, &|| fs.op_count()).expect("memory does not fail");
    let history = fs.history();
    for point in history.points() {
        let (mut images, mut files, mut killed) = (0, 0, 0);
        history.for_each_image(point, &CrashPlan::ci(), &mut |name, image| {
            assert!(name.variant != Variant::Killed || image.op_count() == point);
            images += 1;
            files += image.tree().len();
            killed += usize::from(name.variant == Variant::Killed);
        });
        assert_eq!(killed, 1, "at {point}, of {images}");
        assert!(images > 1 && files > 0 || point < 10, "at {point}: {images} images with {files} files");
    }
}
