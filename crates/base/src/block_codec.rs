//! `BlockCodec`: compression that does not come with Sediment.
//!
//! Each table says by number and name which one its blocks were written with. Who opens it without that codec is told so, and reads no
//! row.

use crate::{Error, Result};
use std::{fmt, ops::RangeInclusive};

/// The numbers that are free for codecs of others; those below are Sediment's own.
pub const IDS: RangeInclusive<u8> = 128..=255;

/// Compresses the blocks of tables, each by itself.
pub trait BlockCodec: Send + Sync + fmt::Debug {
    /// Its number in blocks: one of [`IDS`]. Files hold it, so it stays what it is for as long as they do.
    fn id(&self) -> u8;

    /// A stable name, 1 to 255 bytes long. What was written under another name is not unpacked, whatever its number.
    fn name(&self) -> &str;

    /// Appends the compressed form of `plain` to `out`, most often up to 64 KiB, never more than 65 MiB. What is not at least an eighth
    /// smaller is not kept.
    ///
    /// # Errors
    /// Any; the file in the making is then abandoned.
    fn compress(&self, plain: &[u8], out: &mut Vec<u8>) -> Result<()>;

    /// Fills `plain` with what was compressed to `stored`. Its length is the one that was compressed; a checksum has proved that the
    /// bytes are those that were written, but whoever can write to the disk can make them anything.
    ///
    /// # Errors
    /// `Corruption` where `stored` is not the compressed form of that many bytes.
    fn decompress(&self, stored: &[u8], plain: &mut [u8]) -> Result<()>;
}

/// Refuses a codec with a number or name that none may have.
///
/// # Errors
/// `InvalidInput`, with what is allowed.
pub fn check(codec: &dyn BlockCodec) -> Result<()> {
    let (id, name) = (codec.id(), codec.name());
    if !IDS.contains(&id) {
        return Err(Error::invalid_input(format!("number of the codec {name:?}")).expected_found("128 to 255", id));
    }
    if name.is_empty() || name.len() > 255 {
        return Err(Error::invalid_input(format!("length of the name of codec {id}")).expected_found("1 to 255", name.len()));
    }
    Ok(())
}
