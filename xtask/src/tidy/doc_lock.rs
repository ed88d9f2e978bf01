//! Documents that describe bytes and orders to the letter are locked to the code that they describe.
//!
//! When that code changes (comments and tests aside), tidy fails until somebody has read the document again and run
//! `cargo xtask tidy --bless`, which writes the new hashes to `xtask/doc_lock.txt`.

use super::Report;
use crate::source::{Source, Tree};
use std::{collections::BTreeMap, fs, io, path::Path};

/// A document and how the paths of the files that it describes end.
const LOCKS: &[(&str, &[&str])] = &[
    (
        "docs/format.md",
        &[
            "/format.rs",
            "codec/src/frame.rs",
            "codec/src/seal.rs",
            "codec/src/header.rs",
            "codec/src/hash.rs",
            "codec/src/current.rs",
            "codec/src/fields.rs",
            "table/src/properties.rs",
            "table/src/block/jumbo.rs",
            "table/src/filter/split_block.rs",
            "table/src/index/fence.rs",
            "base/src/kind.rs",
        ],
    ),
    ("docs/durability.md", &["/manifest.rs", "/commit.rs", "/commit/group.rs", "/atomic_file.rs", "/wal/writer.rs"]),
];

const LOCK_FILE: &str = "xtask/doc_lock.txt";

/// Compares the hashes.
pub(super) fn check(root: &Path, tree: &Tree, report: &mut Report) {
    let locked = fs::read_to_string(root.join(LOCK_FILE)).unwrap_or_default();
    let locked: BTreeMap<&str, &str> = locked.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    for (document, hash) in hashes(root, tree) {
        if locked.get(document) != Some(&hash.as_str()) {
            report.error(format!(
                "{document}: the code that it describes has changed; read it again, then `cargo xtask tidy --bless`"
            ));
        }
    }
}

/// Writes the lock file.
pub(super) fn bless(root: &Path, tree: &Tree) -> io::Result<()> {
    let lines: Vec<String> = hashes(root, tree).into_iter().map(|(document, hash)| format!("{document} {hash}\n")).collect();
    fs::write(root.join(LOCK_FILE), lines.concat())
}

fn hashes<'a>(root: &Path, tree: &Tree) -> Vec<(&'a str, String)> {
    let there = LOCKS.iter().filter(|(document, _)| root.join(document).exists());
    let described = |ends: &[&str], source: &Source| source.is_shipped() && ends.iter().any(|end| source.path.ends_with(end));
    there
        .map(|(document, ends)| {
            let sources = tree.sources.iter().filter(|source| described(ends, source));
            (*document, format!("{:016x}", sources.fold(0, fold)))
        })
        .collect()
}

/// FNV-1a over path and code; spaces at the ends of lines do not count.
fn fold(hash: u64, source: &Source) -> u64 {
    let code = source.code().map(|(_, line)| line.trim());
    let bytes = std::iter::once(source.path.as_str()).chain(code).flat_map(|line| line.bytes().chain([b'\n']));
    bytes.fold(hash ^ 0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
