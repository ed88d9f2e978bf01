//! A tree beside the simplest model of one: every version ever written, in a map.

use sediment_base::{FileUuid, KeyOrder, RangeTombstone, Result, SeqNo, merge_operator::Append};
use sediment_env::{Env, Priority, Spawn, SteppedClock, Stepper, ThreadSpawn, fs::MemFs};
use sediment_raw::epoch::pin;
use sediment_table::BlockCache;
use sediment_tree::{
    BegunGet, CompactionContext, CompactionReport, FlushContext, Helpers, IngestReport, OnSlice, Progress, Retention,
    SeqnoSource, Tree, TreeOptions, WriteBatch,
};
use std::{
    cmp::Ordering,
    collections::BTreeMap,
    ops::{Bound, ControlFlow},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

pub(crate) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;
pub(crate) type Ends = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// A tree, what it should hold, and what a database would know about it.
pub(crate) struct Pair {
    pub(crate) env: Env,
    pub(crate) dir: PathBuf,
    pub(crate) options: TreeOptions,
    pub(crate) tree: Tree,
    /// Key, then seqno, to what was written.
    versions: BTreeMap<Vec<u8>, BTreeMap<SeqNo, Row>>,
    ranges: Vec<RangeTombstone>,
    /// The next seqno.
    pub(crate) next: SeqNo,
    /// Rows that have their seqno and are still on their way.
    pub(crate) held: Vec<Held>,
    pub(crate) pins: Vec<SeqNo>,
    /// Where tree and rows take their seqnos from, if it is the same place.
    pub(crate) numbers: Option<Arc<Numbers>>,
    /// Flushes and compactions are told this one, and not the pins.
    pub(crate) watermark: Option<SeqNo>,
    /// Who helps compactions.
    pub(crate) helping: Option<Helping>,
    /// How many compactions were done in several portions.
    pub(crate) divided: AtomicU64,
}

/// Threads that help.
pub(crate) struct Helping {
    spawn: Arc<dyn Spawn>,
    ask: Box<dyn Fn(usize) -> usize + Send + Sync>,
    portion_bytes: u64,
}

impl Helping {
    /// So many at the same time.
    pub(crate) fn threads(count: usize) -> Self {
        Self { spawn: Arc::new(ThreadSpawn), ask: Box::new(move |_| count), portion_bytes: u64::MAX }
    }

    /// So many in name: all is done by who asks, one portion after the other.
    pub(crate) fn inline(count: usize) -> Self {
        Self { spawn: Arc::new(Stepper::new(0, SteppedClock::new(0))), ask: Box::new(move |_| count), portion_bytes: u64::MAX }
    }

    /// Nobody has time when the compaction begins, which is divided into portions of so many bytes all the same; `ask` tells later.
    pub(crate) fn later(portion_bytes: u64, ask: impl Fn(usize) -> usize + Send + Sync + 'static) -> Self {
        let has_begun = AtomicBool::new(false);
        let ask = move |wanted| if has_begun.swap(true, SeqCst) { ask(wanted) } else { 0 };
        Self { spawn: Arc::new(ThreadSpawn), ask: Box::new(ask), portion_bytes }
    }

    pub(crate) fn helpers(&self) -> Helpers<'_> {
        Helpers { spawn: &*self.spawn, priority: Priority::Low, ask: &*self.ask, portion_bytes: self.portion_bytes }
    }
}

/// The seqnos of one writer, for rows and for the tree's structure.
#[derive(Debug)]
pub(crate) struct Numbers {
    pub(crate) next: AtomicU64,
    pub(crate) visible: AtomicU64,
}

impl SeqnoSource for Numbers {
    fn next(&self) -> SeqNo {
        self.next.fetch_add(1, SeqCst)
    }

    fn show(&self, seqno: SeqNo) {
        self.visible.fetch_max(seqno, SeqCst);
    }
}

/// For work that nobody stops.
pub(crate) fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A compaction that nobody stops or helps with, and that draws no stamp.
pub(crate) fn compaction_under(retention: Retention) -> CompactionContext<'static> {
    CompactionContext { retention, now_us: 1, on_slice: &go_on, take_stamp: None, helpers: None }
}

/// What was written to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Value(Vec<u8>),
    Removed,
    WeaklyRemoved,
    /// To be appended.
    Operand(Vec<u8>),
}

/// A write that has its seqno and is still on its way.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Row(Vec<u8>, SeqNo, Row),
    Range(RangeTombstone),
}

