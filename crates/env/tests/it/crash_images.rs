//! The exact disks that crashes of small scripts leave.

use sediment_env::{
    Fs, MemFs, atomic_file,
    fs::{CrashPlan, File, History, ImageName, Rule, Variant},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A disk with an empty, durable directory, which records.
fn disk() -> MemFs {
    let fs = MemFs::new();
    fs.create_dir(Path::new("/d")).expect("an empty disk has room");
    fs.record();
    fs
}

fn create(fs: &MemFs, name: &str) -> Arc<dyn File> {
    fs.create(&Path::new("/d").join(name)).expect("the name is free")
}

fn write(file: &Arc<dyn File>, offset: u64, bytes: &[u8]) {
    file.write_at(offset, bytes).expect("memory does not fail");
}

fn sync_dir(fs: &MemFs) {
    fs.sync_dir(Path::new("/d")).expect("it is there");
}

/// What `/d` holds, as `name=bytes`, zeros as dots, and runs of the same byte shortened.
fn show(fs: &MemFs) -> String {
    let file = |(path, bytes): (PathBuf, Vec<u8>)| {
        let name = path.strip_prefix("/d").unwrap_or(&path).display().to_string();
        let runs = bytes.chunk_by(|a, b| a == b).map(|run| {
            let byte = if run[0] == 0 { '.' } else { char::from(run[0]) };
            if run.len() < 4 { byte.to_string().repeat(run.len()) } else { format!("{byte}*{}", run.len()) }
        });
        format!("{name}={}", runs.collect::<String>())
    };
    fs.tree().into_iter().map(file).collect::<Vec<_>>().join(" ")
}

fn plan(rule: Rule) -> CrashPlan {
    CrashPlan { rules: vec![rule], subsets: 200, ..CrashPlan::ci() }
}

/// All different disks that the plan finds at a point.
fn images(history: &History, point: usize, plan: &CrashPlan) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    history.for_each_image(point, plan, &mut |name, image| {
        let again = history.image(&name.to_string().parse().expect("names read back")).expect("the point is there");
        assert_eq!(show(&again), show(&image), "{name}");
        seen.insert(show(&image));
    });
    seen
}

fn last(fs: &MemFs, rule: Rule) -> BTreeSet<String> {
    let history = fs.history();
    images(&history, history.len(), &plan(rule))
}

fn one(history: &History, variant: Variant) -> String {
    let name = ImageName { point: history.len(), rule: Rule::PosixStrict, variant };
    show(&history.image(&name).expect("the point is there"))
}

fn set<const N: usize>(images: [&str; N]) -> BTreeSet<String> {
    images.into_iter().map(String::from).collect()
}

#[test]
fn a_synced_file_can_be_without_its_name() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, b"xy");
    file.sync_all().expect("memory does not fail");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["", "a=xy"]));
    assert_eq!(last(&fs, Rule::Ext4Ordered), set(["a=xy"]));
    assert_eq!(last(&fs, Rule::RenameBeforeData), set(["a=xy"]));
    sync_dir(&fs);
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=xy"]));
}

#[test]
fn a_name_can_be_without_its_bytes() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, b"xy");
    sync_dir(&fs);
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=", "a=..", "a=xy"]));
}

#[test]
fn unsynced_writes_are_dropped_kept_and_reordered() {
    let fs = disk();
    let file = create(&fs, "a");
    file.set_len(3).expect("memory does not fail");
    file.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    for (offset, byte) in [(0, b"1"), (1, b"2"), (2, b"3")] {
        write(&file, offset, byte);
    }
    let expected = ["a=...", "a=123", "a=.23", "a=1.3", "a=12.", "a=1..", "a=.2.", "a=..3"];
    assert_eq!(last(&fs, Rule::PosixStrict), set(expected));
    file.sync_data().expect("memory does not fail");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=123"]));
}

#[test]
fn a_last_write_is_torn_at_bytes_or_at_sectors() {
    let fs = disk();
    let file = create(&fs, "a");
    sync_dir(&fs);
    write(&file, 500, &[b'w'; 1100]);
    let history = fs.history();
    let mut cuts = Vec::new();
    let sectors = CrashPlan { every_byte_of_last_write_for: |path| path.ends_with("log"), ..plan(Rule::PosixStrict) };
    let mut note = |name: &ImageName, _| {
        if let Variant::Torn(cut) = name.variant {
            cuts.push(cut);
        }
    };
    history.for_each_image(history.len(), &sectors, &mut note);
    assert_eq!(cuts, [12, 524, 1036]);
    let mut cuts = Vec::new();
    let mut note = |name: &ImageName, _| {
        if let Variant::Torn(cut) = name.variant {
            cuts.push(cut);
        }
    };
    history.for_each_image(history.len(), &CrashPlan::ci(), &mut note);
    assert!(cuts.len() == 8 && cuts.contains(&1) && cuts.contains(&1099), "{cuts:?}");
    assert_eq!(one(&history, Variant::Torn(12)), "a=.*500w*12");
}

