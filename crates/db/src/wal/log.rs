//! `Log`: the way of a record into the log.
//!
//! Whoever commits takes seqnos under a short lock and finds the record behind those that wait. Then one of those who wait
//! *leads*: it takes all that waits and writes it with one call of the system, outside the lock, while others line up behind. What
//! was written is *settled*: it has its place in the order of visibility, and each committer applies its own record. A commit of
//! [`Durability::Memory`] settles at once, as long as nothing before it is in doubt, and is written with the next group.
//!
//! Where the file is mapped into memory, a short record that finds nobody before it is written *at once*, under the lock that gives it its
//! seqnos: copying takes less time than a second lock would, and less than keeping the record until later. Nobody leads then, and nobody
//! waits for who leads.
//!
//! Nothing is applied before it is settled, so a failed write refuses everybody in the group and behind it, and their seqnos are
//! given again.

use crate::{
    options::Durability,
    wal::{
        crowd,
        fatal::Fatal,
        file_list::FileList,
        files::WalDir,
        format::{Anchor, RecordKind},
        lots::{Lots, wait_briefly},
        order::Order,
        prepared::Prepared,
        reader::Recovered,
        submitted::{Settled, Submitted},
        sync::{Position, Syncer},
        watch::Watched,
        writer::{Before, Link, Writer},
    },
};
use sediment_base::{Error, ErrorKind, KeyOrder, KeyspaceId, Result, SeqNo};
use sediment_raw::{
    lead::Lead,
    ratchet::{Ticket, Tickets},
    sync::OwnLines,
};
use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering},
};

/// The write-ahead log. Shared.
#[derive(Debug)]
pub(crate) struct Log {
    order: OwnLines<Mutex<Order>>,
    /// Whoever has it may lock the writer.
    lead: Lead,
    writer: OwnLines<Mutex<Writer>>,
    wants_help: AtomicBool,
    pub(super) fatal: Arc<Fatal>,
    pub(super) lots: Arc<Lots>,
    pub(super) syncer: Arc<Syncer>,
    pub(super) files: Arc<FileList>,
    pub(super) dir: WalDir,
}

/// A record that is in the log, or stands to be written.
#[derive(Debug)]
#[must_use = "others wait until it is applied"]
pub(crate) struct Placed<'a> {
    seqno: SeqNo,
    record: Kept<'a>,
    /// Its place in the order of visibility.
    pub(crate) ticket: Option<Ticket>,
    /// Where it is in the files; `None` while it waits in the process.
    pub(crate) position: Option<Position>,
}

/// Who has the record.
#[derive(Debug)]
enum Kept<'a> {
    /// Nobody else: it was written at once.
    Own(Prepared<'a>),
    /// Those too who write it.
    Shared(Arc<Submitted>),
}

impl<'a> Placed<'a> {
    /// Its first seqno.
    pub(crate) fn seqno(&self) -> SeqNo {
        self.seqno
    }

    /// The seqno after its last.
    pub(crate) fn end_seqno(&self) -> SeqNo {
        self.seqno + SeqNo::from(self.record().count())
    }

    pub(crate) fn record(&self) -> &Prepared<'a> {
        match &self.record {
            Kept::Own(record) => record,
            Kept::Shared(submitted) => submitted.record(),
        }
    }

    /// One that went the way of the queue, after it was decided.
    fn of(submitted: Arc<Submitted>) -> Result<Self> {
        let Settled { ticket, position } = submitted.outcome()?;
        Ok(Self { seqno: submitted.seqno(), record: Kept::Shared(submitted), ticket, position })
    }
}

/// A watch on a key, from its making on; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    log: &'a Log,
    watched: Arc<Watched>,
    settled: SeqNo,
}

