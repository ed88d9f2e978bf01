//! `MergeOperator`: how operands become a value.
//!
//! `merge(key, operand)` writes an operand without reading what is there. What the key then holds is worked out when it is read, and
//! for good when a flush or compaction meets operands and base together. An operator says how, and must not say anything else another
//! time: the same inputs give the same value.

use crate::error::{Error, Result};
use std::fmt;

/// Combines operands. Stored by its name; what was written under one is read with the same.
pub trait MergeOperator: Send + Sync + fmt::Debug {
    /// A stable name. Changing what it computes means changing the name.
    fn name(&self) -> &str;

    /// What the key holds after all operands, which come oldest first. `base` is the value before the first of them, `None` where the
    /// key was absent or removed. An error goes to the reader; a flush or compaction that meets it keeps the operands as they are.
    fn fold(&self, key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> Result<Vec<u8>>;

    /// One operand that does what these do one after the other, oldest first; `None` where there is none. It saves space and time,
    /// and is needed for several operands of one key in one batch of a tree.
    fn fold_operands(&self, _key: &[u8], _operands: &[&[u8]]) -> Option<Vec<u8>> {
        None
    }
}

/// Adds 64-bit numbers: operands and values are `i64` in little-endian, an absent key counts as 0. Wraps around at the ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Add;

/// Appends operands to the value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Append;

/// Keeps the greatest, in the order of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Max;

impl MergeOperator for Add {
    fn name(&self) -> &str {
        "add"
    }

    fn fold(&self, _key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> Result<Vec<u8>> {
        let mut sum = base.map_or(Ok(0), number)?;
        for operand in operands {
            sum = sum.wrapping_add(number(operand)?);
        }
        Ok(sum.to_le_bytes().to_vec())
    }

    fn fold_operands(&self, key: &[u8], operands: &[&[u8]]) -> Option<Vec<u8>> {
        self.fold(key, None, operands).ok()
    }
}

fn number(bytes: &[u8]) -> Result<i64> {
    let bytes = bytes.try_into().map_err(|_| {
        Error::invalid_input("adding needs numbers of 8 bytes").expected_found("8 bytes", format!("{} bytes", bytes.len()))
    })?;
    Ok(i64::from_le_bytes(bytes))
}

impl MergeOperator for Append {
    fn name(&self) -> &str {
        "append"
    }

    fn fold(&self, _key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> Result<Vec<u8>> {
        Ok([base.unwrap_or_default(), &operands.concat()].concat())
    }

    fn fold_operands(&self, _key: &[u8], operands: &[&[u8]]) -> Option<Vec<u8>> {
        Some(operands.concat())
    }
}

impl MergeOperator for Max {
    fn name(&self) -> &str {
        "max"
    }

    fn fold(&self, _key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> Result<Vec<u8>> {
        Ok(base.into_iter().chain(operands.iter().copied()).max().unwrap_or_default().to_vec())
    }

    fn fold_operands(&self, key: &[u8], operands: &[&[u8]]) -> Option<Vec<u8>> {
        self.fold(key, None, operands).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_in_parts_is_folding_at_once() {
        let operands: [&[u8]; 4] = [&[1; 8], &[200; 8], &[7; 8], &[9; 8]];
        for operator in [&Add as &dyn MergeOperator, &Append, &Max] {
            for base in [None, Some(&[3; 8][..])] {
                let at_once = operator.fold(b"k", base, &operands).unwrap();
                for cut in 1..operands.len() {
                    let newer = operator.fold_operands(b"k", &operands[cut..]).unwrap();
                    let older = operator.fold_operands(b"k", &operands[..cut]).unwrap();
                    assert_eq!(operator.fold(b"k", base, &[&older, &newer]).unwrap(), at_once, "{operator:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_of_another_length_are_refused() {
        let error = Add.fold(b"k", Some(b"three"), &[&[1; 8]]).unwrap_err();
        assert!(error.to_string().contains("8 bytes"), "{error}");
        assert_eq!(Add.fold_operands(b"k", &[b"1"]), None);
    }
}