#[test]
fn random_parts_keep_whole_blocks_of_some_moment() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, &[b'o'; 1024]);
    file.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    write(&file, 0, &[b'1'; 1024]);
    write(&file, 256, &[b'2'; 512]);
    let sectors = CrashPlan { singles_back: 0, cuts: 0, ..plan(Rule::PosixStrict) };
    let history = fs.history();
    let seen = images(&history, history.len(), &sectors);
    let first = ["o*512", "1*512", "1*2562*256"];
    let second = ["o*512", "1*512", "2*2561*256"];
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for first in first {
        for second in second {
            expected.insert(format!("a={first}{second}").replace("o*512o*512", "o*1024").replace("1*5121*512", "1*1024"));
        }
    }
    let expected: BTreeSet<String> = expected.into_iter().map(|image| image.replace("2*2562*256", "2*512")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn lengths_are_lost_or_kept_on_their_own() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, b"ab");
    file.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    write(&file, 1, b"XYZ");
    let history = fs.history();
    assert_eq!(one(&history, Variant::LengthsLost), "a=aX");
    assert_eq!(one(&history, Variant::LengthsKept), "a=ab..");
    file.sync_data().expect("memory does not fail");
    // The bytes are safe; only the length is not.
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=aX", "a=aXYZ"]));
    assert_eq!(last(&fs, Rule::Ext4Ordered), set(["a=aXYZ"]));
    write(&file, 5, b"!");
    assert_eq!(one(&fs.history(), Variant::Dropped(7)), "a=aXYZ.!");
    file.sync_all().expect("memory does not fail");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=aXYZ.!"]));
}

#[test]
fn a_rename_can_come_before_its_bytes() {
    let fs = disk();
    let old = create(&fs, "a");
    write(&old, 0, b"old");
    old.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    let new = create(&fs, "b");
    write(&new, 0, b"new");
    fs.rename(Path::new("/d/b"), Path::new("/d/a")).expect("both are files");
    let strict = last(&fs, Rule::PosixStrict);
    for image in ["a=old", "a=old b=", "a=old b=new", "a=", "a=new", "a=..."] {
        assert!(strict.contains(image), "{image} is not among {strict:?}");
    }
    assert_eq!(last(&fs, Rule::RenameBeforeData), set(["a=", "a=...", "a=new"]));
    new.sync_all().expect("memory does not fail");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=old", "a=old b=new", "a=new"]));
    assert_eq!(last(&fs, Rule::Ext4Ordered), set(["a=new"]));
}

#[test]
fn names_survive_in_order_where_the_rule_says_so() {
    let fs = disk();
    for name in ["a", "b", "c"] {
        create(&fs, name);
    }
    let all = ["", "a=", "b=", "c=", "a= b=", "a= c=", "b= c=", "a= b= c="];
    assert_eq!(last(&fs, Rule::PosixStrict), set(all));
    assert_eq!(last(&fs, Rule::Ext4Ordered), set(["", "a=", "a= b=", "a= b= c="]));
    fs.remove_file(Path::new("/d/b")).expect("it is there");
    sync_dir(&fs);
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a= c="]));
}

#[test]
fn an_unlinked_file_can_come_back_with_what_was_synced() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, b"xy");
    file.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    write(&file, 0, b"z");
    fs.remove_file(Path::new("/d/a")).expect("it is there");
    drop(file);
    assert_eq!(last(&fs, Rule::PosixStrict), set(["", "a=xy", "a=zy"]));
    sync_dir(&fs);
    assert_eq!(last(&fs, Rule::PosixStrict), set([""]));
}

#[test]
fn a_file_moved_between_directories_is_found_twice_but_never_lost() {
    let fs = disk();
    fs.create_dir(Path::new("/d/lost")).expect("the name is free");
    let file = create(&fs, "a");
    write(&file, 0, b"x");
    file.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    fs.rename(Path::new("/d/a"), Path::new("/d/lost/a")).expect("the name is free");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["a=x", "a=x lost/a=x", "lost/a=x"]));
    let other = fs.history();
    sync_dir(&fs);
    assert_eq!(last(&fs, Rule::PosixStrict), set(["lost/a=x"]));
    assert_eq!(images(&other, other.len(), &plan(Rule::Ext4Ordered)), set(["a=x", "lost/a=x"]));
    fs.rename(Path::new("/d/lost/a"), Path::new("/d/b")).expect("the name is free");
    sync_dir(&fs);
    assert_eq!(last(&fs, Rule::PosixStrict), set(["b=x", "b=x lost/a=x"]));
}

