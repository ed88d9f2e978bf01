//! Changes of which keyspaces there are: what the log records first, and the catalog then keeps.

#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{
    catalog::settings::{put_settings, read_settings},
    options::KeyspaceOptions,
};
use sediment_base::{Error, ErrorKind, KeyspaceId, Result, TreeId, limits};
use sediment_codec::coding::{Reader, Writer};

/// One change. In the log and in the catalog each has a seqno of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyspaceChange {
    /// A new, empty keyspace.
    Create {
        /// Its id, never used before.
        keyspace: KeyspaceId,
        /// Its tree, complete and durable already.
        tree: TreeId,
        /// Its name.
        name: String,
        /// Its settings.
        options: KeyspaceOptions,
    },
    /// A keyspace is gone with all it holds.
    Drop {
        /// Which.
        keyspace: KeyspaceId,
    },
    /// A keyspace goes on with a fresh tree.
    Clear {
        /// Which.
        keyspace: KeyspaceId,
        /// The new tree, complete and durable already.
        tree: TreeId,
    },
    /// A keyspace has other settings from now on.
    Configure {
        /// Which.
        keyspace: KeyspaceId,
        /// All of them: what is not set here is not set any more.
        options: KeyspaceOptions,
    },
}

impl KeyspaceChange {
    /// The keyspace it is about.
    pub(crate) fn keyspace(&self) -> KeyspaceId {
        match self {
            Self::Create { keyspace, .. }
            | Self::Drop { keyspace }
            | Self::Clear { keyspace, .. }
            | Self::Configure { keyspace, .. } => *keyspace,
        }
    }

    /// Its bytes but for the kind.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u32(self.keyspace().0);
        match self {
            Self::Create { tree, name, options, .. } => {
                out.put_u64(tree.0);
                out.put_length_prefixed(name.as_bytes());
                put_settings(&mut out, options);
            }
            Self::Clear { tree, .. } => out.put_u64(tree.0),
            Self::Drop { .. } => {}
            Self::Configure { options, .. } => put_settings(&mut out, options),
        }
        out
    }

    /// Reads a creation.
    pub(crate) fn read_create(reader: &mut Reader<'_>) -> Result<Self> {
        let (keyspace, tree) = (KeyspaceId(reader.u32()?), TreeId(reader.u64()?));
        Ok(Self::Create { keyspace, tree, name: read_name(reader)?, options: read_settings(reader)? })
    }

    /// Reads a change of settings.
    pub(crate) fn read_configure(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self::Configure { keyspace: KeyspaceId(reader.u32()?), options: read_settings(reader)? })
    }

    /// Reads a drop.
    pub(crate) fn read_drop(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self::Drop { keyspace: KeyspaceId(reader.u32()?) })
    }

    /// Reads a clear.
    pub(crate) fn read_clear(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self::Clear { keyspace: KeyspaceId(reader.u32()?), tree: TreeId(reader.u64()?) })
    }
}

/// Checks a keyspace's name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > limits::KEYSPACE_NAME_BYTES_MAX {
        let max = limits::KEYSPACE_NAME_BYTES_MAX;
        return Err(Error::invalid_input(format!("a keyspace's name is 1 to {max} bytes long, this one has {}", name.len())));
    }
    Ok(())
}

/// Reads a keyspace's name and checks that it could have been written.
pub(crate) fn read_name(reader: &mut Reader<'_>) -> Result<String> {
    let start = reader.position() as u64;
    let name = std::str::from_utf8(reader.length_prefixed()?)
        .map_err(|error| Error::corruption("a keyspace's name is not UTF-8").with_source(error).at(start))?;
    check_name(name).map_err(|error| error.with_kind(ErrorKind::Corruption).at(start))?;
    Ok(name.to_owned())
}
