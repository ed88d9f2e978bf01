//! The source tree in memory: every Rust file, with its lines told apart into code, comments and tests.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Neither of the others.
    Code,
    /// A comment alone on its line.
    Comment,
    /// Nothing.
    Blank,
    /// Inside `#[cfg(test)] mod … { … }`, or in a file of tests.
    Test,
}

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// Directory under `crates/`, or `xtask`.
    pub(crate) krate: String,
    /// First component under `src`, without `.rs`; `None` for `lib.rs`, `main.rs` and what is not under `src`.
    pub(crate) room: Option<String>,
    /// The text.
    pub(crate) text: String,
    kinds: Vec<LineKind>,
}

impl Source {
    /// Lines with their numbers (from 1) and kinds.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str, LineKind)> {
        let lines = self.text.lines().zip(&self.kinds).enumerate();
        lines.map(|(index, (line, kind))| (index + 1, line, *kind))
    }

    /// Lines of code proper.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, _, kind)| *kind == LineKind::Code).map(|(number, line, _)| (number, line))
    }

    /// Whether it belongs to the library or program itself, not to its tests.
    pub(crate) fn is_shipped(&self) -> bool {
        self.path.contains("/src/") && !is_test_file(&self.path)
    }

    pub(crate) fn new(path: &str, text: String) -> Self {
        let krate = path.strip_prefix("crates/").unwrap_or(path).split('/').next().unwrap_or_default().to_owned();
        let room = path.split_once("/src/").and_then(|(_, inside)| {
            let first = inside.split('/').next()?;
            let room = first.strip_suffix(".rs").unwrap_or(first);
            (room != "lib" && room != "main").then(|| room.to_owned())
        });
        let kinds = line_kinds(&text, is_test_file(path));
        Self { path: path.to_owned(), krate, room, text, kinds }
    }
}

/// Every file of the repository that is ours, by its path from the root.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Rust files of `crates` and `xtask`.
    pub(crate) sources: Vec<Source>,
    /// Manifests of the crates, by crate.
    pub(crate) manifests: BTreeMap<String, String>,
    /// Files under a `testdata` directory.
    pub(crate) testdata: Vec<String>,
}

impl Tree {
    /// Reads the tree.
    pub(crate) fn load(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        for start in ["crates", "xtask"] {
            let mut folders = vec![root.join(start)];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(&folder)? {
                    let path = entry?.path();
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        tree.add(root, &path)?;
                    }
                }
            }
        }
        tree.sources.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(tree)
    }

    fn add(&mut self, root: &Path, path: &Path) -> io::Result<()> {
        let name = relative(root, path);
        if name.contains("/target/") {
            return Ok(());
        }
        if name.contains("/testdata/") {
            self.testdata.push(name);
        } else if name.ends_with(".rs") {
            self.sources.push(Source::new(&name, fs::read_to_string(path)?));
        } else if let Some(folder) = name.strip_suffix("/Cargo.toml") {
            let krate = folder.strip_prefix("crates/").unwrap_or(folder);
            self.manifests.insert(krate.to_owned(), fs::read_to_string(path)?);
        }
        Ok(())
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root).unwrap_or(path).to_path_buf();
    path.to_string_lossy().replace('\\', "/")
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/benches/") || path.contains("/examples/")
}

fn line_kinds(text: &str, test_file: bool) -> Vec<LineKind> {
    let mut kinds = Vec::new();
    let mut in_tests = test_file;
    let mut test_comes = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed == "#[cfg(test)]" {
            test_comes = true;
        } else if test_comes && line.starts_with("mod ") && line.ends_with('{') {
            in_tests = true;
        }
        kinds.push(match trimmed {
            _ if in_tests || test_comes => LineKind::Test,
            "" => LineKind::Blank,
            _ if trimmed.starts_with("//") => LineKind::Comment,
            _ => LineKind::Code,
        });
        // Attributes may stand between the condition and what it is about.
        if !trimmed.starts_with("#[") && !in_tests {
            test_comes = false;
        }
        if in_tests && !test_file && line == "}" {
            in_tests = false;
            test_comes = false;
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::{LineKind, Source};

    #[test]
    fn lines_are_told_apart() {
        let text = "//! Thesis.\n\nuse x;\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod more {\n    let a;\n}\nfn f() {}\n";
        let source = Source::new("crates/tree/src/read/get.rs", text.to_owned());
        let kinds: Vec<_> = source.lines().map(|(_, _, kind)| kind).collect();
        use LineKind::{Blank, Code, Comment, Test};
        assert_eq!(kinds, [Comment, Blank, Code, Test, Test, Test, Test, Test, Test, Code]);
        assert_eq!((source.krate.as_str(), source.room.as_deref()), ("tree", Some("read")));
    }
}
