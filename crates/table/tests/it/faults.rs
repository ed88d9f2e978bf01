//! A disk that fails, and many readers at once.

use crate::{
    order::orders,
    rows::{Row, context, path, write},
};
use sediment_base::{Cursor, Error, ErrorKind, Result, seqno::SEQNO_MAX};
use sediment_codec::hash::key_hash;
use sediment_env::{
    File, Fs, LogFile,
    fs::{DirEntry, DirLock},
    random::SeededRandom,
};
use sediment_table::{Table, TableContext, TableOptions};
use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
};

/// Fails reads: those with numbers from `first` on, `times` of them.
#[derive(Debug, Default)]
struct Plan {
    until: AtomicI64,
    times: AtomicI64,
}

impl Plan {
    fn arm(&self, after: i64, times: i64) {
        self.until.store(after, SeqCst);
        self.times.store(times, SeqCst);
    }

    fn fails(&self) -> bool {
        self.until.fetch_sub(1, SeqCst) <= 0 && self.times.fetch_sub(1, SeqCst) > 0
    }
}

#[derive(Debug)]
struct BadFile(Arc<dyn File>, Arc<Plan>);

impl File for BadFile {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        if self.1.fails() {
            return Err(Error::io("read", self.path(), io::ErrorKind::Other.into()).at(offset));
        }
        // Short reads, too.
        let len = buf.len().min(1000);
        self.0.read_at(offset, &mut buf[..len])
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn len(&self) -> Result<u64> {
        self.0.len()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> Result<()> {
        self.0.sync_all()
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[derive(Debug)]
struct BadFs(Arc<dyn Fs>, Arc<Plan>);

impl Fs for BadFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        self.0.create(path)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(Arc::new(BadFile(self.0.open(path)?, Arc::clone(&self.1))))
    }

    fn create_log(&self, path: &Path, capacity: u64) -> Result<Arc<dyn LogFile>> {
        self.0.create_log(path, capacity)
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.0.create_dir(path)
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<DirEntry>> {
        self.0.read_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.0.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> Result<()> {
        self.0.hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.0.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> Result<()> {
        self.0.remove_dir(path)
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        self.0.exists(path)
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.0.sync_dir(path)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DirLock>> {
        self.0.lock(path)
    }

    fn available_bytes(&self, path: &Path) -> Result<Option<u64>> {
        self.0.available_bytes(path)
    }
}

fn rows() -> Vec<Row> {
    (0..3000).map(|i| Row::new(format!("key {i:05}"), 100 + i, format!("value {i}"))).collect()
}

fn scan(table: &Arc<Table>) -> Result<usize> {
    let mut cursor = table.cursor_uncached();
    cursor.seek_to_first()?;
    let mut count = 0;
    while cursor.is_valid() {
        count += 1;
        cursor.next()?;
    }
    Ok(count)
}

#[test]
fn one_failed_read_is_tried_again_and_a_lasting_one_is_reported() {
    let plan = Arc::new(Plan::default());
    let sound = context(&orders()[0], 0);
    let context = TableContext { fs: Arc::new(BadFs(Arc::clone(&sound.fs), Arc::clone(&plan))), ..sound };
    let rows = rows();
    let meta = write(&context, &TableOptions::default(), &rows);
    for after in 0..40 {
        plan.arm(after, 1);
        let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
        assert_eq!(scan(&table).unwrap(), rows.len());
        let found = table.get(b"key 00700", key_hash(0, b"key 00700"), SEQNO_MAX).unwrap();
        assert_eq!(&found.unwrap().value[..], b"value 700");
    }
    plan.arm(i64::MAX, 0);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    plan.arm(0, i64::MAX);
    let errors = [
        scan(&table).unwrap_err(),
        table.get(b"key 00700", key_hash(0, b"key 00700"), SEQNO_MAX).unwrap_err(),
        Table::open(&context, &path(), &meta).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(error.location().unwrap().file, path());
    }
    plan.arm(i64::MAX, 0);
    assert_eq!(scan(&table).unwrap(), rows.len());
}

#[test]
fn readers_share_a_cache_that_is_far_too_small() {
    let context = context(&orders()[0], 40_000);
    let rows = rows();
    let options = TableOptions { block_bytes: 1024, ..TableOptions::default() };
    let meta = write(&context, &options, &rows);
    let table = Arc::new(Table::open(&context, &path(), &meta).unwrap());
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (table, rows) = (Arc::clone(&table), &rows);
            scope.spawn(move || {
                let random = SeededRandom::new(seed);
                for _ in 0..3000 {
                    let row = &rows[random.below(rows.len() as u64) as usize];
                    let found = table.get(&row.key, key_hash(0, &row.key), SEQNO_MAX).unwrap().unwrap();
                    assert_eq!(found.value[..], row.value[..]);
                    if random.below(500) == 0 {
                        assert_eq!(scan(&table).unwrap(), rows.len());
                    }
                }
            });
        }
    });
    assert!(context.cache.used_bytes() <= context.cache.capacity_bytes());
    assert!(context.cache.misses() > 100);
    drop(table);
    assert_eq!(context.cache.used_bytes(), 0);
}
