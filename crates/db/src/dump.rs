//! Prints any file that we write as text, told apart by its header.

use sediment_base::Result;
use std::{fmt, path::Path};

/// Prints the file at `path` to `out`: a table, a log file, a manifest, a catalog or `CURRENT`.
pub fn dump_file(_path: impl AsRef<Path>, _out: &mut dyn fmt::Write) -> Result<()> {
    unimplemented!()
}
