//! What a catalog says, and its bytes.
//!
//! ```text
//! catalog-<gen>   FileHeader (kind Catalog), then one record of codec::frame, kind 1, seqno = newest change contained
//! payload         next keyspace u32, next tree u64
//!                 count varint, each: keyspace u32, tree u64, since u64, name      (ascending by keyspace)
//!                 count varint, each: tree u64 that is dropped and may still be on disk
//! CURRENT         codec::current; its root is the CRC-32C of that payload
//! ```

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::catalog::change::{KeyspaceChange, read_name};
use sediment_base::{Error, KeyspaceId, Result, SeqNo, TreeId, limits};
use sediment_codec::{
    coding::{Reader, Writer},
    current::Current,
    frame::{Record, RecordReader, RecordWriter, Step, payload_crc},
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use std::collections::{BTreeMap, BTreeSet};

/// Kind of the one record in a catalog.
const SNAPSHOT_RECORD: u8 = 1;

const KEYSPACE_BYTES_MIN: usize = 22;

/// Which keyspaces there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CatalogState {
    /// Seqno of the newest change it contains.
    pub(crate) seqno: SeqNo,
    pub(crate) next_keyspace: KeyspaceId,
    pub(crate) next_tree: TreeId,
    pub(crate) keyspaces: BTreeMap<KeyspaceId, CatalogEntry>,
    /// Trees that nothing needs any more.
    pub(crate) garbage: BTreeSet<TreeId>,
}

/// One keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CatalogEntry {
    pub(crate) name: String,
    pub(crate) tree: TreeId,
    /// Seqno of the change that made the tree: older records of this keyspace are not in it.
    pub(crate) since: SeqNo,
}

impl CatalogState {
    /// Applies a change that the log has.
    pub(crate) fn apply(&mut self, seqno: SeqNo, change: &KeyspaceChange) -> Result<()> {
        match change {
            KeyspaceChange::Create { keyspace, tree, name } => {
                if *keyspace < self.next_keyspace || self.is_named(*tree) {
                    return Err(Error::corruption("a keyspace is made with an id that was used before"));
                }
                if self.keyspaces.values().any(|entry| entry.name == *name) {
                    return Err(Error::corruption(format!("a keyspace named {name:?} is made twice")));
                }
                self.next_keyspace = KeyspaceId(keyspace.0.checked_add(1).ok_or_else(used_up)?);
                self.use_tree(*tree)?;
                self.keyspaces.insert(*keyspace, CatalogEntry { name: name.clone(), tree: *tree, since: seqno });
            }
            KeyspaceChange::Drop { keyspace } => {
                let entry = self.keyspaces.remove(keyspace).ok_or_else(|| missing(*keyspace))?;
                self.garbage.insert(entry.tree);
            }
            KeyspaceChange::Clear { keyspace, tree } => {
                if self.is_named(*tree) {
                    return Err(Error::corruption("a keyspace is cleared with a tree that was used before"));
                }
                let entry = self.keyspaces.get_mut(keyspace).ok_or_else(|| missing(*keyspace))?;
                let old = std::mem::replace(&mut entry.tree, *tree);
                entry.since = seqno;
                self.garbage.insert(old);
                self.use_tree(*tree)?;
            }
        }
        self.seqno = seqno;
        Ok(())
    }

    /// The payload of its record.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u32(self.next_keyspace.0);
        out.put_u64(self.next_tree.0);
        out.put_varint(self.keyspaces.len() as u64);
        for (id, entry) in &self.keyspaces {
            out.put_u32(id.0);
            out.put_u64(entry.tree.0);
            out.put_u64(entry.since);
            out.put_length_prefixed(entry.name.as_bytes());
        }
        out.put_varint(self.garbage.len() as u64);
        self.garbage.iter().for_each(|tree| out.put_u64(tree.0));
        out
    }

    /// Reads the payload of a record with this seqno.
    pub(crate) fn decode(seqno: SeqNo, payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let mut state = Self { seqno, ..Self::default() };
        state.next_keyspace = KeyspaceId(reader.u32()?);
        state.next_tree = TreeId(reader.u64()?);
        if state.next_tree.0 >= limits::ID_END {
            return Err(Error::corruption("the next tree's id is none").at(4));
        }
        let mut trees = BTreeSet::new();
        let mut names = BTreeSet::new();
        for _ in 0..reader.count(KEYSPACE_BYTES_MIN)? {
            let at = reader.position() as u64;
            let (id, tree) = (KeyspaceId(reader.u32()?), TreeId(reader.u64()?));
            let (since, name) = (reader.u64()?, read_name(&mut reader)?);
            let is_new = trees.insert(tree) && names.insert(name.clone());
            let is_first = state.keyspaces.insert(id, CatalogEntry { name, tree, since }).is_none();
            if !is_new || !is_first || id >= state.next_keyspace || tree >= state.next_tree || since > seqno {
                return Err(Error::corruption("a keyspace in the catalog contradicts the rest").at(at));
            }
        }
        for _ in 0..reader.count(8)? {
            let at = reader.position() as u64;
            let tree = TreeId(reader.u64()?);
            if trees.contains(&tree) || tree >= state.next_tree || !state.garbage.insert(tree) {
                return Err(Error::corruption("a dropped tree in the catalog contradicts the rest").at(at));
            }
        }
        reader.expect_end()?;
        Ok(state)
    }

    fn use_tree(&mut self, tree: TreeId) -> Result<()> {
        if tree.0 >= limits::ID_END - 1 {
            return Err(used_up());
        }
        self.next_tree = self.next_tree.max(tree.next());
        Ok(())
    }

    fn is_named(&self, tree: TreeId) -> bool {
        self.garbage.contains(&tree) || self.keyspaces.values().any(|entry| entry.tree == tree)
    }
}