impl<'a> Watch<'a> {
    /// Begins to watch, and returns once every commit that took its place before is decided.
    pub(crate) fn new(log: &'a Log, keyspace: KeyspaceId, key: &[u8], order_of_keys: KeyOrder) -> Result<Self> {
        let watched = Watched::new(keyspace, key, order_of_keys);
        let before = {
            let mut order = log.order();
            log.check_order(&order)?;
            order.watches.add(Arc::clone(&watched));
            order.next()
        };
        let mut watch = Self { log, watched, settled: before };
        // Those that are refused give their seqnos back.
        wait_briefly(&*log.lots.written, &mut || {
            let order = log.order();
            watch.settled = order.settled().min(before);
            order.settled() >= before || order.next() < before || log.check_order(&order).is_err()
        });
        log.check()?;
        Ok(watch)
    }

    /// Every commit with smaller seqnos that took its place before the watch began stands, and no other does.
    pub(crate) fn settled(&self) -> SeqNo {
        self.settled
    }

    /// `Conflict` if a commit that took its place since may have changed the key. To be asked where one's own takes it.
    pub(crate) fn check(&self) -> Result<()> {
        if self.watched.is_touched() { Err(Error::new(ErrorKind::Conflict, "the key was written meanwhile")) } else { Ok(()) }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.log.order().watches.remove(&self.watched);
    }
}

impl Log {
    /// Goes on where replay ended. Writes nothing yet. Commits get these tickets, for what is visible to follow them.
    pub(crate) fn new(dir: WalDir, recovered: Recovered, fatal: Arc<Fatal>, lots: Arc<Lots>, tickets: Tickets) -> Self {
        let next = recovered.next_seqno;
        let durable = recovered.tail.map_or(next, |tail| tail.first_seqno);
        let link = recovered.last.map(|(file, end)| Link { id: file.id, uuid: file.uuid, end });
        let files = Arc::new(FileList::new(recovered.files, recovered.next_id));
        let syncer = Syncer::new(durable, Arc::clone(&fatal), Arc::clone(&lots), Arc::clone(&dir.instruments));
        let syncer = Arc::new(syncer);
        let before = Before { link, tail: recovered.tail, next };
        let writer = Writer::new(dir.clone(), Arc::clone(&fatal), Arc::clone(&syncer), Arc::clone(&files), before);
        Self {
            order: OwnLines::new(Mutex::new(Order::new(next, tickets, &dir.instruments.budget))),
            lead: Lead::new(),
            writer: OwnLines::new(Mutex::new(writer)),
            wants_help: AtomicBool::new(false),
            fatal,
            lots,
            syncer,
            files,
            dir,
        }
    }

