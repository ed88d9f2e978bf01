//! What a catalog says, and its bytes.
//!
//! ```text
//! catalog-<gen>   FileHeader (kind Catalog), then one record of codec::frame, kind 1, seqno = newest change contained
//! payload         next keyspace u32, next tree u64
//!                 count varint, each: keyspace u32, tree u64, since u64, name      (ascending by keyspace)
//!                 count varint, each: tree u64 that is dropped and may still be on disk
//!                 fields to the end: 2 settings of a keyspace that has some: keyspace u32, catalog::settings; 3 covered u64
//! CURRENT         codec::current; its root is the CRC-32C of that payload
//! ```

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{
    catalog::{
        change::{KeyspaceChange, read_name},
        settings::{put_settings, read_settings},
    },
    options::KeyspaceOptions,
};
use sediment_base::{Error, KeyspaceId, Result, SeqNo, TreeId, limits, seqno::SEQNO_MAX};
use sediment_codec::{
    coding::{Reader, Writer},
    current::Current,
    fields::{put_field, read_fields},
    frame::{Record, RecordReader, RecordWriter, Step, payload_crc},
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use std::collections::{BTreeMap, BTreeSet};

/// Kind of the one record in a catalog.
const SNAPSHOT_RECORD: u8 = 1;

const KEYSPACE_BYTES_MIN: usize = 22;

const SETTINGS: u64 = 2;
const COVERED: u64 = 3;

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
    /// No record of the log at or below this seqno is needed. Manifests may say so of higher ones; theirs go with their trees.
    pub(crate) covered: SeqNo,
}

/// One keyspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CatalogEntry {
    pub(crate) name: String,
    pub(crate) tree: TreeId,
    /// Seqno of the change that made the tree: older records of this keyspace are not in it.
    pub(crate) since: SeqNo,
    pub(crate) options: KeyspaceOptions,
}

