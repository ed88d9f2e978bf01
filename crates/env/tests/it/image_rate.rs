//! How many crash images a second: `cargo test --release -p sediment-env -- --ignored --nocapture image_rate`.

use sediment_env::{
    Clock, Env, Fs, MemFs, SeededRandom, SystemClock, atomic_file,
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
#[ignore = "a measurement"]
fn image_rate() {
    let fs = MemFs::new();
    fs.record();
    work(&fs, 500, &|| fs.op_count()).expect("memory does not fail");
    let history = fs.history();
    let clock = SystemClock::new();
    let (mut images, mut files) = (0_u64, 0);
    for point in history.points() {
        history.for_each_image(point, &CrashPlan::ci(), &mut |_, image| {
            images += 1;
            files += image.read_dir(Path::new("/")).map_or(0, |entries| entries.len());
        });
    }
    let made_us = clock.monotonic_us();
    let mut bytes = 0_u64;
    for point in history.points() {
        history.for_each_image(point, &CrashPlan::ci(), &mut |name, image| {
            bytes += image.tree().values().map(|file| file.len() as u64).sum::<u64>();
            assert!(name.variant != Variant::Killed || image.op_count() == point);
        });
    }
    let read_us = clock.monotonic_us() - made_us;
    let rate = |us: u64| images * 1_000_000 / us.max(1);
    eprintln!(
        "{} ops, {images} images, {files} seen: {}/s made, {}/s made and read whole",
        history.len(),
        rate(made_us),
        rate(read_us)
    );
    eprintln!("{} MiB read; {:?}", bytes >> 20, Env::simulated(fs, 1).clock.monotonic_us());
}
