//! From keys and their places to the region.

use super::{CELLS, HEADER_BYTES, KeyPlace, LINE_BYTES, Widths, line_of};
use sediment_codec::coding::Writer;

/// Of 64 cells, those that keys take.
const KEYS_PER_LINES: (usize, usize) = (64, 5);

/// In which blocks the newest rows of keys are, noted block by block.
#[derive(Debug, Default)]
pub(crate) struct KeyPlaces {
    blocks: Vec<BlockKeys>,
    keys: usize,
}

/// The keys whose newest rows are in one block.
#[derive(Clone, Copy, Debug)]
struct BlockKeys {
    /// Slot of the first: behind that of a key that goes on from the block before.
    first_slot: u32,
    keys: u32,
}

impl KeyPlaces {
    /// A block ends, the next in order, and by now there are so many keys. `continues` says whether it began with further versions of a
    /// key.
    pub(crate) fn end_block(&mut self, keys: usize, continues: bool) {
        let own = keys.saturating_sub(self.keys) as u32;
        self.blocks.push(BlockKeys { first_slot: u32::from(continues), keys: own });
        self.keys = keys;
    }

    /// Memory that they take.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.blocks.capacity().saturating_mul(size_of::<BlockKeys>())
    }

    /// Memory that [`KeyPlaces::encode`] takes beside it.
    pub(crate) fn build_bytes(&self) -> usize {
        lines_for(self.keys).saturating_mul(LINE_BYTES.saturating_add(1)).saturating_add(HEADER_BYTES)
    }

    /// The locator region over the hashes of these keys, in their order. `None` where a cell is too small for so many blocks and slots, or
    /// too many keys belong into the same lines.
    pub(crate) fn encode(&self, hashes: &[u64]) -> Option<Vec<u8>> {
        let slot_ends = self.blocks.iter().map(|block| block.first_slot.saturating_add(block.keys));
        let slot_max = slot_ends.max()?.checked_sub(1)? as usize;
        let widths = Widths::new(self.blocks.len(), slot_max)?;
        let mut table = Filling::new(hashes.len(), widths);
        hashes.iter().zip(self.places()).try_for_each(|(hash, place)| table.add(*hash, place))?;
        Some(table.finish(hashes.len()))
    }

    fn places(&self) -> impl Iterator<Item = KeyPlace> {
        self.blocks.iter().enumerate().flat_map(|(block, BlockKeys { first_slot, keys })| {
            let slots = *first_slot..first_slot.saturating_add(*keys);
            slots.map(move |slot| KeyPlace { block, slot: slot as usize })
        })
    }
}

fn lines_for(keys: usize) -> usize {
    let (cells, lines) = KEYS_PER_LINES;
    keys.saturating_mul(lines).div_ceil(cells).max(1)
}

/// A region in the making.
struct Filling {
    out: Vec<u8>,
    /// How many cells of each line are taken.
    taken: Vec<u8>,
    widths: Widths,
    farthest: u8,
}

impl Filling {
    fn new(keys: usize, widths: Widths) -> Self {
        let lines = lines_for(keys);
        let bytes = lines.saturating_mul(LINE_BYTES).saturating_add(HEADER_BYTES);
        Self { out: vec![0; bytes], taken: vec![0; lines], widths, farthest: 0 }
    }

    /// Puts a key into the first line with room from its own on. `None` if that is too far.
    fn add(&mut self, hash: u64, place: KeyPlace) -> Option<()> {
        let mut line = line_of(hash, self.taken.len());
        let mut distance: u8 = 0;
        while usize::from(*self.taken.get(line)?) == CELLS {
            distance = distance.checked_add(1)?;
            line = line.checked_add(1).filter(|next| *next < self.taken.len()).unwrap_or(0);
        }
        let taken = self.taken.get_mut(line)?;
        let cells = self.out.get_mut(HEADER_BYTES..)?.as_chunks_mut::<LINE_BYTES>().0.get_mut(line)?.as_chunks_mut::<4>().0;
        *cells.get_mut(usize::from(*taken))? = self.widths.cell(hash, place).to_le_bytes();
        *taken = taken.saturating_add(1);
        self.farthest = self.farthest.max(distance);
        Some(())
    }

    fn finish(mut self, keys: usize) -> Vec<u8> {
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.put_u64(keys as u64);
        header.put_u32(self.taken.len() as u32);
        header.put_bytes(&[self.widths.block_bits, self.widths.slot_bits, self.farthest]);
        self.out.iter_mut().zip(header).for_each(|(byte, of_header)| *byte = of_header);
        self.out
    }
}
