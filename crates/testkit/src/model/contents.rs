//! `Contents`: everything that a store holds at one moment, and its fingerprint.

use crate::{
    seed::mix,
    store::{Span, Store},
};
use sediment_base::{Error, Result};
use std::{collections::BTreeMap, fmt};

/// Keyspaces with their pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents(pub BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>);

impl Contents {
    /// Reads a store to its end, in both directions, which must agree.
    pub fn read<S: Store>(store: &S) -> Result<Self> {
        let mut contents = Self::default();
        for name in store.keyspaces() {
            let mut rows = Vec::new();
            for pair in store.scan(&name, &Span::all(), None)? {
                rows.push(pair?);
            }
            let mut backward = store.scan(&name, &Span::all(), None)?.rev();
            for row in rows.iter().rev() {
                if backward.next().transpose()?.as_ref() != Some(row) {
                    return Err(Error::corruption(format!("keyspace {name}: forward and backward scans differ")));
                }
            }
            if backward.next().is_some() || !rows.is_sorted_by(|(left, _), (right, _)| left < right) {
                return Err(Error::corruption(format!("keyspace {name}: scans are out of order or differ in length")));
            }
            let rows = rows.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
            contents.0.insert(name, rows);
        }
        Ok(contents)
    }

    /// A number that differs where the contents do, but for the rarest chance.
    pub fn print(&self) -> u64 {
        let rows = self.0.iter().flat_map(|(name, rows)| rows.iter().map(move |(key, value)| (name, key, value)));
        let rows = rows.fold(0, |print, (name, key, value)| print ^ row_print(name, key, value));
        self.0.keys().fold(rows, |print, name| print ^ name_print(name))
    }

    /// How many pairs.
    pub fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says where these contents differ from others, a few places at most; empty where they are equal.
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for name in self.0.keys().filter(|name| !expected.0.contains_key(*name)) {
            differences.push(format!("keyspace {name} should not be there"));
        }
        for (name, rows) in &expected.0 {
            let Some(found) = self.0.get(name) else {
                differences.push(format!("keyspace {name} is missing"));
                continue;
            };
            for key in rows.keys().chain(found.keys().filter(|key| !rows.contains_key(*key))) {
                let (expected, found) = (rows.get(key), found.get(key));
                if expected != found {
                    let key = key.escape_ascii();
                    differences.push(format!("{name}/{key}: expected {}, found {}", Short(expected), Short(found)));
                }
            }
        }
        differences
    }
}

/// A value in a few characters.
pub struct Short<'a>(pub Option<&'a Vec<u8>>);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("nothing"),
            Some(bytes) => match bytes.first_chunk() {
                Some(tag) => write!(f, "{}x{}", u64::from_le_bytes(*tag), bytes.len()),
                None => write!(f, "\"{}\"", bytes.escape_ascii()),
            },
        }
    }
}

pub(super) fn row_print(name: &str, key: &[u8], value: &[u8]) -> u64 {
    hash(hash(hash(2, name.as_bytes()), key), value)
}

pub(super) fn name_print(name: &str) -> u64 {
    hash(1, name.as_bytes())
}

fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = mix(seed ^ (bytes.len() as u64) << 32);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = mix(state ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    mix(state)
}
