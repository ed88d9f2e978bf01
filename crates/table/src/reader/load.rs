//! Bytes of the file to a block.

use crate::{
    block::{BlockBuffer, BlockHead, BlockRef, DenseBlock, JumboHead, Marks, SLOTTED_BYTES_MAX, SlottedHead},
    format::kinds,
    index::{BlockFlags, BlockPlace},
    properties::Properties,
};
use sediment_base::{Error, ErrorKind, KeyOrder, Result};
use sediment_codec::{
    compress::{Codec, Unpacker},
    seal::{FRAME_ALIGN, FRAME_HEADER_BYTES, FrameHeader, Region, Seal},
};
use sediment_env::File;
use sediment_raw::slab::Pool;
use std::cell::Cell;

/// Longest frame of a slotted block that is stored as it is.
const FRAME_BYTES_MAX: u64 = (FRAME_HEADER_BYTES + SLOTTED_BYTES_MAX).next_multiple_of(FRAME_ALIGN) as u64;

/// What proves and unpacks the blocks of one table.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    pub(crate) seal: Seal,
    pub(crate) unpacker: Unpacker,
    /// Makes what dense blocks are stored without.
    marks: Marks,
}

impl Opener {
    /// For the table with these properties, whose keys are in this order.
    pub(crate) fn new(seal: Seal, unpacker: Unpacker, properties: &Properties, order: &KeyOrder) -> Self {
        let marks = Marks { hash_seed: properties.hash_seed, is_lexicographic: order.is_lexicographic() };
        Self { seal, unpacker, marks }
    }
}

/// What a thread unpacks dense blocks with, kept from one to the next.
#[derive(Default)]
struct Scratch {
    dense: Vec<u8>,
    key: Vec<u8>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Reads and proves one block, into memory of `pool`.
pub(crate) fn load_block(pool: &Pool, file: &dyn File, opener: &Opener, place: BlockPlace) -> Result<BlockRef> {
    if place.flags.contains(BlockFlags::JUMBO) || place.bytes > FRAME_BYTES_MAX {
        let mut bytes = vec![0; place.bytes as usize];
        read_fully(file, place.offset, &mut bytes)?;
        return decode_block(pool, opener, place, &bytes);
    }
    // A frame that is stored as it is was read to where the block will stay.
    let mut buffer = BlockBuffer::zeroed(pool, place.bytes as usize);
    read_fully(file, place.offset, buffer.bytes_mut())?;
    let (header, stored) = verify_block(&opener.seal, place, buffer.bytes())?;
    if header.codec != Codec::None || header.kind != kinds::SLOTTED {
        return unpack_rows(pool, opener, place, &header, stored);
    }
    opener.unpacker.check(header.packed(), stored, header.plain_len as usize).map_err(|error| error.at(place.offset))?;
    let head = decode_slotted(place, stored)?;
    let kept = FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + stored.len();
    Ok(buffer.share(head, kept))
}

/// Fills `bytes` from the file. A call of the system that fails is tried once more: a read changes nothing.
pub(crate) fn read_fully(file: &dyn File, offset: u64, bytes: &mut [u8]) -> Result<()> {
    match file.read_exact_at(offset, bytes) {
        Err(error) if error.kind() == ErrorKind::Io => file.read_exact_at(offset, bytes),
        done => done,
    }
}

/// Proves the frames of one block, which `bytes` holds whole, and validates what is in them. What is to be kept is copied into memory
/// of `pool`.
pub(crate) fn decode_block(pool: &Pool, opener: &Opener, place: BlockPlace, bytes: &[u8]) -> Result<BlockRef> {
    let (header, stored) = verify_block(&opener.seal, place, bytes)?;
    if header.kind != kinds::JUMBO {
        return unpack_rows(pool, opener, place, &header, stored);
    }
    let plain = opener.unpacker.unpack(header.packed(), stored, header.plain_len as usize);
    let plain = plain.map_err(|error| error.at(place.offset))?;
    let head = JumboHead::decode(&plain).and_then(|head| head.numbered(place.global_seqno));
    let head = head.map_err(|error| error.at(place.offset))?;
    let rest = Rest { opener, offset: place.offset, bytes, at: header.frame_bytes() as usize };
    let value = rest.value(&head)?;
    let head = BlockHead::Jumbo(Box::new(head.into_block(value)));
    Ok(BlockBuffer::zeroed(pool, 0).share(head, 0..0))
}

/// Unpacks a block of many rows to where it will stay.
fn unpack_rows(pool: &Pool, opener: &Opener, place: BlockPlace, header: &FrameHeader, stored: &[u8]) -> Result<BlockRef> {
    let plain_len = header.plain_len as usize;
    if plain_len > SLOTTED_BYTES_MAX {
        let most = format!("at most {SLOTTED_BYTES_MAX}");
        return Err(Error::corruption("plain length of a block").expected_found(most, plain_len).at(place.offset));
    }
    if header.kind == kinds::DENSE {
        let mut scratch = SCRATCH.take();
        let block = unpack_dense(pool, opener, (header, stored), &mut scratch);
        SCRATCH.set(scratch);
        let buffer = block.map_err(|error| error.at(place.offset))?;
        let (head, kept) = (decode_slotted(place, buffer.bytes())?, 0..buffer.bytes().len());
        return Ok(buffer.share(head, kept));
    }
    let mut buffer = BlockBuffer::zeroed(pool, plain_len);
    let unpacked = opener.unpacker.unpack_into(header.packed(), stored, buffer.bytes_mut());
    unpacked.map_err(|error| error.at(place.offset))?;
    let head = decode_slotted(place, buffer.bytes())?;
    Ok(buffer.share(head, 0..plain_len))
}

/// Unpacks a dense block, and expands it to where it will stay.
fn unpack_dense(
    pool: &Pool,
    opener: &Opener,
    (header, stored): (&FrameHeader, &[u8]),
    scratch: &mut Scratch,
) -> Result<BlockBuffer> {
    let plain_len = header.plain_len as usize;
    if scratch.dense.len() < plain_len {
        scratch.dense.resize(plain_len, 0);
    }
    let dense = &mut scratch.dense[..plain_len];
    opener.unpacker.unpack_into(header.packed(), stored, dense)?;
    let block = DenseBlock::parse(dense)?;
    let mut buffer = BlockBuffer::zeroed(pool, block.slotted_len());
    block.expand(opener.marks, &mut scratch.key, buffer.bytes_mut())?;
    Ok(buffer)
}

/// Proves the first frame of a block, and that it is one of the kind and length that the fence says.
pub(super) fn verify_block<'a>(seal: &Seal, place: BlockPlace, bytes: &'a [u8]) -> Result<(FrameHeader, &'a [u8])> {
    let (header, stored) = verify_data(seal, place.offset, bytes)?;
    let is_jumbo = header.kind == kinds::JUMBO;
    let error = if is_jumbo != place.flags.contains(BlockFlags::JUMBO) {
        Error::corruption("a block is not of the kind that the fence says")
    } else if !is_jumbo && !matches!(header.kind, kinds::SLOTTED | kinds::DENSE) {
        let kind = header.kind;
        Error::unsupported(format!("data block {kind} is unknown to this version; upgrade Sediment"))
    } else if !is_jumbo && header.frame_bytes() != place.bytes {
        Error::corruption("length of a block").expected_found(place.bytes, header.frame_bytes())
    } else {
        return Ok((header, stored));
    };
    Err(error.at(place.offset))
}

