//! The loop of every rewrite: rows from a cursor, through the rules, into tables.

use super::{
    elsewhere::Elsewhere,
    output::{OutputSpec, Outputs},
    rules::{Rules, Verdict},
};
use crate::{
    cursor::{Merging, Source},
    retention::Retention,
    version::History,
};
use sediment_base::{Cursor, Error, ErrorKind, InternalKey, Result, RowFlags};

/// Rows between two questions whether to go on.
const SLICE_ROWS: u64 = 2048;

/// What a rewrite needs.
pub(crate) struct Rewrite<'a> {
    pub(crate) spec: OutputSpec<'a>,
    pub(crate) retention: &'a Retention,
    pub(crate) elsewhere: Elsewhere,
    pub(crate) cancel: &'a dyn Fn() -> bool,
}

/// What it made: tables that are durable with their names, and that no version names yet.
#[derive(Debug)]
pub(crate) struct Rewritten<'a> {
    pub(crate) outputs: Outputs<'a>,
    /// How far back reads are still exact, if versions went.
    pub(crate) history: Option<History>,
}

impl<'a> Rewrite<'a> {
    /// Rewrites everything that `cursor` walks over.
    pub(crate) fn run(self, mut cursor: Merging<Source>) -> Result<Rewritten<'a>> {
        let mut rules = Rules::new(self.retention);
        let mut outputs = Outputs::new(self.spec);
        let mut rows = 0_u64;
        cursor.seek_to_first()?;
        while cursor.is_valid() {
            if rows.is_multiple_of(SLICE_ROWS) && (self.cancel)() {
                return Err(Error::new(ErrorKind::Cancelled, "the compaction was cancelled"));
            }
            rows += 1;
            let key = cursor.key();
            let verdict = rules.decide(key, |seqno| self.elsewhere.may_hold_older(key.user_key, seqno))?;
            if let Verdict::Keep { seqno, held } = verdict {
                if let Some((seqno, kind)) = held {
                    outputs.add(InternalKey { seqno, kind, ..key }, RowFlags::NONE, &[])?;
                }
                outputs.add(InternalKey { seqno, ..key }, cursor.flags(), cursor.value())?;
            }
            cursor.next()?;
        }
        outputs.finish()?;
        Ok(Rewritten { outputs, history: rules.end() })
    }
}
