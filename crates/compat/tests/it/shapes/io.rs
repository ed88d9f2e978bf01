//! Every name of `lsm_tree::io` in the shape that the interface gives it.

use super::{field, has};
use lsm_tree::io::*;
use rustc_hash::FxBuildHasher;
use std::{
    collections::HashSet,
    ops::{Bound, Range, RangeBounds},
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
    time::Duration,
};

fn error_kind_keeps_its_shape() {
    let _: ErrorKind = ErrorKind::AlreadyExists;
    let _: ErrorKind = ErrorKind::BrokenPipe;
    let _: ErrorKind = ErrorKind::CrossesDevices;
    let _: ErrorKind = ErrorKind::Interrupted;
    let _: ErrorKind = ErrorKind::InvalidData;
    let _: ErrorKind = ErrorKind::InvalidInput;
    let _: ErrorKind = ErrorKind::NotFound;
    let _: ErrorKind = ErrorKind::Other;
    let _: ErrorKind = ErrorKind::PermissionDenied;
    let _: ErrorKind = ErrorKind::UnexpectedEof;
    let _: ErrorKind = ErrorKind::Unsupported;
    let _: ErrorKind = ErrorKind::WriteZero;
    has!(ErrorKind: Clone);
    has!(ErrorKind: Copy);
    has!(ErrorKind: std::fmt::Debug);
    has!(ErrorKind: Eq);
    has!(ErrorKind: PartialEq);
}

fn error_keeps_its_shape() {
    let _: fn(ErrorKind, String) -> Error = Error::new;
    let _: fn(ErrorKind) -> Error = Error::from_kind;
    let _: fn(&Error) -> ErrorKind = Error::kind;
    has!(Error: std::fmt::Debug);
    has!(Error: std::fmt::Display);
    has!(Error: std::error::Error);
}

fn seek_from_keeps_its_shape() {
    let _: fn(u64) -> SeekFrom = SeekFrom::Start;
    let _: fn(i64) -> SeekFrom = SeekFrom::End;
    let _: fn(i64) -> SeekFrom = SeekFrom::Current;
    has!(SeekFrom: Clone);
    has!(SeekFrom: Copy);
    has!(SeekFrom: std::fmt::Debug);
    has!(SeekFrom: Eq);
    has!(SeekFrom: PartialEq);
}

fn read_keeps_its_shape<S: Read>() {}

fn write_keeps_its_shape<S: Write>() {}

fn seek_keeps_its_shape<S: Seek>() {}