fn decode_slotted(place: BlockPlace, plain: &[u8]) -> Result<BlockHead> {
    let numbered = SlottedHead::decode(plain).and_then(|head| head.numbered(place.global_seqno));
    numbered.map(BlockHead::Slotted).map_err(|error| error.at(place.offset))
}

/// The frames behind the first one of a jumbo block.
struct Rest<'a> {
    opener: &'a Opener,
    offset: u64,
    bytes: &'a [u8],
    at: usize,
}

impl Rest<'_> {
    fn value(mut self, head: &JumboHead<'_>) -> Result<Vec<u8>> {
        let mut value = Vec::with_capacity(head.value_len.min(self.bytes.len()));
        value.extend_from_slice(head.beginning);
        for _ in 0..head.extents {
            let offset = self.offset + self.at as u64;
            let (header, stored) = verify_data(&self.opener.seal, offset, self.bytes.get(self.at..).unwrap_or_default())?;
            let plain = self.opener.unpacker.unpack(header.packed(), stored, header.plain_len as usize);
            let plain = plain.map_err(|error| error.at(offset))?;
            if header.kind != kinds::EXTENT {
                return Err(Error::corruption("a large value ends early").at(offset));
            }
            value.extend_from_slice(&plain);
            self.at += header.frame_bytes() as usize;
        }
        if value.len() != head.value_len || self.at != self.bytes.len() {
            let error = Error::corruption("length of a large value").at(self.offset);
            return Err(error.expected_found(head.value_len, value.len()));
        }
        Ok(value)
    }
}

fn verify_data<'a>(seal: &Seal, offset: u64, bytes: &'a [u8]) -> Result<(FrameHeader, &'a [u8])> {
    let (header, stored) = seal.verify(offset, bytes)?;
    if header.region != Region::Data as u8 {
        return Err(Error::corruption("a block of another region lies among the data").at(offset));
    }
    Ok((header, stored))
}