/// The bytes of a catalog, and what `CURRENT` has to say of it.
pub(crate) fn encode_catalog(header: &FileHeader, state: &CatalogState) -> Result<(Vec<u8>, Current)> {
    let payload = state.encode();
    let record = Record { kind: SNAPSHOT_RECORD, seqno: state.seqno, ..Record::default() };
    Ok((encode_file(header, &record, &payload)?, current_of(header, &payload)))
}

/// Reads a catalog; `current` is what `CURRENT` says of it, where it is known.
pub(crate) fn decode_catalog(bytes: &[u8], current: Option<Current>) -> Result<(FileHeader, CatalogState)> {
    let (header, record, payload) = decode_file(bytes, FileKind::Catalog, SNAPSHOT_RECORD)?;
    if current.is_some_and(|current| current != current_of(&header, payload)) {
        return Err(Error::corruption("this is not the catalog that CURRENT names"));
    }
    let state = CatalogState::decode(record.seqno, payload).map_err(|error| error.at(PAYLOAD_START))?;
    Ok((header, state))
}

const PAYLOAD_START: u64 = 176;

fn current_of(header: &FileHeader, payload: &[u8]) -> Current {
    let (generation, uuid) = (header.generation, header.uuid);
    Current { kind: FileKind::Catalog, generation, uuid, root: payload_crc(payload).into() }
}

/// A file of one record.
fn encode_file(header: &FileHeader, record: &Record, payload: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = header.encode().to_vec();
    let mut writer = RecordWriter::new(header.uuid, 0, HEADER_BYTES as u64);
    writer.append(record, payload, payload_crc(payload), &mut bytes)?;
    Ok(bytes)
}

fn decode_file(bytes: &[u8], kind: FileKind, record_kind: u8) -> Result<(FileHeader, Record, &[u8])> {
    let header = FileHeader::decode(bytes)?;
    header.expect(kind)?;
    let mut reader = RecordReader::new(header.uuid, 0, bytes, HEADER_BYTES as u64);
    let (record, payload, end) = match reader.next() {
        Step::Record { record, payload, end, .. } => (record, payload, end),
        Step::End { offset } => return Err(Error::corruption("the file ends behind its header").at(offset)),
        Step::Damage { error, .. } => return Err(error),
    };
    if record.kind != record_kind {
        return Err(Error::unsupported(format!("record kind {} in a {kind:?} file is not known to this version", record.kind)));
    }
    match reader.next() {
        Step::End { .. } => Ok((header, record, payload)),
        _ => Err(Error::corruption("bytes follow where none belong").at(end)),
    }
}

#[cold]
fn missing(keyspace: KeyspaceId) -> Error {
    Error::corruption(format!("keyspace {keyspace} is changed where there is none"))
}

#[cold]
fn used_up() -> Error {
    Error::corruption("an id is the last one there is")
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use sediment_base::FileUuid;

    fn state() -> CatalogState {
        let mut state = CatalogState::default();
        let create =
            |id, tree, name: &str| KeyspaceChange::Create { keyspace: KeyspaceId(id), tree: TreeId(tree), name: name.into() };
        state.apply(1, &create(1, 1, "a")).unwrap();
        state.apply(2, &create(2, 2, "b")).unwrap();
        state.apply(7, &KeyspaceChange::Clear { keyspace: KeyspaceId(2), tree: TreeId(3) }).unwrap();
        state.apply(9, &KeyspaceChange::Drop { keyspace: KeyspaceId(1) }).unwrap();
        assert!(state.apply(10, &create(1, 9, "c")).is_err());
        assert!(state.apply(10, &create(5, 9, "b")).is_err());
        state
    }

    #[test]
    fn a_dropped_tree_that_is_yet_to_come_is_not_believed() {
        let mut ahead = state();
        ahead.garbage.insert(ahead.next_tree);
        assert!(CatalogState::decode(9, &ahead.encode()).is_err());
    }

    #[test]
    fn a_catalog_reads_back_and_refuses_every_cut_and_flip() {
        let state = state();
        assert_eq!(state.garbage, BTreeSet::from([TreeId(1), TreeId(2)]));
        let header = FileHeader::new(FileKind::Catalog, FileUuid([1; 16]), 4, FileUuid([2; 16]));
        let (bytes, current) = encode_catalog(&header, &state).unwrap();
        assert_eq!(decode_catalog(&bytes, Some(current)).unwrap(), (header, state));
        assert!(decode_catalog(&bytes, Some(Current { root: 0, ..current })).is_err());
        for at in 0..bytes.len() {
            assert!(decode_catalog(&bytes[..at], None).is_err(), "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(decode_catalog(&flipped, None).is_err(), "flipped at {at}");
        }
    }

    #[test]
    fn ids_that_nobody_lived_to_give_are_refused() {
        let state = CatalogState { next_tree: TreeId(limits::ID_END), next_keyspace: KeyspaceId(1), ..CatalogState::default() };
        let error = CatalogState::decode(0, &state.encode()).unwrap_err();
        assert_eq!(error.kind(), sediment_base::ErrorKind::Corruption);
        let create = KeyspaceChange::Create { keyspace: KeyspaceId(1), tree: TreeId(u64::MAX), name: "a".into() };
        assert!(CatalogState { next_keyspace: KeyspaceId(1), ..CatalogState::default() }.apply(1, &create).is_err());
    }
}
