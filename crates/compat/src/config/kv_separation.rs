//! `KvSeparationOptions`: which values lie apart.

use crate::{compression::CompressionType, zstd::ZstdDictionary};
use std::sync::Arc;

/// Which values lie apart from their keys, and when files of such are rewritten.
#[derive(Clone, Debug, PartialEq)]
pub struct KvSeparationOptions {
    #[doc(hidden)]
    pub compression: CompressionType,
    #[doc(hidden)]
    pub file_target_size: u64,
    #[doc(hidden)]
    pub separation_threshold: u32,
    #[doc(hidden)]
    pub staleness_threshold: f32,
    #[doc(hidden)]
    pub age_cutoff: f32,
    #[doc(hidden)]
    pub dict: Option<Arc<ZstdDictionary>>,
}

impl Default for KvSeparationOptions {
    fn default() -> Self {
        Self {
            compression: CompressionType::Lz4,
            file_target_size: 64 << 20,
            separation_threshold: 1024,
            staleness_threshold: 0.25,
            age_cutoff: 0.25,
            dict: None,
        }
    }
}

impl KvSeparationOptions {
    /// How values are compressed.
    #[must_use]
    pub fn compression(self, compression: CompressionType) -> Self {
        Self { compression, ..self }
    }

    /// Target size of a file of values.
    #[must_use]
    pub fn file_target_size(self, bytes: u64) -> Self {
        Self { file_target_size: bytes, ..self }
    }

    /// Values of so many bytes or more lie apart.
    #[must_use]
    pub fn separation_threshold(self, bytes: u32) -> Self {
        Self { separation_threshold: bytes, ..self }
    }

    /// A file is stale from this part of dead bytes on.
    #[must_use]
    pub fn staleness_threshold(self, ratio: f32) -> Self {
        Self { staleness_threshold: ratio, ..self }
    }

    /// Of stale files the oldest, this part of them, are rewritten.
    #[must_use]
    pub fn age_cutoff(self, ratio: f32) -> Self {
        Self { age_cutoff: ratio, ..self }
    }

    /// The dictionary of the compression.
    #[must_use]
    pub fn dict(self, dictionary: Arc<ZstdDictionary>) -> Self {
        Self { dict: Some(dictionary), ..self }
    }
}