    /// Refuses when the log was closed or has failed.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_order(&self.order())
    }

    /// Gives a record its place in the order, and hands it to the operating system unless `durability` lets it wait and it would have to.
    /// `admit` may refuse it at the moment in which the order is decided. On an error nothing has happened.
    pub(crate) fn submit<'a>(
        &self,
        record: Prepared<'a>,
        durability: Durability,
        admit: impl FnOnce() -> Result<()>,
    ) -> Result<Placed<'a>> {
        let submitted = {
            let mut order = self.order_for(durability);
            self.check_order(&order)?;
            admit()?;
            if let Some(writer) = self.free_writer(&order, &record) {
                return self.submit_at_once(order, writer, record);
            }
            let may_wait = durability == Durability::Memory && order.may_wait(&record);
            let submitted = order.push(record.into_owned())?;
            if may_wait {
                order.settle(&submitted, None);
            }
            submitted
        };
        self.see_decided(&submitted);
        Placed::of(submitted)
    }

    /// Appends a record behind all that waits. `publish` is called with its seqno once it is written and before anything behind
    /// it is settled. On an error nothing has happened.
    pub(crate) fn append_alone(&self, record: Prepared<'static>, publish: &mut dyn FnMut(SeqNo)) -> Result<Placed<'static>> {
        self.wait_for_lead();
        self.lead_group(Some(Alone { record, publish }))?.map_or_else(|| Err(closed()), Ok)
    }

    /// Remembers how far a tree's manifest is durable.
    pub(crate) fn append_anchor(&self, anchor: Anchor) -> Result<()> {
        self.append_note(RecordKind::Anchor, anchor.encode()).map(drop)
    }

    /// Hands what waits to the operating system. Where that ends; `None` if this handle has never written.
    pub(crate) fn write_waiting(&self) -> Result<Option<Position>> {
        if self.has_waiting() {
            self.wait_for_lead();
            self.lead_group(None)?;
        }
        Ok(self.writer().position())
    }

    /// Returns once everything before `position` is durable.
    pub(crate) fn sync_to(&self, position: Position) -> Result<()> {
        self.syncer.sync_to(position)
    }

    /// The same for those who are likely to ask again: until they do, the log is kept from falling far behind.
    pub(crate) fn sync_commit(&self, position: Position) -> Result<()> {
        self.syncer.expect_more();
        self.sync_to(position)
    }

    /// Returns once every record up to and including `seqno` is durable.
    pub(crate) fn sync_through(&self, seqno: SeqNo) -> Result<()> {
        if self.syncer.is_durable(seqno.saturating_add(1)) {
            return Ok(());
        }
        self.syncer.expect_more();
        let position = self.write_waiting()?;
        position.map_or(Ok(()), |position| self.sync_to(position))
    }

    /// Calls `seal` with a seqno up to which every record stands. No record behind it is settled meanwhile, so whoever applies
    /// one finds what `seal` has done.
    pub(crate) fn at_boundary<T>(&self, seal: impl FnOnce(SeqNo) -> T) -> T {
        seal(self.order().settled() - 1)
    }

    /// The seqno after the last record that stands.
    pub(crate) fn next_seqno(&self) -> SeqNo {
        self.order().settled()
    }

    /// Whether the background thread of the log has something to do; not until it is asked for again, once it was told.
    pub(crate) fn wants_help(&self) -> bool {
        self.wants_help.swap(false, Ordering::AcqRel)
    }

    /// From now on somebody helps when [`Log::wants_help`] says so, or nobody does.
    pub(crate) fn set_helped(&self, is_helped: bool) {
        self.writer().set_helped(is_helped);
    }

    /// Ends the log: what waits is written, and everything synced, then the end mark. Nothing can be appended after.
    pub(crate) fn close(&self) -> Result<()> {
        if self.order().is_closed {
            return Ok(());
        }
        let is_untouched = self.writer().position().is_none() && !self.has_waiting();
        let ended = self.fatal.check().and_then(|()| if is_untouched { Ok(()) } else { self.end() });
        self.order().is_closed = true;
        self.lots.wake_everybody();
        ended
    }

    /// Runs `work` while nobody writes.
    pub(super) fn while_still<T>(&self, work: impl FnOnce() -> T) -> T {
        self.wait_for_lead();
        // Whoever writes at once does it under this lock, and sees from now on that the lead is taken.
        drop(self.order());
        let done = work();
        self.end_lead();
        done
    }

    /// Appends a record that takes no seqno.
    pub(super) fn append_note(&self, kind: RecordKind, payload: Vec<u8>) -> Result<Position> {
        let placed = self.append_alone(Prepared::new(kind, 0, 0, payload), &mut |_| {})?;
        Ok(placed.position.expect("it was written"))
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().expect("no code panics with the writer")
    }

    /// Whether anything is to be written that stands: commits of this process, or what it found.
    fn has_waiting(&self) -> bool {
        let has_tail = self.writer().has_tail();
        has_tail || self.order().has_waiting()
    }

    fn end(&self) -> Result<()> {
        if let Some(position) = self.write_waiting()? {
            self.sync_to(position)?;
        }
        self.writer().abandon_hand_over();
        let position = self.append_note(RecordKind::End, Vec::new())?;
        self.sync_to(position)
    }

    /// What a record is written with that need not wait for anybody. Whoever has the writer may wait for the order, so the writer is only
    /// tried.
    fn free_writer(&self, order: &Order, record: &Prepared<'_>) -> Option<MutexGuard<'_, Writer>> {
        if !order.is_idle() || self.lead.is_taken() {
            return None;
        }
        self.writer.try_lock().ok().filter(|writer| writer.can_write_at_once(record.stored_bytes()))
    }

    fn submit_at_once<'a>(
        &self,
        mut order: MutexGuard<'_, Order>,
        mut writer: MutexGuard<'_, Writer>,
        record: Prepared<'a>,
    ) -> Result<Placed<'a>> {
        let seqno = order.place(&record)?;
        let position = writer.write_at_once(seqno, &record).inspect_err(|_| order.withdraw())?;
        let ticket = order.let_stand(&record);
        let wants_help = writer.wants_help();
        drop((writer, order));
        self.call_for_help(wants_help);
        Ok(Placed { seqno, record: Kept::Own(record), ticket, position: Some(position) })
    }

    fn call_for_help(&self, wants_help: bool) {
        if wants_help && !self.wants_help.swap(true, Ordering::AcqRel) {
            self.lots.upkeep.wake_all();
        }
    }

    /// Waits until a record is decided, leading if nobody does.
    fn see_decided(&self, submitted: &Submitted) {
        if self.lead.turn(|| submitted.is_decided(), |is_over| wait_briefly(&*self.lots.written, is_over)) {
            // Whatever becomes of the write, it decides this record too.
            let _ = self.lead_group(None);
        }
    }

    /// Waits until the lead is the caller's.
    fn wait_for_lead(&self) {
        self.lots.written.wait_until(&mut || self.lead.take());
    }

    fn end_lead(&self) {
        self.lead.give();
        self.lots.written.wake_all();
    }

    /// Writes all that waits, and then `alone`, and settles or refuses it. The caller has taken the lead, which ends here.
    fn lead_group(&self, alone: Option<Alone<'_>>) -> Result<Option<Placed<'static>>> {
        let led = self.write_group(alone);
        self.end_lead();
        led
    }

    fn write_group(&self, alone: Option<Alone<'_>>) -> Result<Option<Placed<'static>>> {
        let mut writer = self.writer();
        let mut publish = None;
        let mut batch = {
            let mut order = self.order();
            if let Some(Alone { record, publish: then }) = alone {
                self.check_order(&order)?;
                publish = Some((order.push(record)?, then));
            }
            order.take(writer.take_group())
        };
        if batch.is_empty() && !writer.has_tail() {
            return Ok(None);
        }
        let written = writer.write(&batch);
        let wants_help = writer.wants_help();
        drop(writer);
        self.call_for_help(wants_help);
        let mut order = self.order();
        let position = match written {
            Ok(position) => position,
            Err(error) => {
                order.refuse(batch, &error);
                return Err(error);
            }
        };
        batch.iter().filter(|submitted| !submitted.is_decided()).for_each(|one| order.settle(one, Some(position)));
        let Some((submitted, publish)) = publish else {
            drop(order);
            batch.clear();
            self.writer().keep_group(batch);
            return Ok(None);
        };
        publish(submitted.seqno());
        drop(order);
        Placed::of(submitted).map(Some)
    }

    fn check_order(&self, order: &Order) -> Result<()> {
        if order.is_closed {
            return Err(closed());
        }
        self.fatal.check()
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().expect("no code panics under the log's lock")
    }

    /// The same for a commit. Who waits for a sync afterwards does not come again at once, and meets those who waited for the same one.
    #[inline]
    fn order_for(&self, durability: Durability) -> MutexGuard<'_, Order> {
        if let Ok(order) = self.order.try_lock() {
            crowd::found_free();
            return order;
        }
        if durability != Durability::Sync && crowd::found_taken() {
            self.dir.instruments.sleep_us(crowd::AWAY_US);
        }
        self.order()
    }
}

/// A record that nothing may be settled behind before it is published.
struct Alone<'a> {
    record: Prepared<'static>,
    publish: &'a mut dyn FnMut(SeqNo),
}

#[cold]
fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the database was closed")
}