impl CatalogState {
    /// Applies a change that the log has.
    pub(crate) fn apply(&mut self, seqno: SeqNo, change: &KeyspaceChange) -> Result<()> {
        match change {
            KeyspaceChange::Create { keyspace, tree, name, options } => {
                if *keyspace < self.next_keyspace || self.is_named(*tree) {
                    return Err(Error::corruption("a keyspace is made with an id that was used before"));
                }
                if self.keyspaces.values().any(|entry| entry.name == *name) {
                    return Err(Error::corruption(format!("a keyspace named {name:?} is made twice")));
                }
                self.next_keyspace = KeyspaceId(keyspace.0.checked_add(1).ok_or_else(used_up)?);
                self.use_tree(*tree)?;
                let (name, options) = (name.clone(), options.clone());
                self.keyspaces.insert(*keyspace, CatalogEntry { name, tree: *tree, since: seqno, options });
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
            KeyspaceChange::Configure { keyspace, options } => {
                let entry = self.keyspaces.get_mut(keyspace).ok_or_else(|| missing(*keyspace))?;
                entry.options = options.clone();
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
        for (id, entry) in self.keyspaces.iter().filter(|(_, entry)| entry.options != KeyspaceOptions::default()) {
            let mut field = Vec::new();
            field.put_u32(id.0);
            put_settings(&mut field, &entry.options);
            put_field(&mut out, SETTINGS, &field);
        }
        if self.covered > 0 {
            put_field(&mut out, COVERED, &self.covered.to_le_bytes());
        }
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
            let (since, name, options) = (reader.u64()?, read_name(&mut reader)?, KeyspaceOptions::default());
            let is_new = trees.insert(tree) && names.insert(name.clone());
            let is_first = state.keyspaces.insert(id, CatalogEntry { name, tree, since, options }).is_none();
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
        read_fields(&mut reader, "the catalog", |tag, field| match tag {
            SETTINGS => state.read_settings(field).map(|()| true),
            COVERED => state.read_covered(field).map(|()| true),
            _ => Ok(false),
        })?;
        Ok(state)
    }

    /// Reads the settings of one keyspace.
    fn read_settings(&mut self, field: &mut Reader<'_>) -> Result<()> {
        let keyspace = KeyspaceId(field.u32()?);
        let options = read_settings(field)?;
        match self.keyspaces.get_mut(&keyspace) {
            Some(entry) if entry.options == KeyspaceOptions::default() => entry.options = options,
            _ => return Err(Error::corruption(format!("settings of keyspace {keyspace} in the catalog contradict the rest"))),
        }
        Ok(())
    }

    fn read_covered(&mut self, field: &mut Reader<'_>) -> Result<()> {
        self.covered = field.u64()?;
        if self.covered > SEQNO_MAX {
            return Err(
                Error::corruption("the seqno up to which the log is not needed").expected_found(SEQNO_MAX, self.covered)
            );
        }
        Ok(())
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

    fn create(id: u32, tree: u64, name: &str) -> KeyspaceChange {
        let (keyspace, tree, name) = (KeyspaceId(id), TreeId(tree), name.into());
        KeyspaceChange::Create { keyspace, tree, name, options: ratio(None) }
    }

    fn ratio(level_ratio: Option<u64>) -> KeyspaceOptions {
        KeyspaceOptions { level_ratio, ..KeyspaceOptions::default() }
    }

    fn configure(id: u32, level_ratio: Option<u64>) -> KeyspaceChange {
        KeyspaceChange::Configure { keyspace: KeyspaceId(id), options: ratio(level_ratio) }
    }

    fn state() -> CatalogState {
        let mut state = CatalogState::default();
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
    fn settings_are_kept_by_those_who_have_some() {
        let plain = state();
        let mut state = plain.clone();
        state.apply(10, &configure(2, Some(7))).unwrap();
        state.apply(11, &create(3, 4, "c")).unwrap();
        let KeyspaceChange::Create { keyspace, tree, .. } = create(4, 5, "d") else { unreachable!() };
        let with_settings = KeyspaceChange::Create { keyspace, tree, name: "d".into(), options: ratio(Some(3)) };
        state.apply(12, &with_settings).unwrap();
        let decoded = CatalogState::decode(12, &state.encode()).unwrap();
        assert_eq!(decoded, state);
        let found: Vec<_> = decoded.keyspaces.values().map(|entry| entry.options.level_ratio).collect();
        assert_eq!(found, [Some(7), None, Some(3)]);
        state.apply(13, &KeyspaceChange::Clear { keyspace: KeyspaceId(2), tree: TreeId(6) }).unwrap();
        assert_eq!(state.keyspaces[&KeyspaceId(2)].options, ratio(Some(7)), "a clear leaves them");
        assert!(state.apply(14, &configure(1, None)).is_err(), "keyspace 1 was dropped");
        let mut reset = plain.clone();
        reset.apply(10, &configure(2, Some(7))).unwrap();
        reset.apply(10, &configure(2, None)).unwrap();
        assert_eq!(reset.encode(), plain.encode(), "settings that are not set take no byte");
    }

    #[test]
    fn settings_of_nobody_or_given_twice_are_refused_and_strangers_skipped() {
        let with = |tag, keyspace: u32| {
            let mut state = state();
            state.apply(10, &configure(2, Some(7))).unwrap();
            let mut payload = state.encode();
            put_field(&mut payload, tag, &keyspace.to_le_bytes());
            CatalogState::decode(10, &payload).map(|decoded| decoded == state)
        };
        assert!(with(1000, 2).unwrap());
        assert_eq!(with(1001, 2).unwrap_err().kind(), sediment_base::ErrorKind::Unsupported);
        for keyspace in [1, 2, 3] {
            assert_eq!(with(SETTINGS, keyspace).unwrap_err().kind(), sediment_base::ErrorKind::Corruption, "{keyspace}");
        }
    }

    #[test]
    fn ids_that_nobody_lived_to_give_are_refused() {
        let state = CatalogState { next_tree: TreeId(limits::ID_END), next_keyspace: KeyspaceId(1), ..CatalogState::default() };
        let error = CatalogState::decode(0, &state.encode()).unwrap_err();
        assert_eq!(error.kind(), sediment_base::ErrorKind::Corruption);
        let create = create(1, u64::MAX, "a");
        assert!(CatalogState { next_keyspace: KeyspaceId(1), ..CatalogState::default() }.apply(1, &create).is_err());
    }
}
