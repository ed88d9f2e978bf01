//! Plain data about files.

use std::path::PathBuf;

/// How a file is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FsOpenOptions {
    /// To read.
    pub read: bool,
    /// To write.
    pub write: bool,
    /// It is made where it is missing.
    pub create: bool,
    /// It is made, and must be missing.
    pub create_new: bool,
    /// It is emptied.
    pub truncate: bool,
    /// It is written at its end.
    pub append: bool,
    /// Past the system's cache, where possible.
    pub direct_io: bool,
}

macro_rules! setters {
    ($($name:ident: $doc:literal),* $(,)?) => {
        impl FsOpenOptions {
            /// Nothing is asked for.
            pub const fn new() -> Self {
                Self {
                    read: false,
                    write: false,
                    create: false,
                    create_new: false,
                    truncate: false,
                    append: false,
                    direct_io: false,
                }
            }

            $(#[doc = $doc]
            #[must_use]
            pub const fn $name(self, $name: bool) -> Self {
                Self { $name, ..self }
            })*
        }
    };
}

setters!(
    read: "Whether to read.",
    write: "Whether to write.",
    create: "Whether it is made where it is missing.",
    create_new: "Whether it is made, and must be missing.",
    truncate: "Whether it is emptied.",
    append: "Whether it is written at its end.",
    direct_io: "Whether to go past the system's cache, where possible.",
);

/// What is known of a name.
#[derive(Clone, Debug)]
pub struct FsMetadata {
    /// Bytes of a file.
    pub len: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Whether it is a file.
    pub is_file: bool,
}

/// What a file system can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FsCapabilities {
    /// It checks what it reads.
    pub per_block_integrity_on_read: bool,
    /// It checks what nobody reads.
    pub background_scrub: bool,
    /// It never writes in place.
    pub copy_on_write: bool,
    /// Copies can share.
    pub reflink: bool,
    /// It makes snapshots itself.
    pub native_snapshot: bool,
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub struct FsDirEntry {
    /// Its path.
    pub path: PathBuf,
    /// The name alone.
    pub file_name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// How a file will be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileHint {
    /// Nothing is known.
    #[default]
    Default,
    /// From its beginning to its end.
    Sequential,
    /// Here and there.
    Random,
    /// Written once and hardly read.
    WriteOnce,
}

/// How much a sync asks of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// What the system means by it.
    #[default]
    Normal,
    /// Down to the medium, where the system makes a difference. The tree always asks for this.
    Full,
}
