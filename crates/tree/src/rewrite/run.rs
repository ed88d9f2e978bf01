//! The loop of every rewrite: rows from a cursor, through the rules, into tables.

use super::{
    elsewhere::Elsewhere,
    output::{OutputSpec, Outputs},
    rules::{Rules, Verdict},
    slices::{OnSlice, Slices},
};
use crate::{
    cursor::{Merging, Source},
    retention::Retention,
    version::History,
};
use sediment_base::{Cursor, InternalKey, Result, RowFlags};

/// What a rewrite needs.
pub(crate) struct Rewrite<'a> {
    pub(crate) spec: OutputSpec<'a>,
    pub(crate) retention: &'a Retention,
    pub(crate) elsewhere: Elsewhere,
    pub(crate) on_slice: OnSlice<'a>,
}

/// What it made: tables that are durable with their names, and that no version names yet.
#[derive(Debug)]
pub(crate) struct Rewritten<'a> {
    pub(crate) outputs: Outputs<'a>,
    /// Rows that went in.
    pub(crate) rows_in: u64,
    /// How far back reads are still exact, if versions went.
    pub(crate) history: Option<History>,
}

impl<'a> Rewrite<'a> {
    /// Rewrites everything that `cursor` walks over.
    pub(crate) fn run(self, mut cursor: Merging<Source>) -> Result<Rewritten<'a>> {
        let mut rules = Rules::new(self.retention);
        let mut outputs = Outputs::new(self.spec);
        let mut slices = Slices::new(self.on_slice);
        let mut rows_in = 0;
        cursor.seek_to_first()?;
        while cursor.is_valid() {
            rows_in += 1;
            let key = cursor.key();
            let verdict = rules.decide(key, |seqno| self.elsewhere.may_hold_older(key.user_key, seqno))?;
            if let Verdict::Keep { seqno, held } = verdict {
                if let Some((seqno, kind)) = held {
                    outputs.add(InternalKey { seqno, kind, ..key }, RowFlags::NONE, &[])?;
                }
                outputs.add(InternalKey { seqno, ..key }, cursor.flags(), cursor.value())?;
            }
            let read = key.user_key.len() + cursor.value().len();
            cursor.next()?;
            slices.advance(read, outputs.bytes())?;
        }
        outputs.finish()?;
        slices.end_slice(outputs.bytes())?;
        Ok(Rewritten { outputs, rows_in, history: rules.end() })
    }
}
