//! `Plan`: what a compaction shall do, as data.

use std::fmt;

/// What a compaction shall do. Holds its tables reserved until it is run or dropped.
#[derive(Debug)]
pub struct Plan {}

impl fmt::Display for Plan {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}
