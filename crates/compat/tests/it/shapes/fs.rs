//! Every name of `lsm_tree::fs` in the shape that the interface gives it.

use super::names::*;
use lsm_tree::fs::*;
use std::io::{Read, Result, Seek, Write};

fn aligned_buf_keeps_its_shape() {
    let _: fn(usize, usize) -> Option<AlignedBuf> = AlignedBuf::new_zeroed;
    let _: fn(&AlignedBuf) -> usize = AlignedBuf::len;
    let _: fn(&AlignedBuf) -> usize = AlignedBuf::capacity;
    let _: fn(&AlignedBuf) -> usize = AlignedBuf::alignment;
    let _: fn(&AlignedBuf) -> bool = AlignedBuf::is_empty;
    let _: fn(&AlignedBuf) -> *const u8 = AlignedBuf::as_ptr;
    let _: fn(&mut AlignedBuf) -> *mut u8 = AlignedBuf::as_mut_ptr;
    let _: fn(&AlignedBuf) -> &[u8] = AlignedBuf::as_slice;
    let _: fn(&mut AlignedBuf) -> &mut [u8] = AlignedBuf::as_capacity_mut;
    let _: fn(&mut AlignedBuf, usize) -> () = AlignedBuf::set_len;
    let _: fn(&mut AlignedBuf) -> () = AlignedBuf::clear;
    has!(AlignedBuf: Send);
    has!(AlignedBuf: Sync);
}

fn mem_fs_keeps_its_shape() {
    let _: fn() -> MemFs = MemFs::new;
    has!(MemFs: Clone);
    has!(MemFs: std::fmt::Debug);
    has!(MemFs: Default);
    has!(MemFs: Fs);
}

fn std_fs_keeps_its_shape() {
    has!(StdFs: Clone);
    has!(StdFs: Copy);
    has!(StdFs: std::fmt::Debug);
    has!(StdFs: Default);
    has!(StdFs: Fs);
}

fn io_uring_fs_keeps_its_shape() {
    let _: fn() -> Result<IoUringFs> = IoUringFs::new;
    let _: fn(u32) -> Result<IoUringFs> = IoUringFs::with_ring_size;
    has!(IoUringFs: Clone);
    has!(IoUringFs: std::fmt::Debug);
    has!(IoUringFs: Fs);
}

fn is_io_uring_available_keeps_its_shape() {
    let _: fn() -> bool = is_io_uring_available;
}

fn fs_open_options_keeps_its_shape() {
    field!(FsOpenOptions::read: bool);
    field!(FsOpenOptions::write: bool);
    field!(FsOpenOptions::create: bool);
    field!(FsOpenOptions::create_new: bool);
    field!(FsOpenOptions::truncate: bool);
    field!(FsOpenOptions::append: bool);
    field!(FsOpenOptions::direct_io: bool);
    let _: fn() -> FsOpenOptions = FsOpenOptions::new;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::read;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::write;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::create;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::create_new;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::truncate;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::append;
    let _: fn(FsOpenOptions, bool) -> FsOpenOptions = FsOpenOptions::direct_io;
    has!(FsOpenOptions: Clone);
    has!(FsOpenOptions: std::fmt::Debug);
    has!(FsOpenOptions: Default);
}

fn fs_metadata_keeps_its_shape() {
    field!(FsMetadata::len: u64);
    field!(FsMetadata::is_dir: bool);
    field!(FsMetadata::is_file: bool);
    has!(FsMetadata: Clone);
    has!(FsMetadata: std::fmt::Debug);
}

fn fs_capabilities_keeps_its_shape() {
    field!(FsCapabilities::per_block_integrity_on_read: bool);
    field!(FsCapabilities::background_scrub: bool);
    field!(FsCapabilities::copy_on_write: bool);
    field!(FsCapabilities::reflink: bool);
    field!(FsCapabilities::native_snapshot: bool);
    has!(FsCapabilities: Clone);
    has!(FsCapabilities: Copy);
    has!(FsCapabilities: std::fmt::Debug);
    has!(FsCapabilities: Default);
    has!(FsCapabilities: Eq);
    has!(FsCapabilities: PartialEq);
}

