//! What each injected fault does, and when.

use sediment_base::ErrorKind;
use sediment_env::{
    FaultFs, Fs, MemFs, atomic_file,
    fs::{Call, CrashPlan, Fault, FaultRule, ImageName, Rule, Variant, is_not_found},
};
use std::{path::Path, sync::Arc};

fn faulty() -> (MemFs, FaultFs) {
    let mem = MemFs::new();
    mem.record();
    (mem.clone(), FaultFs::new(Arc::new(mem)))
}

fn bytes(fs: &MemFs, path: &str) -> Vec<u8> {
    fs.tree().remove(Path::new(path)).expect("it is there")
}

#[test]
fn a_rule_strikes_once_or_until_disarmed() {
    let (mem, fs) = faulty();
    let file = fs.create(Path::new("/a")).expect("nothing is armed");
    fs.arm(FaultRule::nth(1, Fault::Eio).matching(|call, path| call == Call::Write && path == Path::new("/a")));
    file.write_at(0, b"1").expect("it is the call before");
    assert_eq!(file.write_at(1, b"2").expect_err("its turn").kind(), ErrorKind::Io);
    file.write_at(2, b"3").expect("it struck once");
    fs.arm(FaultRule::nth(0, Fault::Eio).sticky());
    assert!(file.write_at(3, b"4").is_err() && file.sync_all().is_err() && file.len().is_err() && file.set_len(0).is_err());
    let mut buf = [0];
    assert!(file.read_at(0, &mut buf).is_err() && fs.open(Path::new("/a")).is_err() && fs.lock(Path::new("/L")).is_err());
    assert!(fs.open(Path::new("/none")).is_err_and(|error| !is_not_found(&error)));
    fs.disarm();
    file.sync_data().expect("nothing is armed");
    assert_eq!(bytes(&mem, "/a"), b"1\x003");
    assert_eq!((fs.injected().len(), fs.injected()[0].as_str()), (9, "Eio into call 2: Write /a"));
}

#[test]
fn a_full_disk_takes_what_fits() {
    let (mem, fs) = faulty();
    fs.arm(FaultRule::nth(0, Fault::NoSpace { after_bytes: 7 }).sticky());
    let log = fs.create_log(Path::new("/a"), 100).expect("names need no space");
    log.write_at(0, b"12345").expect("it fits");
    assert_eq!(fs.available_bytes(Path::new("/")).expect("it is there"), Some(2));
    assert_eq!(log.write_at(5, b"6789").expect_err("two bytes are left").kind(), ErrorKind::NoSpace);
    assert_eq!(log.write_at(5, b"6").expect_err("it is full").kind(), ErrorKind::NoSpace);
    assert_eq!(bytes(&mem, "/a"), b"1234567");
    fs.disarm();
    fs.arm(FaultRule::nth(0, Fault::NoSpace { after_bytes: 0 }));
    assert!(log.write_at(7, b"8").is_err() && log.write_at(7, b"8").is_ok());
}

#[test]
fn short_counts_are_made_whole_and_partial_writes_are_not() {
    let (mem, fs) = faulty();
    let file = fs.create(Path::new("/a")).expect("nothing is armed");
    fs.arm(FaultRule::nth(0, Fault::ShortWrite));
    file.write_at(0, b"sediment").expect("the rest follows");
    assert_eq!((bytes(&mem, "/a"), mem.op_count()), (b"sediment".to_vec(), 3));
    fs.arm(FaultRule::nth(0, Fault::ShortRead).sticky());
    let mut buf = [0; 8];
    assert_eq!(file.read_at(0, &mut buf).expect("short is no error"), 4);
    file.read_exact_at(0, &mut buf).expect("it asks again");
    assert_eq!(&buf, b"sediment");
    fs.disarm();
    fs.arm(FaultRule::nth(0, Fault::PartialWrite));
    assert!(file.write_at(8, b"1234").is_err());
    fs.arm(FaultRule::nth(0, Fault::LostWrite));
    file.write_at(0, b"lost").expect("it lies");
    assert_eq!(bytes(&mem, "/a"), b"sediment12");
}

#[test]
fn a_lost_sync_is_never_made_good() {
    let (mem, fs) = faulty();
    let log = fs.create_log(Path::new("/a"), 100).expect("nothing is armed");
    fs.sync_dir(Path::new("/")).expect("nothing is armed");
    log.write_at(0, b"gone").expect("nothing is armed");
    fs.arm(FaultRule::nth(0, Fault::SyncLost));
    assert_eq!(log.sync().expect_err("its turn").kind(), ErrorKind::Io);
    log.write_at(4, b"kept").and_then(|()| log.sync()).expect("it struck once");
    assert_eq!(bytes(&mem, "/a"), b"gonekept");
    let history = mem.history();
    let name = ImageName { point: history.len(), rule: Rule::PosixStrict, variant: Variant::AllKept };
    assert_eq!(bytes(&history.image(&name).expect("the point is there"), "/a"), b"\0\0\0\0kept");
}

#[test]
fn an_atomic_file_is_old_or_new_whichever_call_fails() {
    let faults = [Fault::Eio, Fault::PartialWrite, Fault::ShortWrite, Fault::SyncLost, Fault::NoSpace { after_bytes: 2 }];
    for fault in faults {
        for nth in 0.. {
            let (mem, fs) = faulty();
            let path = Path::new("/CURRENT");
            atomic_file::replace(&fs, path, b"old").expect("nothing is armed");
            let from = mem.op_count();
            fs.arm(FaultRule::nth(nth, fault));
            let replaced = atomic_file::replace(&fs, path, b"fresh");
            let history = mem.history();
            for point in from..=history.len() {
                history.for_each_image(point, &CrashPlan::ci(), &mut |name, image| {
                    let found = bytes(&image, "/CURRENT");
                    let is_old = found == b"old" && (point < history.len() || replaced.is_err());
                    assert!(is_old || found == b"fresh", "{fault:?} {nth} {name}: {found:?}");
                });
            }
            if fs.injected().is_empty() {
                break;
            }
            assert!(nth < 100, "the script ends");
        }
    }
}
