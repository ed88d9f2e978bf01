//! Fuzzing of every decoder, each twice in one binary.
//!
//! The first byte of an input is a switch: with its lowest bit set every checksum matches, so that mutations reach what lies
//! behind the checksums; otherwise they are checked, and whatever is accepted must write back as the bytes that were read. The
//! rest of the input is what the decoder gets. Seeds come from the real writers: `cargo run --bin seeds`.

pub mod stores;

pub mod tables;

pub mod tokens;

use sediment_base::FileUuid;
use sediment_env::{Fs, MemFs};
use std::path::Path;

/// The uuid of every file that the targets read and the seeds hold.
pub const UUID: FileUuid = FileUuid(*b"uuid of the file");

/// The uuid of the database that the seeds pretend to come from.
pub const DB_UUID: FileUuid = FileUuid(*b"uuid of database");

/// Where the frames stand that the `seal` target opens.
pub const FRAME_OFFSET: u64 = 4096;

/// The epoch of the records that the `record` target reads.
pub const EPOCH: u32 = 7;

/// Runs a decoder on an input: sets the switch by the first byte and hands on the rest, and whether checksums are checked.
pub fn switched(input: &[u8], decode: impl FnOnce(&[u8], bool)) {
    let Some((switch, bytes)) = input.split_first() else { return };
    let checked = switch & 1 == 0;
    #[cfg(fuzzing)]
    sediment_codec::checksum::bypass(!checked);
    decode(bytes, checked);
}

/// A disk with these files, each in its directory.
pub fn disk<P: AsRef<Path>, B: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, B)>) -> MemFs {
    let disk = MemFs::new();
    for (path, bytes) in files {
        let mut dirs: Vec<&Path> = path.as_ref().ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()).collect();
        dirs.reverse();
        for dir in dirs {
            if !disk.exists(dir).expect("a sound disk") {
                disk.create_dir(dir).expect("its parent exists");
            }
        }
        disk.create(path.as_ref()).and_then(|file| file.write_at(0, bytes.as_ref())).expect("its directory exists");
    }
    disk
}
