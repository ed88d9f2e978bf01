//! Manifests and `CURRENT` as text.

use sediment_base::Result;
use sediment_env::Fs;
use std::{fmt, path::Path};

/// Prints a manifest: its header, then every record with its place. Damage is printed where it lies.
pub fn dump_manifest(_fs: &dyn Fs, _path: &Path, _out: &mut dyn fmt::Write) -> Result<()> {
    unimplemented!()
}

/// Prints a tree's `CURRENT`.
pub fn dump_current(_fs: &dyn Fs, _path: &Path, _out: &mut dyn fmt::Write) -> Result<()> {
    unimplemented!()
}
