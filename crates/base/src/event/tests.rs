//! Who is told, in which order, and what a panic does.

use super::{
    EventListener, FlushBegan, FlushEnded, Listeners, NoSpaceEnded, PaceChanged, Poisoned, StopReason, TableDeleted,
    WalFileBegun, WritesResumed, WritesStopped,
};
use crate::{Error, TableId, TreeId, WalId};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

type Heard = Arc<Mutex<Vec<String>>>;

/// Writes down what it hears.
struct Scribe(&'static str, Heard);

impl Scribe {
    fn note(&self, what: String) {
        self.1.lock().expect("no panic under it").push(format!("{}: {what}", self.0));
    }
}

impl EventListener for Scribe {
    fn flush_ended(&self, event: &FlushEnded) {
        self.note(format!("flush of {} ended with {} rows", event.keyspace, event.rows));
    }

    fn writes_stopped(&self, event: &WritesStopped) {
        self.note(format!("stopped for {:?}", event.reason));
    }

    fn writes_resumed(&self, event: &WritesResumed) {
        self.note(format!("resumed after {} us", event.stopped_us));
    }

    fn table_deleted(&self, event: &TableDeleted) {
        self.note(format!("{} is gone", event.path.display()));
    }

    fn poisoned(&self, event: &Poisoned) {
        self.note(event.cause.to_string());
    }
}

/// Does not survive the sight of a full disk.
struct Fragile(Heard);

impl EventListener for Fragile {
    fn poisoned(&self, _: &Poisoned) {
        self.0.lock().expect("no panic under it").push("fragile".into());
        // Not `panic!`, whose message would be printed.
        std::panic::resume_unwind(Box::new("a mistake of a listener"));
    }
}

fn flush_ended(rows: u64) -> FlushEnded {
    FlushEnded {
        keyspace: "users".into(),
        tree: TreeId(3),
        memtables: 1,
        tables: 1,
        rows,
        bytes: 100,
        duration_us: 7,
        error: None,
    }
}

#[test]
fn everybody_is_told_in_the_order_given() {
    let heard = Heard::default();
    let listeners: Vec<Arc<dyn EventListener>> =
        vec![Arc::new(Scribe("b", Arc::clone(&heard))), Arc::new(Scribe("a", Arc::clone(&heard)))];
    let listeners = Listeners::new(listeners);
    listeners.tell(|| flush_ended(5));
    listeners.tell(|| WritesStopped { reason: StopReason::Memory });
    // What nobody wrote a method for is heard by nobody.
    listeners.tell(|| FlushBegan { keyspace: "users".into(), tree: TreeId(3), memtables: 1, bytes: 9 });
    listeners.tell(|| PaceChanged { bytes_per_second: Some(1 << 20), before: None });
    listeners.tell(|| WalFileBegun { wal: WalId(4) });
    listeners.tell(|| WritesResumed { reason: StopReason::Memory, stopped_us: 12 });
    listeners.tell(|| TableDeleted { path: Path::new("/db/trees/3/tables/8").into(), table: TableId(8) });
    let expected = [
        "b: flush of users ended with 5 rows",
        "a: flush of users ended with 5 rows",
        "b: stopped for Memory",
        "a: stopped for Memory",
        "b: resumed after 12 us",
        "a: resumed after 12 us",
        "b: /db/trees/3/tables/8 is gone",
        "a: /db/trees/3/tables/8 is gone",
    ];
    assert_eq!(*heard.lock().expect("no panic under it"), expected);
}

#[test]
fn a_panic_ends_with_its_listener() {
    let heard = Heard::default();
    let scribe = |name| -> Arc<dyn EventListener> { Arc::new(Scribe(name, Arc::clone(&heard))) };
    let listeners = Listeners::new(vec![scribe("first"), Arc::new(Fragile(Arc::clone(&heard))), scribe("last")]);
    for _ in 0..2 {
        listeners.tell(|| Poisoned { cause: Error::corruption("a block") });
    }
    let told = heard.lock().expect("no panic under it");
    let calls: Vec<&str> = told.iter().map(|text| text.split(':').next().expect("a name")).collect();
    assert_eq!(calls, ["first", "fragile", "last", "first", "fragile", "last"]);
    assert_eq!(listeners.panics(), 2);
}

#[test]
fn where_nobody_listens_no_event_is_made() {
    let listeners = Listeners::default();
    assert!(listeners.is_empty());
    let mut is_made = false;
    listeners.tell(|| {
        is_made = true;
        NoSpaceEnded { duration_us: 1 }
    });
    assert!(!is_made);
    assert!(!Listeners::new(vec![Arc::new(Scribe("a", Heard::default()))]).is_empty());
}
