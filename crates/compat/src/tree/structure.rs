//! Changes of the structure: rotation, flush, compaction, ingestion, clearing.

use super::{Tree, TreeInner, lock};
use crate::{
    compaction::{Asked, Choice, CompactionAction, CompactionResult, CompactionStrategy, DropRange, Major},
    error::{Result, of_tree},
    memtable::Memtable,
    seqno::SeqNo,
};
use sediment_base::Slice;
use sediment_tree::{CompactionContext, FlushContext, Plan, Progress, Retention};
use std::{
    ops::{Bound, ControlFlow},
    sync::{Arc, MutexGuard, atomic::Ordering},
};

impl TreeInner {
    pub(crate) fn lock_flushes(&self) -> MutexGuard<'_, ()> {
        lock(&self.flush_lock)
    }

    /// Flushes what is sealed, for who holds the lock; bytes of the memtables, if there were any.
    pub(crate) fn flush_sealed(&self, watermark: SeqNo) -> Result<Option<u64>> {
        self.move_orphans()?;
        let bytes = self.tree.pressure().sealed_bytes as u64;
        let context = FlushContext {
            retention: Retention::Watermark(watermark),
            now_us: self.clock.wall_us(),
            through: SeqNo::MAX,
            covered: None,
            before_publish: &|_| Ok(()),
            on_slice: &go_on,
        };
        let report = self.tree.flush(&context).map_err(of_tree)?;
        Ok((report.memtables > 0).then_some(bytes))
    }

    /// Lock, seal, flush.
    pub(crate) fn flush_active(&self, watermark: SeqNo) -> Result<()> {
        let _flushing = self.lock_flushes();
        self.tree.seal(BOUNDARY);
        self.flush_sealed(watermark).map(drop)
    }

    pub(crate) fn compact_by(&self, strategy: &dyn CompactionStrategy, watermark: SeqNo) -> Result<CompactionResult> {
        self.move_orphans()?;
        let asked = Asked::new(strategy, &self.config);
        let plan = self.tree.pick_with(&asked, self.clock.wall_us());
        self.run(plan, &asked.chosen(), watermark)
    }

    pub(crate) fn compact_major(&self, target_size: u64, watermark: SeqNo) -> Result<CompactionResult> {
        let result = self.compact_alone(&Major { target_size }, watermark)?;
        if result.action != CompactionAction::Nothing {
            return Ok(result);
        }
        self.generators.pass();
        let dest_level = Some(self.config.level_count - 1);
        Ok(CompactionResult { action: CompactionAction::Merged, dest_level, tables_in: 0, tables_out: 0 })
    }

    pub(crate) fn drop_tables(&self, bounds: (Bound<Slice>, Bound<Slice>)) -> Result<()> {
        let strategy = DropRange { bounds, order: self.tree.order().clone() };
        let result = self.compact_alone(&strategy, 0)?;
        if result.action == CompactionAction::Nothing {
            self.generators.pass();
        }
        Ok(())
    }

    pub(crate) fn clear_all(&self) -> Result<()> {
        self.move_orphans()?;
        self.tree.clear(&Retention::Watermark(SeqNo::MAX)).map_err(of_tree)
    }

    fn compact_alone(&self, strategy: &dyn CompactionStrategy, watermark: SeqNo) -> Result<CompactionResult> {
        self.move_orphans()?;
        let asked = Asked::new(strategy, &self.config);
        let plan = self.tree.pick_alone(&asked, self.clock.wall_us());
        self.run(plan, &asked.chosen(), watermark)
    }

    fn run(&self, plan: Option<Plan>, choice: &Choice, watermark: SeqNo) -> Result<CompactionResult> {
        let Some(plan) = plan else { return Ok(CompactionResult::nothing()) };
        let context = CompactionContext {
            retention: Retention::Watermark(watermark),
            now_us: self.clock.wall_us(),
            on_slice: &|progress| self.pace(progress),
            take_stamp: None,
            helpers: None,
        };
        self.compacting.fetch_add(1, Ordering::AcqRel);
        let compacted = self.tree.compact(plan, &context);
        self.compacting.fetch_sub(1, Ordering::AcqRel);
        let report = compacted.map_err(of_tree)?;
        let (action, dest_level) = match choice {
            Choice::DoNothing => (CompactionAction::Nothing, None),
            Choice::Move(input) => (CompactionAction::Moved, Some(input.dest_level)),
            Choice::Merge(input) => (CompactionAction::Merged, Some(input.dest_level)),
            Choice::Drop(_) => (CompactionAction::Dropped, None),
        };
        Ok(CompactionResult { action, dest_level, tables_in: report.tables_in, tables_out: report.tables_out })
    }

    /// Keeps a compaction within the limit of what may be written: it sleeps for as long as what it wrote may take.
    fn pace(&self, progress: Progress) -> ControlFlow<()> {
        let limit = self.config.compaction_rate_limit;
        if let Some(us) = progress.bytes_written.saturating_mul(1_000_000).checked_div(limit) {
            self.clock.sleep_us(us);
        }
        ControlFlow::Continue(())
    }
}

impl Tree {
    /// Seals the active memtable and shows it; none if it is empty.
    pub(crate) fn rotate(&self) -> Option<Arc<Memtable>> {
        let is_sealed = self.tree.seal(BOUNDARY);
        let sealed = is_sealed.then(|| self.tree.memtables().into_iter().nth(1))??;
        Some(Arc::new(Memtable::of_tree(sealed, self.behind())))
    }

    pub(crate) fn begin_ingestion(&self) -> sediment_tree::Ingestion {
        self.tree.ingest(self.clock.wall_us())
    }

    /// Flushes what was written before, and shows the rows behind it.
    pub(crate) fn finish_ingestion(&self, rows: sediment_tree::Ingestion) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let _flushing = self.lock_flushes();
        self.tree.seal(BOUNDARY);
        self.flush_sealed(0)?;
        let seqno = self.generators.seqno.next();
        let finished = rows.finish(seqno);
        // The number is taken, whatever came of it.
        self.generators.visible.fetch_max(seqno + 1);
        finished.map(drop).map_err(of_tree)
    }
}

/// Rows go into the memtable that is active when they come: a boundary says which rows a sealed one is still due to get.
const BOUNDARY: SeqNo = 0;

fn go_on(_progress: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