impl Held {
    fn seqno(&self) -> SeqNo {
        match self {
            Self::Row(_, seqno, _) => *seqno,
            Self::Range(tombstone) => tombstone.seqno,
        }
    }
}

pub(crate) fn small_options(order: KeyOrder) -> TreeOptions {
    let mut options = TreeOptions::new(Arc::new(BlockCache::new(1 << 20)));
    options.order = order;
    options.merge_operator = Some(Arc::new(Append));
    options.block_bytes = 256;
    options.table_bytes = 4 << 10;
    options.level0_trigger = 3;
    options.level_ratio = 3;
    options.level_base_bytes = 8 << 10;
    options
}

impl Pair {
    pub(crate) fn create(order: KeyOrder, seed: u64) -> Result<Self> {
        Self::create_on(MemFs::new(), order, seed)
    }

    pub(crate) fn create_on(disk: MemFs, order: KeyOrder, seed: u64) -> Result<Self> {
        Self::create_in(Env::simulated(disk, seed), order)
    }

    pub(crate) fn create_in(env: Env, order: KeyOrder) -> Result<Self> {
        Self::create_with(env, small_options(order))
    }

    pub(crate) fn create_with(env: Env, options: TreeOptions) -> Result<Self> {
        let dir = Path::new("/tree").to_path_buf();
        let tree = Tree::create(&env, &dir, FileUuid([7; 16]), options.clone())?;
        Ok(Self {
            env,
            dir,
            options,
            tree,
            versions: BTreeMap::new(),
            ranges: Vec::new(),
            next: 1,
            held: Vec::new(),
            pins: Vec::new(),
            numbers: None,
            watermark: None,
            helping: None,
            divided: AtomicU64::new(0),
        })
    }

    /// One whose tree takes seqnos where its rows do, from this one on, and is told of watermarks: at first, that every version stays.
    pub(crate) fn stamped(env: Env, mut options: TreeOptions, next: SeqNo) -> Result<Self> {
        let numbers = Arc::new(Numbers { next: AtomicU64::new(next), visible: AtomicU64::new(next) });
        options.seqno_source = Some(Arc::clone(&numbers) as Arc<dyn SeqnoSource>);
        let pair = Self::create_with(env, options)?;
        Ok(Self { next, numbers: Some(numbers), watermark: Some(0), ..pair })
    }

    /// Takes a seqno.
    fn draw(&mut self) -> SeqNo {
        let seqno = self.upcoming();
        self.next = seqno + 1;
        if let Some(numbers) = &self.numbers {
            numbers.next.store(self.next, SeqCst);
        }
        seqno
    }

    /// The seqno that is drawn next.
    pub(crate) fn upcoming(&self) -> SeqNo {
        self.numbers.as_ref().map_or(self.next, |numbers| numbers.next.load(SeqCst))
    }

    pub(crate) fn write(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.hold(key, value);
        self.deliver(self.held.len() - 1)
    }

    pub(crate) fn write_row(&mut self, key: &[u8], row: Row) -> Result<()> {
        self.hold_row(key, row);
        self.deliver(self.held.len() - 1)
    }

    pub(crate) fn remove_range(&mut self, start: &[u8], end: &[u8]) -> Result<()> {
        self.hold_range(start, end);
        self.deliver(self.held.len() - 1)
    }

    /// Writes several keys under one seqno.
    pub(crate) fn write_batch(&mut self, rows: BTreeMap<Vec<u8>, Row>) -> Result<()> {
        let (mut batch, mut written) = (WriteBatch::new(), Vec::new());
        for (key, row) in rows {
            match &row {
                Row::Value(value) => batch.insert(&key[..], &value[..]),
                Row::Removed => batch.remove(&key[..]),
                Row::WeaklyRemoved => batch.remove_weak(&key[..]),
                // In two parts, which have to become one row.
                Row::Operand(operand) => {
                    let (first, second) = operand.split_at(operand.len() / 2);
                    batch.merge(&key[..], first);
                    batch.merge(&key[..], second);
                }
            }
            written.push((key, row));
        }
        let seqno = self.draw();
        written.into_iter().for_each(|(key, row)| drop(self.versions.entry(key).or_default().insert(seqno, row)));
        self.tree.apply(&batch, seqno)
    }

