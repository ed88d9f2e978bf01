//! Merge operators.

use crate::{
    error::{Result, carry},
    slice::UserValue,
};
use std::{fmt, panic::RefUnwindSafe, sync::Arc};

/// Combines operands, the oldest first, with the value below them. It is asked on reads and in compactions, and must agree with itself: what it
/// made of some operands without a base may come back as one of them.
pub trait MergeOperator: Send + Sync + RefUnwindSafe + 'static {
    /// The value that comes of it. `base_value` is missing where the key was absent or removed, and where operands are combined before the
    /// base is known.
    fn merge(&self, key: &[u8], base_value: Option<&[u8]>, operands: &[&[u8]]) -> Result<UserValue>;
}

/// The tree's operator for one of the caller's. They have no name here, so all have the same.
pub(crate) fn adapt(operator: &Arc<dyn MergeOperator>) -> Arc<dyn sediment_base::MergeOperator> {
    Arc::new(Adapted(Arc::clone(operator)))
}

struct Adapted(Arc<dyn MergeOperator>);

impl fmt::Debug for Adapted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MergeOperator")
    }
}

impl sediment_base::MergeOperator for Adapted {
    fn name(&self) -> &str {
        "lsm_tree"
    }

    fn fold(&self, key: &[u8], base: Option<&[u8]>, operands: &[&[u8]]) -> sediment_base::Result<Vec<u8>> {
        self.0.merge(key, base, operands).map(|value| value.to_vec()).map_err(carry)
    }

    fn fold_operands(&self, key: &[u8], operands: &[&[u8]]) -> Option<Vec<u8>> {
        self.0.merge(key, None, operands).ok().map(|value| value.to_vec())
    }
}
