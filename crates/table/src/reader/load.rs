//! Bytes of the file to a block.

use crate::{
    block::{Block, JumboHead, SlottedBlock},
    format::kinds,
    index::{BlockFlags, BlockPlace},
};
use sediment_base::{Error, ErrorKind, Result};
use sediment_codec::seal::{FrameHeader, Region, Seal};
use sediment_env::File;
use std::borrow::Cow;

/// Reads and proves one block.
pub(crate) fn load_block(file: &dyn File, seal: &Seal, place: BlockPlace) -> Result<Block> {
    let mut bytes = vec![0; place.bytes as usize];
    read_fully(file, place.offset, &mut bytes)?;
    decode_block(seal, place, &bytes)
}

/// Fills `bytes` from the file. A call of the system that fails is tried once more: a read changes nothing.
pub(crate) fn read_fully(file: &dyn File, offset: u64, bytes: &mut [u8]) -> Result<()> {
    match file.read_exact_at(offset, bytes) {
        Err(error) if error.kind() == ErrorKind::Io => file.read_exact_at(offset, bytes),
        done => done,
    }
}

/// Proves the frames of one block, which `bytes` holds whole, and validates what is in them.
pub(crate) fn decode_block(seal: &Seal, place: BlockPlace, bytes: &[u8]) -> Result<Block> {
    let (header, plain) = open_data(seal, place.offset, bytes)?;
    let within = |error: Error| error.at(place.offset);
    let is_jumbo = header.kind == kinds::JUMBO;
    if is_jumbo != place.flags.contains(BlockFlags::JUMBO) {
        return Err(within(Error::corruption("a block is not of the kind that the fence says")));
    }
    match header.kind {
        kinds::SLOTTED if header.frame_bytes() == place.bytes => {
            SlottedBlock::decode(plain.into_owned().into_boxed_slice()).map(Block::Slotted).map_err(within)
        }
        kinds::JUMBO => {
            let head = JumboHead::decode(&plain).map_err(within)?;
            let rest = Rest { seal, offset: place.offset, bytes, at: header.frame_bytes() as usize };
            let value = rest.value(&head)?;
            Ok(Block::Jumbo(head.into_block(value)))
        }
        kinds::SLOTTED => Err(within(Error::corruption("length of a block").expected_found(place.bytes, header.frame_bytes()))),
        kind => Err(within(Error::unsupported(format!("data block {kind} is unknown to this version; upgrade Sediment")))),
    }
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