    /// Ingests rows, which ascend.
    pub(crate) fn ingest(&mut self, rows: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<IngestReport> {
        let (mut ingestion, seqno) = (self.tree.ingest(7), self.draw());
        for (key, value) in rows {
            match value {
                Some(value) => ingestion.insert(key, value)?,
                None => ingestion.remove(key)?,
            }
            let row = value.clone().map_or(Row::Removed, Row::Value);
            self.versions.entry(key.clone()).or_default().insert(seqno, row);
        }
        ingestion.finish(seqno)
    }

    /// Takes everything away, at the stamp that the tree draws for it.
    pub(crate) fn clear(&mut self) -> Result<()> {
        let seqno = self.upcoming();
        self.tree.clear(&self.retention())?;
        self.ranges.push(RangeTombstone { start: "".into(), end: "".into(), seqno });
        Ok(())
    }

    /// Gives a row its seqno, but not yet to the tree.
    pub(crate) fn hold(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.hold_row(key, value.map_or(Row::Removed, |value| Row::Value(value.to_vec())));
    }

    pub(crate) fn hold_row(&mut self, key: &[u8], row: Row) {
        let seqno = self.draw();
        self.versions.entry(key.to_vec()).or_default().insert(seqno, row.clone());
        self.held.push(Held::Row(key.to_vec(), seqno, row));
    }

    pub(crate) fn hold_range(&mut self, start: &[u8], end: &[u8]) {
        let tombstone = RangeTombstone { start: start.into(), end: end.into(), seqno: self.draw() };
        self.ranges.push(tombstone.clone());
        self.held.push(Held::Range(tombstone));
    }

    /// Gives the tree a write that was held back.
    pub(crate) fn deliver(&mut self, index: usize) -> Result<()> {
        match self.held.swap_remove(index) {
            Held::Row(key, seqno, Row::Value(value)) => self.tree.insert(&key, &value, seqno),
            Held::Row(key, seqno, Row::Removed) => self.tree.remove(&key, seqno),
            Held::Row(key, seqno, Row::WeaklyRemoved) => self.tree.remove_weak(&key, seqno),
            Held::Row(key, seqno, Row::Operand(operand)) => self.tree.merge(&key, &operand, seqno),
            Held::Range(RangeTombstone { start, end, seqno }) => self.tree.remove_range(&start, &end, seqno),
        }
    }

    pub(crate) fn deliver_all(&mut self) -> Result<()> {
        (0..self.held.len()).rev().try_for_each(|index| self.deliver(index))
    }

    /// What a reader of the latest reads at: every row below is in the tree.
    pub(crate) fn visible(&self) -> SeqNo {
        self.held.iter().map(Held::seqno).min().unwrap_or_else(|| self.upcoming())
    }

    /// Forgets what no reader in use can ask for, so that long histories stay quick.
    pub(crate) fn forget_old(&mut self) {
        let oldest = self.pins.iter().copied().chain([self.visible()]).min().unwrap_or(0);
        let keys: Vec<Vec<u8>> = self.versions.keys().cloned().collect();
        for key in keys {
            let value = self.expected(&key, oldest);
            let versions = self.versions.get_mut(&key).expect("just listed");
            *versions = versions.split_off(&oldest);
            if let Some(value) = value {
                versions.insert(oldest - 1, Row::Value(value));
            }
        }
        self.ranges.retain(|range| range.seqno >= oldest);
    }

    pub(crate) fn retention(&self) -> Retention {
        if let Some(watermark) = self.watermark {
            return Retention::Watermark(watermark);
        }
        let mut pins = self.pins.clone();
        pins.sort_unstable();
        Retention::Snapshots { pins, horizon: self.visible(), keep_all_from: SeqNo::MAX }
    }

    pub(crate) fn seal(&self) -> bool {
        self.tree.seal(self.upcoming().saturating_sub(1))
    }

    /// Seals, and flushes what no held row belongs into.
    pub(crate) fn flush(&self) -> Result<()> {
        self.seal();
        self.flush_sealed()
    }

    pub(crate) fn flush_sealed(&self) -> Result<()> {
        let (retention, through) = (self.retention(), self.visible().saturating_sub(1));
        self.tree
            .flush(&FlushContext {
                retention,
                now_us: 5,
                through,
                covered: None,
                before_publish: &|_| Ok(()),
                on_slice: &go_on,
            })
            .map(drop)
    }

    /// Waits until nothing waits to be freed, which may take other tests' threads that are in the middle of a read: only then do reads
    /// end under their pin.
    pub(crate) fn settle(&self) -> Result<()> {
        for _ in 0..100_000 {
            let mut value = ();
            let begun = self.tree.begin_get(&pin(), b"", || self.next, &mut value)?;
            if matches!(begun, BegunGet::Ended(_)) {
                return Ok(());
            }
            begun.finish()?;
            std::thread::yield_now();
        }
        panic!("what no reader holds is not let go");
    }

    pub(crate) fn compact_due(&self) -> Result<usize> {
        let mut count = 0;
        while let Some(plan) = self.tree.pick_compaction(9) {
            self.note(&self.tree.compact(plan, &self.compaction(&go_on))?);
            count += 1;
        }
        Ok(count)
    }

    pub(crate) fn compact_all(&self) -> Result<()> {
        self.tree.compact_all(&self.compaction(&go_on)).map(|report| self.note(&report))
    }

    pub(crate) fn compaction<'a>(&'a self, on_slice: OnSlice<'a>) -> CompactionContext<'a> {
        let helpers = self.helping.as_ref().map(Helping::helpers);
        CompactionContext { retention: self.retention(), now_us: 9, on_slice, take_stamp: None, helpers }
    }

    fn note(&self, report: &CompactionReport) {
        self.divided.fetch_add(u64::from(report.portions > 1), SeqCst);
    }

    /// Memtables are gone after this: deliver and flush first.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        self.tree = Tree::open(&self.env, &self.dir, self.options.clone())?;
        Ok(())
    }

