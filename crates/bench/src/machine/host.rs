//! The machine a figure was measured on.

use super::process::field;
use serde::Serialize;
use std::{
    fs::{canonicalize, read_to_string},
    path::Path,
    thread,
};

/// What a reader of a report must know to compare it with another.
#[derive(Clone, Debug, Serialize)]
pub struct Host {
    /// Its processor's model.
    pub processor: Option<String>,
    /// Processors that this program may use.
    pub cores: usize,
    /// All of its memory.
    pub memory_bytes: Option<u64>,
    /// Release of the kernel.
    pub kernel: Option<String>,
    /// Of the directory with the database.
    pub file_system: Option<String>,
    /// Version of Sediment.
    pub version: &'static str,
    /// Whether the program was built with assertions on: then its figures mean nothing.
    pub debug_build: bool,
}

impl Host {
    /// This machine, and the file system under `dir`.
    pub fn here(dir: &Path) -> Self {
        let read = |path| read_to_string(path).ok();
        Self {
            processor: read("/proc/cpuinfo").and_then(|text| processor(&text)),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: read("/proc/meminfo").and_then(|text| field(&text, "MemTotal:")).map(|kib| kib * 1024),
            kernel: read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()),
            file_system: read("/proc/self/mounts").and_then(|text| file_system(&text, &canonicalize(dir).ok()?)),
            version: env!("CARGO_PKG_VERSION"),
            debug_build: cfg!(debug_assertions),
        }
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The type of the mount that holds a path: the deepest one, and of those the last.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?, words.next()?))
    });
    let holding = mounts.filter(|(place, _)| path.starts_with(place));
    holding.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{file_system, processor};
    use std::path::Path;

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\nnone /tmpfiles xfs rw 0 0\n\nnonsense\n";
        let kind = |path: &str| file_system(mounts, Path::new(path));
        assert_eq!(kind("/tmp/x").as_deref(), Some("tmpfs"));
        assert_eq!(kind("/home").as_deref(), Some("ext4"));
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn the_first_processor_is_named() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Fast: One\nprocessor\t: 1\nmodel name\t: Two\n";
        assert_eq!(processor(cpuinfo).as_deref(), Some("Fast: One"));
    }
}
