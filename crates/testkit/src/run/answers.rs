//! Comparing answers, and telling people how they differ.

use super::{Failure, Outcome};
use crate::{
    model::{Contents, Model, Moment, Short},
    store::{Store, Text},
};
use sediment_base::Slice;
use std::{collections::VecDeque, fmt};

/// A scan in progress and what it should still return.
pub(super) struct OpenScan<S: Store> {
    pub(super) scan: S::Scan,
    pub(super) expected: VecDeque<(Vec<u8>, Text)>,
}

impl<S: Store> OpenScan<S> {
    /// Takes one pair from one end and compares.
    pub(super) fn step(&mut self, front: bool) -> Outcome {
        let (found, expected) = match front {
            true => (self.scan.next(), self.expected.pop_front()),
            false => (self.scan.next_back(), self.expected.pop_back()),
        };
        let found = found.transpose()?;
        let same = match (&found, &expected) {
            (None, None) => true,
            (Some((key, value)), Some((expected_key, expected))) => **key == **expected_key && *value == expected.bytes()[..],
            _ => false,
        };
        if same {
            return Ok(());
        }
        let side = if front { "front" } else { "back" };
        let key = |key: Option<&[u8]>| key.map_or("the end".to_owned(), |key| key.escape_ascii().to_string());
        let expected_key = key(expected.as_ref().map(|(key, _)| key.as_slice()));
        let found_key = key(found.as_ref().map(|(key, _)| &**key));
        let (expected, found) = (shown(expected.map(|(_, value)| value)), Bytes(found.as_ref().map(|(_, value)| value)));
        let text = format!("scan, {side}: expected {expected_key}: {expected}, found {found_key}: {found}");
        Err(Failure::Wrong(text))
    }
}

/// Says how contents differ from a moment, in a few lines.
pub fn describe(contents: &Contents, model: &Model, moment: Moment) -> String {
    let differences = contents.differences(&model.contents(moment));
    let shown: Vec<_> = differences.iter().take(6).map(|line| format!("\n  {line}")).collect();
    format!("{} differences from moment {moment}:{}", differences.len(), shown.concat())
}

/// Says why contents are no moment from `promised` on: the nearest moment before the promise or after, if there is one.
pub fn describe_recovered(contents: &Contents, model: &Model, promised: Moment) -> String {
    let now = model.now();
    match model.find(contents, 0..=now) {
        Some(moment) => format!(
            "lost: moment {promised} of {now} was promised, found moment {moment}; {}",
            describe(contents, model, promised)
        ),
        None => format!("no prefix of the commits ({promised} promised, {now} issued): {}", describe(contents, model, now)),
    }
}

pub(super) fn shown(value: Option<Text>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string())
}

pub(super) struct Bytes<'a>(pub(super) Option<&'a Slice>);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.map(|slice| slice.to_vec());
        write!(f, "{}", Short(bytes.as_ref()))
    }
}
