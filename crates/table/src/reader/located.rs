//! Point reads by the locator.
//!
//! A line that names no place for a hash is believed, as a filter is. A place is a guess until a row of the key that is asked for is found
//! there; if none is, because another key is there, or the versions that the read sees are in a later block, the read goes the way of all
//! tables, by the fence, and proves there what it says. So no answer depends on a cell that leads elsewhere, and of tables whose rows
//! have digests the rules hold that hold for all.

use super::{Looked, PointRead, Reach, ReadCounts, Sought, Table, Tail, TakeRow};
use crate::{
    block::{Block, BlockRef, Lookup},
    cache::Heat,
    context::TableContext,
    filter::{Filter, KeyPlace, Locator},
    properties::Properties,
};
use sediment_base::{Error, Result, stats::Counter};
use sediment_env::File;

impl Table {
    /// Its locator, if it has one in memory.
    #[inline]
    pub(super) fn locator(&self) -> Option<&Locator> {
        match &self.filter {
            Some(Filter::Locator(locator)) => Some(locator),
            _ => None,
        }
    }

    /// Whether point reads find their rows by a locator.
    pub fn has_locator(&self) -> bool {
        self.locator().is_some()
    }

    /// Reads the locator of a table that is being opened, if it has one and metadata may take as much memory.
    pub(super) fn locator_within(
        context: &TableContext,
        tail: &Tail,
        file: &dyn File,
        properties: &Properties,
    ) -> Result<Option<Locator>> {
        let bytes = tail.locator_bytes();
        if bytes == 0 {
            return Ok(None);
        }
        if !context.budget.has_room_for_metadata(bytes) {
            context.stats.add(Counter::LocatorsLeftOut, 1);
            return Ok(None);
        }
        tail.locator(file, properties)
    }

    /// As [`Table::look`] of a table with this locator, as far as that knows: `None` if the fence has to be asked.
    #[inline(never)]
    pub(super) fn look_located(
        &self,
        locator: &Locator,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Option<Looked>> {
        let before = *counts;
        counts.filter_checks += 1;
        counts.locator_checks += 1;
        let mut is_named = false;
        for place in locator.places(read.hash) {
            is_named = true;
            match self.look_at_slot(place, read, counts, taker)? {
                Looked::Found => {
                    counts.locator_hits += 1;
                    return Ok(Some(Looked::Found));
                }
                Looked::Absent => {}
                Looked::OutOfReach => {
                    *counts = before;
                    return Ok(Some(Looked::OutOfReach));
                }
            }
        }
        if !is_named {
            counts.filter_negatives += 1;
            return Ok(Some(Looked::Absent));
        }
        Ok(None)
    }

    /// Looks at one key of one block, and takes its newest row that `read` sees. `Absent` if another key is there or all its rows in this block
    /// are too new: that proves nothing.
    #[inline]
    fn look_at_slot(
        &self,
        KeyPlace { block: number, slot }: KeyPlace,
        read: &PointRead<'_>,
        counts: &mut ReadCounts,
        taker: &mut impl TakeRow,
    ) -> Result<Looked> {
        if number >= self.index.blocks() {
            return Err(self.misled());
        }
        if read.read_seqno <= self.meta.max_seqno
            && self.index.resident().is_some_and(|fence| fence.min_seqno(number) >= read.read_seqno)
        {
            return Ok(Looked::Absent);
        }
        let mut sought = None;
        let look = |block: &BlockRef| {
            let block = Block::of(block);
            sought = block.lookup_slot(slot, read.key, read.read_seqno).map(|found| match found {
                Lookup::Row(_) => self.take_found((number, block), found, read, taker),
                Lookup::Later | Lookup::Absent => Sought::NotHere,
            });
        };
        counts.blocks += 1;
        match read.reach {
            Reach::All => self.blocks.with(number, Heat::Point, || self.load(number, counts), look)?,
            Reach::Resident(pin) if self.blocks.look(number, Heat::Point, pin, look) => {}
            Reach::Resident(_) => return Ok(Looked::OutOfReach),
        }
        match sought {
            Some(Sought::Found) => Ok(Looked::Found),
            Some(Sought::NotHere) => Ok(Looked::Absent),
            Some(Sought::Damaged) => Err(self.damaged(number)),
            None => Err(self.misled()),
        }
    }

    /// The locator names what the table does not have.
    #[cold]
    pub(super) fn misled(&self) -> Error {
        let offset = self.locator().map_or(0, Locator::offset);
        Error::corruption("the locator names a block or a row that is not there").at(offset).in_file(&self.path)
    }
}