    pub(crate) fn expected(&self, key: &[u8], read_seqno: SeqNo) -> Option<Vec<u8>> {
        let order = &self.options.order;
        let covering = self.ranges.iter().filter(|range| range.seqno < read_seqno && range.contains(key, order));
        let cover = covering.map(|range| range.seqno).max().unwrap_or(0);
        let (mut base, mut operands) = (None, Vec::new());
        for (seqno, row) in self.versions.get(key)?.range(..read_seqno).rev() {
            match row {
                _ if *seqno < cover => break,
                Row::Value(value) => base = Some(value.clone()),
                Row::Removed | Row::WeaklyRemoved => {}
                Row::Operand(operand) => {
                    operands.insert(0, operand.clone());
                    continue;
                }
            }
            break;
        }
        (base.is_some() || !operands.is_empty())
            .then(|| base.unwrap_or_default().into_iter().chain(operands.concat()).collect())
    }

    /// The newest version of a key, and its seqno; of keys that have no operands.
    pub(crate) fn newest(&self, key: &[u8], read_seqno: SeqNo) -> Option<(SeqNo, Option<Vec<u8>>)> {
        let (seqno, _) = self.versions.get(key)?.range(..read_seqno).next_back()?;
        Some((*seqno, self.expected(key, read_seqno)))
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        self.options.order.compare(a, b)
    }

    pub(crate) fn expected_range(&self, ends: &Ends, read_seqno: SeqNo) -> Pairs {
        let is_inside = |key: &[u8]| {
            let lower = match &ends.0 {
                Bound::Included(end) => self.compare(key, end).is_ge(),
                Bound::Excluded(end) => self.compare(key, end).is_gt(),
                Bound::Unbounded => true,
            };
            let upper = match &ends.1 {
                Bound::Included(end) => self.compare(key, end).is_le(),
                Bound::Excluded(end) => self.compare(key, end).is_lt(),
                Bound::Unbounded => true,
            };
            lower && upper
        };
        let visible = |key: &Vec<u8>| Some((key.clone(), self.expected(key, read_seqno)?));
        let mut pairs: Pairs = self.versions.keys().filter(|key| is_inside(key)).filter_map(visible).collect();
        pairs.sort_by(|a, b| self.compare(&a.0, &b.0));
        pairs
    }

    pub(crate) fn scanned(&self, ends: &Ends, read_seqno: SeqNo) -> Result<Pairs> {
        self.tree.range(ends.clone(), read_seqno).map(owned).collect()
    }

    /// Whether it comes true with one of the next reads. What nobody holds any more goes with the first read after which no
    /// thread of the process, be it of another test, is in the middle of one that began before.
    pub(crate) fn eventually(&self, is_true: impl Fn() -> bool) -> bool {
        (0..100_000).any(|_| {
            drop(self.tree.range::<Vec<u8>, _>(.., self.upcoming()));
            std::thread::yield_now();
            is_true()
        })
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.versions.keys()
    }
}

pub(crate) fn owned(pair: Result<(sediment_base::Slice, sediment_base::Slice)>) -> Result<(Vec<u8>, Vec<u8>)> {
    pair.map(|(key, value)| (key.to_vec(), value.to_vec()))
}
