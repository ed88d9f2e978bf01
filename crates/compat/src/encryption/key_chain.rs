//! Keys by number.

use std::{collections::BTreeMap, fmt};

/// Knows keys by number.
pub trait KeyChain: Send + Sync {
    /// The key of this number.
    fn key(&self, epoch: u8) -> Option<&[u8; 32]>;
}

/// Keys in memory.
#[derive(Clone, Default)]
pub struct StaticKeyChain {
    keys: BTreeMap<u8, [u8; 32]>,
}

impl StaticKeyChain {
    /// No key.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this one.
    #[must_use]
    pub fn with_key(mut self, epoch: u8, key: [u8; 32]) -> Self {
        self.keys.insert(epoch, key);
        self
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl KeyChain for StaticKeyChain {
    fn key(&self, epoch: u8) -> Option<&[u8; 32]> {
        self.keys.get(&epoch)
    }
}

/// Shows no key.
impl fmt::Debug for StaticKeyChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticKeyChain").field("epochs", &self.keys.keys().collect::<Vec<_>>()).finish()
    }
}
