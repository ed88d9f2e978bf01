//! Randomness.

use sediment_base::{FileUuid, Result};
use std::fmt;

/// A source of random bytes.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills `bytes`. Fails only where the system's source does.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;

    /// A random number.
    fn next_u64(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A fresh identity for a file or a database.
    fn uuid(&self) -> Result<FileUuid> {
        let mut uuid = FileUuid::default();
        self.fill(&mut uuid.0)?;
        Ok(uuid)
    }
}
