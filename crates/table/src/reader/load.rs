//! Bytes of the file to a block.

use crate::{
    block::{BlockBuffer, BlockHead, BlockRef, JumboHead, SLOTTED_BYTES_MAX, SlottedHead},
    format::kinds,
    index::{BlockFlags, BlockPlace},
};
use sediment_base::{Error, ErrorKind, Result};
use sediment_codec::seal::{FRAME_ALIGN, FRAME_HEADER_BYTES, FrameHeader, Region, Seal};
use sediment_env::File;
use sediment_raw::slab::Pool;
use std::borrow::Cow;

/// Longest frame of a slotted block that is stored as it is.
const FRAME_BYTES_MAX: u64 = (FRAME_HEADER_BYTES + SLOTTED_BYTES_MAX).next_multiple_of(FRAME_ALIGN) as u64;

/// Reads and proves one block, into memory of `pool`.
pub(crate) fn load_block(pool: &Pool, file: &dyn File, seal: &Seal, place: BlockPlace) -> Result<BlockRef> {
    if place.flags.contains(BlockFlags::JUMBO) || place.bytes > FRAME_BYTES_MAX {
        let mut bytes = vec![0; place.bytes as usize];
        read_fully(file, place.offset, &mut bytes)?;
        return decode_block(pool, seal, place, &bytes);
    }
    // The frame is read to where the block will stay.
    let mut buffer = BlockBuffer::zeroed(pool, place.bytes as usize);
    read_fully(file, place.offset, buffer.bytes_mut())?;
    let (_, plain) = open_block(seal, place, buffer.bytes())?;
    let head = decode_slotted(place, &plain)?;
    match plain {
        Cow::Borrowed(plain) => {
            let kept = FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + plain.len();
            Ok(buffer.share(head, kept))
        }
        Cow::Owned(plain) => Ok(BlockBuffer::copied(pool, &plain).share(head, 0..plain.len())),
    }
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
pub(crate) fn decode_block(pool: &Pool, seal: &Seal, place: BlockPlace, bytes: &[u8]) -> Result<BlockRef> {
    let (header, plain) = open_block(seal, place, bytes)?;
    if header.kind == kinds::JUMBO {
        let head = JumboHead::decode(&plain).and_then(|head| head.numbered(place.global_seqno));
        let head = head.map_err(|error| error.at(place.offset))?;
        let rest = Rest { seal, offset: place.offset, bytes, at: header.frame_bytes() as usize };
        let value = rest.value(&head)?;
        let head = BlockHead::Jumbo(Box::new(head.into_block(value)));
        return Ok(BlockBuffer::zeroed(pool, 0).share(head, 0..0));
    }
    let head = decode_slotted(place, &plain)?;
    Ok(BlockBuffer::copied(pool, &plain).share(head, 0..plain.len()))
}

/// Proves the first frame of a block, and that it is one of the kind and length that the fence says.
fn open_block<'a>(seal: &Seal, place: BlockPlace, bytes: &'a [u8]) -> Result<(FrameHeader, Cow<'a, [u8]>)> {
    let (header, plain) = open_data(seal, place.offset, bytes)?;
    let is_jumbo = header.kind == kinds::JUMBO;
    let error = if is_jumbo != place.flags.contains(BlockFlags::JUMBO) {
        Error::corruption("a block is not of the kind that the fence says")
    } else if !is_jumbo && header.kind != kinds::SLOTTED {
        let kind = header.kind;
        Error::unsupported(format!("data block {kind} is unknown to this version; upgrade Sediment"))
    } else if !is_jumbo && header.frame_bytes() != place.bytes {
        Error::corruption("length of a block").expected_found(place.bytes, header.frame_bytes())
    } else {
        return Ok((header, plain));
    };
    Err(error.at(place.offset))
}

fn decode_slotted(place: BlockPlace, plain: &[u8]) -> Result<BlockHead> {
    let numbered = SlottedHead::decode(plain).and_then(|head| head.numbered(place.global_seqno));
    numbered.map(BlockHead::Slotted).map_err(|error| error.at(place.offset))
}

/// The frames behind the first one of a jumbo block.
struct Rest<'a> {
    seal: &'a Seal,
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
            let (header, plain) = open_data(self.seal, offset, self.bytes.get(self.at..).unwrap_or_default())?;
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

fn open_data<'a>(seal: &Seal, offset: u64, bytes: &'a [u8]) -> Result<(FrameHeader, Cow<'a, [u8]>)> {
    let (header, plain) = seal.open(offset, bytes)?;
    if header.region != Region::Data as u8 {
        return Err(Error::corruption("a block of another region lies among the data").at(offset));
    }
    Ok((header, plain))
}
