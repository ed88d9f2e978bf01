//! `Fold`: operands of one key on their way to a value.

use crate::options::TreeOptions;
use sediment_base::{Error, MergeOperator, Result};
use std::sync::Arc;

/// The operands of one key, taken in newest first, and then the value that they make. Keeps its memory from key to key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fold {
    operator: Option<Arc<dyn MergeOperator>>,
    /// Without an operator the newest operand is the value.
    gives_raw: bool,
    /// Operands one behind the other, and where each ends.
    operands: Vec<u8>,
    ends: Vec<usize>,
    base: Option<Vec<u8>>,
    value: Vec<u8>,
    is_done: bool,
}

impl Fold {
    pub(crate) fn new(operator: Option<Arc<dyn MergeOperator>>) -> Self {
        Self { operator, ..Self::default() }
    }

    /// For who reads a tree with these options.
    pub(crate) fn for_reads(options: &TreeOptions) -> Self {
        Self { gives_raw: options.reads_raw_operands, ..Self::new(options.merge_operator.clone()) }
    }

    /// Begins with another key.
    pub(crate) fn begin(&mut self) {
        self.operands.clear();
        self.ends.clear();
        self.base = None;
        self.is_done = false;
    }

    /// Takes the next older operand.
    pub(crate) fn push(&mut self, operand: &[u8]) {
        self.operands.extend_from_slice(operand);
        self.ends.push(self.operands.len());
    }

    /// Takes the value below the operands.
    pub(crate) fn set_base(&mut self, base: &[u8]) {
        self.base = Some(base.to_vec());
    }

    /// Bytes of all operands.
    pub(crate) fn bytes(&self) -> usize {
        self.operands.len()
    }

    /// How many operands.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The operands, newest first.
    pub(crate) fn newest_first(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|index| {
            let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.operands[start..self.ends[index]]
        })
    }

    /// Makes the value.
    pub(crate) fn finish(&mut self, key: &[u8]) -> Result<()> {
        let value = self.fold(key)?;
        (self.value, self.is_done) = (value, true);
        Ok(())
    }

    /// The value that all of it makes.
    pub(crate) fn fold(&self, key: &[u8]) -> Result<Vec<u8>> {
        let operator = match (&self.operator, self.newest_first().next()) {
            (Some(operator), _) => operator,
            (None, Some(newest)) if self.gives_raw => return Ok(newest.to_vec()),
            (None, _) => return Err(without_operator()),
        };
        let operands: Vec<&[u8]> = self.newest_first().rev().collect();
        let folded = operator.fold(key, self.base.as_deref(), &operands);
        folded.map_err(|error| error.context(format!("merge operator {:?} cannot fold", operator.name())))
    }

    /// One operand in place of all, where the operator can.
    pub(crate) fn fold_operands(&self, key: &[u8]) -> Option<Vec<u8>> {
        let operands: Vec<&[u8]> = self.newest_first().rev().collect();
        self.operator.as_ref()?.fold_operands(key, &operands)
    }

    /// Whether there is an operator.
    pub(crate) fn has_operator(&self) -> bool {
        self.operator.is_some()
    }

    /// The value is no longer of interest.
    #[inline]
    pub(crate) fn forget(&mut self) {
        self.is_done = false;
    }

    /// Whether [`Fold::value`] is that of the present key.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }
}

#[cold]
fn without_operator() -> Error {
    Error::invalid_input("the key has operands, and the tree is open without the merge operator that wrote them")
}
