//! Prints any file that we write as text, told apart by its header.

use crate::{
    catalog::dump_catalog,
    wal::{dump_log, read_whole},
};
use sediment_base::{
    Error, KeyOrder, Result,
    filename::{self, FileName},
};
use sediment_codec::{
    current::Current,
    header::{FileHeader, FileKind, HEADER_BYTES},
};
use sediment_env::Env;
use sediment_table::{BlockCache, TableContext};
use std::{fmt, path::Path, sync::Arc};

/// Prints the file at `path` to `out`: a table, a log file, a manifest, a catalog, a `CURRENT`, `RESERVE` or `STATS`. Damage is printed where it
/// lies, or is the error returned; what came before it is printed all the same.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// # sedimentdb::Db::open(dir.path())?.keyspace("users")?.insert("u17", "Ada")?;
/// let mut text = String::new();
/// sedimentdb::dump_file(dir.path().join("wal/1"), &mut text)?;
/// assert!(text.contains("\"u17\" = \"Ada\""), "{text}");
/// # Ok::<(), sedimentdb::Error>(())
/// ```
pub fn dump_file(path: impl AsRef<Path>, out: &mut dyn fmt::Write) -> Result<()> {
    dump(&Env::system(), path.as_ref(), out).map_err(|error| error.in_file(path.as_ref()))
}

fn dump(env: &Env, path: &Path, out: &mut dyn fmt::Write) -> Result<()> {
    if let Some(told) = dump_without_header(env, path)? {
        return write(out, &told);
    }
    let file = env.fs.open(path)?;
    let mut head = vec![0; file.len()?.min(HEADER_BYTES as u64) as usize];
    file.read_exact_at(0, &mut head)?;
    let header = FileHeader::decode(&head)?;
    match header.kind {
        FileKind::Table => {
            let (fs, random, cache) = (Arc::clone(&env.fs), Arc::clone(&env.random), Arc::new(BlockCache::new(1 << 20)));
            let context = TableContext::new(fs, random, header.db_uuid, KeyOrder::bytewise(), cache);
            sediment_table::dump::dump_table(&context, path, out)
        }
        FileKind::Manifest => sediment_tree::dump_manifest(&*env.fs, path, out),
        FileKind::Wal => dump_log(&read_whole(env, path)?, out),
        FileKind::Catalog => dump_catalog(&read_whole(env, path)?, out),
        FileKind::Current if is_of_tree(env, path)? => sediment_tree::dump_current(&*env.fs, path, out),
        FileKind::Current => dump_current(&read_whole(env, path)?, out),
        kind => Err(Error::unsupported(format!("this version cannot print a file of kind {kind:?}"))),
    }
}

fn dump_current(bytes: &[u8], out: &mut dyn fmt::Write) -> Result<()> {
    let (header, Current { kind, generation, uuid, root }) = Current::decode_any(bytes)?;
    let text = format!("CURRENT of database {}: {kind:?} generation {generation}, file {uuid}, root {root:x}", header.db_uuid);
    write(out, &text)
}

/// The two files that are no part of the data and have no header of ours.
fn dump_without_header(env: &Env, path: &Path) -> Result<Option<String>> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(FileName::parse);
    Ok(match name {
        Some(FileName::Reserve) => {
            Some(format!("RESERVE: {} bytes kept for going on when the disk is full", env.fs.open(path)?.len()?))
        }
        Some(FileName::Stats) => Some(String::from_utf8_lossy(&read_whole(env, path)?).into_owned()),
        _ => None,
    })
}

fn write(out: &mut dyn fmt::Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(|error| Error::invalid_input("cannot print").with_source(error))
}

/// A `CURRENT` beside `tables/` is that of a tree.
fn is_of_tree(env: &Env, path: &Path) -> Result<bool> {
    env.fs.exists(&path.with_file_name(filename::TABLES_DIR))
}
