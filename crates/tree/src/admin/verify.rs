//! Reads every byte of a tree and reports every fault.

use crate::{
    super_version::SuperVersions,
    version::{read_manifest, read_whole},
};
use sediment_base::{Error, Result, filename};
use sediment_codec::{current::Current, header::FileKind};
use sediment_table::check::check_table;

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// Table files read.
    pub tables: u64,
    /// Data blocks in them.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes among them that are padding.
    pub unused_bytes: u64,
    /// What is wrong. Empty for a sound tree.
    pub faults: Vec<Error>,
}

/// Reads the manifest and every table of the current version.
pub(crate) fn verify(versions: &SuperVersions) -> VerifyReport {
    let pinned = versions.pin();
    let mut report = VerifyReport::default();
    if let Err(fault) = verify_manifest(versions) {
        report.faults.push(fault);
    }
    for file in pinned.version.tables() {
        let path = versions.home.path(file.meta.id);
        match check_table(&versions.home.context, &path, Some(&file.meta)) {
            Ok(checked) => {
                report.tables += 1;
                report.blocks += checked.blocks;
                report.rows += checked.rows;
                report.bytes += checked.bytes;
                report.unused_bytes += checked.unused_bytes;
                report.faults.extend(checked.faults);
            }
            Err(fault) => report.faults.push(fault),
        }
    }
    report
}

/// What is on disk must say what the tree believes to be durable. The manifest does not change meanwhile.
fn verify_manifest(versions: &SuperVersions) -> Result<()> {
    let (fs, dir) = (&*versions.home.context.fs, &versions.home.dir);
    versions.with_manifest(|manifest| {
        let path = dir.join(filename::CURRENT);
        let (_, current) =
            Current::decode(&read_whole(fs, &path)?, FileKind::Manifest).map_err(|error| error.in_file(&path))?;
        if current != manifest.current() && manifest.poison().is_none() {
            let error = Error::corruption("CURRENT names another manifest").in_file(&path);
            return Err(error.expected_found(manifest.current().generation, current.generation));
        }
        let path = filename::manifest(dir, current.generation);
        let replayed = read_manifest(fs, &path, Some(&current))?;
        if replayed.end() < manifest.position().length && manifest.poison().is_none() {
            let error = Error::corruption("the manifest has lost records").in_file(&path);
            return Err(error.expected_found(manifest.position().length, replayed.end()));
        }
        Ok(())
    })
}