fn fs_dir_entry_keeps_its_shape() {
    field!(FsDirEntry::path: PathBuf);
    field!(FsDirEntry::file_name: String);
    field!(FsDirEntry::is_dir: bool);
    has!(FsDirEntry: Clone);
    has!(FsDirEntry: std::fmt::Debug);
}

fn file_hint_keeps_its_shape() {
    let _: FileHint = FileHint::Default;
    let _: FileHint = FileHint::Sequential;
    let _: FileHint = FileHint::Random;
    let _: FileHint = FileHint::WriteOnce;
    has!(FileHint: Clone);
    has!(FileHint: Copy);
    has!(FileHint: std::fmt::Debug);
    has!(FileHint: Default);
    has!(FileHint: Eq);
    has!(FileHint: PartialEq);
}

fn sync_mode_keeps_its_shape() {
    let _: SyncMode = SyncMode::Normal;
    let _: SyncMode = SyncMode::Full;
    has!(SyncMode: Clone);
    has!(SyncMode: Copy);
    has!(SyncMode: std::fmt::Debug);
    has!(SyncMode: Default);
    has!(SyncMode: Eq);
    has!(SyncMode: PartialEq);
}

fn fs_file_keeps_its_shape<S: FsFile>() {
    let _: fn(&S) -> Result<()> = FsFile::sync_all;
    let _: fn(&S) -> Result<()> = FsFile::sync_data;
    let _: fn(&S, SyncMode) -> Result<()> = FsFile::sync_all_with;
    let _: fn(&S, SyncMode) -> Result<()> = FsFile::sync_data_with;
    let _: fn(&S) -> Result<FsMetadata> = FsFile::metadata;
    let _: fn(&S, u64) -> Result<()> = FsFile::set_len;
    let _: fn(&S, &mut [u8], u64) -> Result<usize> = FsFile::read_at;
    let _: fn(&S) -> Result<()> = FsFile::lock_exclusive;
    let _: fn(&S, FileHint) -> Result<()> = FsFile::hint;
}

fn fs_keeps_its_shape<S: Fs>() {
    let _: fn(&S, &Path, &FsOpenOptions) -> Result<Box<dyn FsFile>> = Fs::open;
    let _: fn(&S, &Path) -> Result<()> = Fs::create_dir_all;
    let _: fn(&S, &Path) -> Result<()> = Fs::create_dir;
    let _: fn(&S, &Path) -> Result<Vec<FsDirEntry>> = Fs::read_dir;
    let _: fn(&S, &Path) -> Result<()> = Fs::remove_file;
    let _: fn(&S, &Path) -> Result<()> = Fs::remove_dir_all;
    let _: fn(&S, &Path, &Path) -> Result<()> = Fs::rename;
    let _: fn(&S, &Path) -> Result<FsMetadata> = Fs::metadata;
    let _: fn(&S, &Path) -> Result<()> = Fs::sync_directory;
    let _: fn(&S, &Path, SyncMode) -> Result<()> = Fs::sync_directory_with;
    let _: fn(&S, &Path) -> Result<bool> = Fs::exists;
    let _: fn(&S, &Path, &Path) -> Result<()> = Fs::hard_link;
    let _: fn(&S) -> Option<u64> = Fs::backend_id;
    let _: fn(&S, &Path) -> FsCapabilities = Fs::capabilities;
    let _: fn(&S, &Path) -> Result<()> = Fs::try_disable_cow;
    let _: fn(&S, &Path, &Path) -> Result<()> = Fs::reflink_file;
    let _: fn(&S, &Path) -> Result<()> = Fs::truncate_file;
    let _: fn(&S, &Path) -> Result<u64> = Fs::hard_link_count;
}