#[test]
fn a_directory_moves_whole_and_needs_its_own_name_too() {
    let fs = disk();
    fs.create_dir(Path::new("/d/new")).expect("the name is free");
    fs.create(Path::new("/d/new/x")).expect("the name is free");
    fs.sync_dir(Path::new("/d/new")).expect("it is there");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["", "new/x="]));
    fs.rename(Path::new("/d/new"), Path::new("/db")).expect("the name is free");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["", "/db/x=", "new/x="]));
    fs.sync_dir(Path::new("/")).expect("it is there");
    assert_eq!(last(&fs, Rule::PosixStrict), set(["/db/x="]));
}

#[test]
fn what_a_failed_sync_lost_is_read_but_never_survives() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, b"good");
    file.sync_all().expect("memory does not fail");
    sync_dir(&fs);
    write(&file, 2, b"LOST");
    file.lose_unsynced();
    file.sync_all().expect("the pages are clean");
    let mut bytes = [0; 6];
    file.read_exact_at(0, &mut bytes).expect("the cache has it");
    assert_eq!(&bytes, b"goLOST");
    let history = fs.history();
    assert_eq!((one(&history, Variant::Killed), one(&history, Variant::AllKept)), ("a=goLOST".into(), "a=good..".into()));
    // The next process reads the cache too, and loses it as well.
    let killed = ImageName { point: history.len(), rule: Rule::PosixStrict, variant: Variant::Killed };
    let second = history.image(&killed).expect("the point is there");
    write(&second.open(Path::new("/d/a")).expect("it is there"), 6, b"!");
    second.sync_dir(Path::new("/d")).expect("it is there");
    let seen = last(&second, Rule::PosixStrict);
    assert_eq!(seen, set(["a=goLOST!", "a=good..!", "a=good..", "a=good..."]));
}

#[test]
fn a_killed_process_leaves_unsynced_bytes_unsynced() {
    let fs = disk();
    let file = create(&fs, "a");
    write(&file, 0, b"x");
    let history = fs.history();
    let name = ImageName { point: 2, rule: Rule::PosixStrict, variant: Variant::Killed };
    let second = history.image(&name).expect("the point is there");
    assert_eq!((show(&second), second.op_count()), ("a=x".into(), 2));
    assert!(second.lock(Path::new("/d/LOCK")).is_ok(), "locks die with their process");
    assert_eq!(second.history().points(), 2..=3);
    assert_eq!(second.history().describe(2), "create /d/LOCK");
    assert_eq!(second.history().describe(0), "in an earlier life");
    assert_eq!(last(&second, Rule::Ext4Ordered), set(["", "a=", "a=x", "LOCK= a=", "LOCK= a=x"]));
    second.open(Path::new("/d/a")).and_then(|file| file.sync_all()).expect("memory does not fail");
    sync_dir(&second);
    assert_eq!(last(&second, Rule::PosixStrict), set(["LOCK= a=x"]));
}

#[test]
fn an_atomic_file_is_old_or_new_at_every_point_under_every_rule() {
    let fs = disk();
    let path = Path::new("/d/CURRENT");
    atomic_file::replace(&fs, path, b"old").expect("memory does not fail");
    let from = fs.op_count();
    atomic_file::replace(&fs, path, b"fresh").expect("memory does not fail");
    let history = fs.history();
    let plan = CrashPlan { subsets: 64, ..CrashPlan::ci() };
    for point in from..=history.len() {
        history.for_each_image(point, &plan, &mut |name, image| {
            let bytes = image.tree().remove(path);
            let is_new = bytes.as_deref() == Some(b"fresh");
            assert!(is_new || (bytes.as_deref() == Some(b"old") && point < history.len()), "{name}: {bytes:?}");
        });
    }
}

#[test]
fn images_are_disks_of_their_own() {
    let fs = disk();
    let log = fs.create_log(Path::new("/d/log"), 4096).expect("the name is free");
    log.write_at(0, b"abc").expect("memory does not fail");
    log.sync().expect("memory does not fail");
    sync_dir(&fs);
    let history = fs.history();
    let mut count = 0;
    history.for_each_image(history.len(), &CrashPlan::ci(), &mut |_, image| {
        image.record();
        image.write_raw(Path::new("/d/log"), 1, b"-").expect("it is there");
        image.flip(Path::new("/d/log"), 0, 0).expect("it is there");
        assert_eq!((show(&image), last(&image, Rule::PosixStrict)), ("log=`-c".into(), set(["log=`-c"])));
        count += 1;
    });
    assert_eq!((count, show(&fs)), (1, "log=abc".into()));
    assert_eq!(history.digest(), fs.history().digest());
    log.write_at(3, b"d").expect("memory does not fail");
    assert_ne!(history.digest(), fs.history().digest());
    assert_eq!(fs.history().describe(4), "write /d/log 3+1");
}
