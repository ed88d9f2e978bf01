//! Tagged fields: how a structure grows without a new format.
//!
//! A field is `tag` varint, length varint, bytes. An odd tag must be understood: a reader that does not know it refuses the
//! whole, because the field changes what the rest means. An even one may be skipped.

use crate::coding::{Reader, Writer};
use sediment_base::{Error, Result};

/// Whether a reader that does not know this tag must refuse.
#[inline]
pub const fn is_required(tag: u64) -> bool {
    tag & 1 == 1
}

/// Appends a field.
#[inline]
pub fn put_field(out: &mut Vec<u8>, tag: u64, bytes: &[u8]) {
    out.put_varint(tag);
    out.put_length_prefixed(bytes);
}

/// Reads fields to the end of `reader`. Each goes to `take`, which says whether it knows the tag, and must take all of a field
/// that it knows. `whole` names the structure in errors.
pub fn read_fields<'a>(
    reader: &mut Reader<'a>,
    whole: &str,
    mut take: impl FnMut(u64, &mut Reader<'a>) -> Result<bool>,
) -> Result<()> {
    while !reader.is_empty() {
        let tag = reader.varint()?;
        let bytes = reader.length_prefixed()?;
        let start = reader.position().saturating_sub(bytes.len()) as u64;
        let mut field = Reader::new(bytes);
        let is_known = take(tag, &mut field).map_err(|error| error.at(start))?;
        if is_known {
            field.expect_end().map_err(|error| error.at(start))?;
        } else if is_required(tag) {
            return Err(Error::unsupported(format!("{whole} has field {tag}, which is not known to this version")).at(start));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sediment_base::ErrorKind;

    fn sample(tag: u64) -> Vec<u8> {
        let mut out = Vec::new();
        put_field(&mut out, 1, b"a");
        put_field(&mut out, tag, b"stranger");
        put_field(&mut out, 2, b"bc");
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut known = Vec::new();
        read_fields(&mut Reader::new(bytes), "thing", |tag, field| match tag {
            1 | 2 => {
                known.extend(field.rest());
                Ok(true)
            }
            _ => Ok(false),
        })?;
        Ok(known)
    }

    #[test]
    fn strangers_are_skipped_unless_they_are_required() {
        assert_eq!(read(&sample(1000)).unwrap(), b"abc");
        let error = read(&sample(1001)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("thing has field 1001"), "{error}");
    }

    #[test]
    fn fields_are_read_whole_and_to_the_end() {
        let bytes = sample(4);
        assert!((1..bytes.len()).filter(|len| read(&bytes[..*len]).is_ok()).eq([3, 13]));
        let half = |_: u64, field: &mut Reader<'_>| field.u8().map(|_| true);
        assert!(read_fields(&mut Reader::new(&bytes), "thing", half).is_err());
    }
}
