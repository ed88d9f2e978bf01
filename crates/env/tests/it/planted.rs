//! The planted bug of this crate bites where a simulation can notice it. Run alone: a planted bug is the whole process's.

use sediment_base::planted::{Bug, plant};
use sediment_env::{FaultFs, Fs, MemFs, fs::Fault, fs::FaultRule};
use std::{path::Path, sync::Arc};

#[test]
fn an_ignored_short_write_leaves_holes() {
    let mem = MemFs::new();
    let whole = mem.create(Path::new("/a")).expect("the name is free");
    plant(Some(Bug::IgnoreShortWrite));
    for call in 0..16 {
        whole.write_at(call * 4, b"1234").expect("memory does not fail");
    }
    let faulty = FaultFs::new(Arc::new(mem.clone()));
    faulty.arm(FaultRule::nth(0, Fault::ShortWrite));
    let cut = faulty.create(Path::new("/b")).expect("the name is free").write_at(0, b"1234");
    plant(None);
    assert!(cut.is_ok());
    assert_eq!((whole.len().ok(), mem.tree()[Path::new("/b")].as_slice()), (Some(62), &b"12"[..]));
}
