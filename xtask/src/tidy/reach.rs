//! Nothing lies about: every `.rs` file is compiled, every file of test data is used.

use super::Report;
use crate::source::{Source, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// Checks both.
pub(super) fn check(tree: &Tree, report: &mut Report) {
    let by_path: BTreeMap<&str, &Source> = tree.sources.iter().map(|source| (source.path.as_str(), source)).collect();
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&str> = by_path.keys().copied().filter(|path| is_root(path)).collect();
    while let Some(path) = waiting.pop() {
        if reached.insert(path) {
            let children = by_path[path].text.lines().filter_map(declared).flat_map(|name| children(path, name));
            waiting.extend(children.filter_map(|child| by_path.get_key_value(child.as_str())).map(|(path, _)| *path));
        }
    }
    for path in by_path.keys().filter(|path| !reached.contains(*path)) {
        report.error(format!("{path}: no `mod` leads here"));
    }
    for path in &tree.testdata {
        if !is_used(path, tree) {
            report.error(format!("{path}: no test of its crate names it or its folder"));
        }
    }
}

/// Files that Cargo finds by itself.
fn is_root(path: &str) -> bool {
    let inside = path.strip_prefix("crates/").and_then(|path| path.split_once('/')).map(|(_, inside)| inside);
    let inside = inside.or_else(|| path.strip_prefix("xtask/")).unwrap_or(path);
    let parts: Vec<&str> = inside.split('/').collect();
    matches!(
        parts[..],
        ["src", "lib.rs" | "main.rs"]
            | ["build.rs"]
            | ["src", "bin", _]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "benches" | "examples", _, "main.rs"]
    )
}

fn declared(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// Where `mod name;` in this file may lead.
fn children(path: &str, name: &str) -> [String; 2] {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let inside = match file {
        "lib.rs" | "main.rs" => folder.to_owned(),
        _ => path.strip_suffix(".rs").unwrap_or(path).to_owned(),
    };
    [format!("{inside}/{name}.rs"), format!("{folder}/{name}.rs")]
}

fn is_used(path: &str, tree: &Tree) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let krate = if parts.first() == Some(&"crates") { parts.get(1) } else { parts.first() };
    let inside = parts.iter().position(|part| *part == "testdata").map_or(&[][..], |at| &parts[at + 1..]);
    let mut sources = tree.sources.iter().filter(|source| Some(&source.krate.as_str()) == krate);
    sources.any(|source| inside.iter().any(|part| source.text.contains(part.trim_end_matches(".txt"))))
}

#[cfg(test)]
mod tests {
    use super::{Report, check};
    use crate::source::{Source, Tree};

    #[test]
    fn a_file_that_nothing_declares_is_found() {
        let file = |path: &str, text: &str| Source::new(path, text.to_owned());
        let sources = vec![
            file("crates/a/src/lib.rs", "pub mod one;\n"),
            file("crates/a/src/one.rs", "mod two;\n// testdata/used\n"),
            file("crates/a/src/one/two.rs", ""),
            file("crates/a/src/three.rs", ""),
            file("crates/a/tests/it/main.rs", "mod four;\n"),
            file("crates/a/tests/it/four.rs", ""),
        ];
        let testdata = vec!["crates/a/testdata/used/x.txt".to_owned(), "crates/a/testdata/old/y.txt".to_owned()];
        let mut report = Report::default();
        check(&Tree { sources, testdata, ..Tree::default() }, &mut report);
        assert_eq!(report.errors.len(), 2, "{:?}", report.errors);
        assert!(report.errors[0].contains("three.rs") && report.errors[1].contains("y.txt"));
    }
}
