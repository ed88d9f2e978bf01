//! Reads beyond one key and one span: several keys at once, cursors, scans in parts.

use super::{Failure, Outcome, Runner, answers::shown};
use crate::{
    model::Short,
    store::{Move, Parts, Span, Store, Text, walk},
};
use sediment_base::Slice;

impl<S: Store> Runner<S> {
    pub(super) fn multi_get(&self, keyspace: &str, keys: &[Vec<u8>], at: Option<u32>) -> Outcome {
        let Some((snapshot, moment)) = self.moment(keyspace, at) else { return Ok(()) };
        let found = self.store().multi_get(keyspace, keys, snapshot)?;
        let expected = keys.iter().map(|key| self.model.get(keyspace, key, moment));
        if found.len() != keys.len() {
            return Err(Failure::Wrong(format!("multiget: {} answers to {} keys", found.len(), keys.len())));
        }
        for ((key, found), expected) in keys.iter().zip(found).zip(expected) {
            if found.as_deref() != expected.as_ref().map(Text::bytes).as_deref() {
                let (key, found) = (key.escape_ascii(), found.map(|found| found.to_vec()));
                let (expected, found) = (shown(expected), Short(found.as_ref()));
                return Err(Failure::Wrong(format!("multiget {keyspace}/{key}: expected {expected}, found {found}")));
            }
        }
        Ok(())
    }

    pub(super) fn moves(&self, keyspace: &str, moves: &[Move], at: Option<u32>) -> Outcome {
        let Some((snapshot, moment)) = self.moment(keyspace, at) else { return Ok(()) };
        let found = self.store().moves(keyspace, moves, snapshot)?;
        let pairs = self.model.scan(keyspace, &Span::all(), moment);
        let expected = walk(&pairs, |pair| &pair.0, moves);
        for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
            if !is_same(found.as_ref(), *expected) {
                let text = format!("moves: {} leads to {}, expected {}", moves[step], key_of(found.as_ref()), named(*expected));
                return Err(Failure::Wrong(format!("{text} (move {step})")));
            }
        }
        Ok(())
    }

    pub(super) fn parts(&self, keyspace: &str, span: &Span, parts: Parts, at: Option<u32>) -> Outcome {
        let Some((snapshot, moment)) = self.moment(keyspace, at) else { return Ok(()) };
        let found = self.store().parts(keyspace, span, parts, snapshot)?;
        let mut expected = self.model.scan(keyspace, span, moment);
        if !parts.is_forward {
            expected.reverse();
        }
        for index in 0..found.len().max(expected.len()) {
            let (found, expected) = (found.get(index), expected.get(index));
            if !is_same(found, expected) {
                let (found, expected) = (key_of(found), named(expected));
                return Err(Failure::Wrong(format!("parts: pair {index} is {found}, expected {expected}")));
            }
        }
        Ok(())
    }
}

fn is_same(found: Option<&(Slice, Slice)>, expected: Option<&(Vec<u8>, Text)>) -> bool {
    match (found, expected) {
        (None, None) => true,
        (Some((key, value)), Some((expected_key, expected))) => **key == **expected_key && *value == expected.bytes()[..],
        _ => false,
    }
}

fn key_of(pair: Option<&(Slice, Slice)>) -> String {
    pair.map_or("nothing".to_owned(), |(key, value)| format!("{} with {} bytes", key.escape_ascii(), value.len()))
}

fn named(pair: Option<&(Vec<u8>, Text)>) -> String {
    pair.map_or("nothing".to_owned(), |(key, value)| format!("{}: {}", key.escape_ascii(), shown(Some(value.clone()))))
}
