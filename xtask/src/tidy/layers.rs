//! Imports go one way: between crates by `[crates]` of `layers.toml`, inside a crate by `[rooms]`.

use super::Report;
use crate::source::{Source, Tree};
use std::{collections::BTreeMap, fs, path::Path};

/// The order of crates and rooms.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// What each crate may depend on.
    pub(crate) crates: BTreeMap<String, Vec<String>>,
    /// The rooms of a crate, lowest first.
    pub(crate) rooms: BTreeMap<String, Vec<String>>,
}

impl Layers {
    /// Reads `xtask/layers.toml`.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(root.join("xtask/layers.toml")).map_err(|error| error.to_string())?;
        Self::parse(&text)
    }

    /// Reads the little of TOML that the file uses: sections, and one array of strings a line.
    fn parse(text: &str) -> Result<Self, String> {
        let mut layers = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
                continue;
            }
            let (name, list) = line.split_once('=').ok_or_else(|| format!("no `=` in `{line}`"))?;
            let list = list.trim().trim_start_matches('[').trim_end_matches(']');
            let names = list.split(',').map(|name| name.trim().trim_matches('"').to_owned());
            let names = names.filter(|name| !name.is_empty()).collect();
            let target = match section {
                "crates" => &mut layers.crates,
                "rooms" => &mut layers.rooms,
                _ => return Err(format!("unknown section [{section}]")),
            };
            target.insert(name.trim().to_owned(), names);
        }
        Ok(layers)
    }
}

/// Checks both.
pub(super) fn check(tree: &Tree, layers: &Layers, report: &mut Report) {
    for (krate, manifest) in &tree.manifests {
        check_dependencies(krate, manifest, layers, report);
    }
    for source in tree.sources.iter().filter(|source| source.is_shipped()) {
        if let (Some(rooms), Some(room)) = (layers.rooms.get(&source.krate), &source.room) {
            check_rooms(source, room, rooms, report);
        }
    }
}

fn check_dependencies(krate: &str, manifest: &str, layers: &Layers, report: &mut Report) {
    let Some(allowed) = layers.crates.get(krate) else {
        if krate != "xtask" {
            report.error(format!("crate {krate} has no line in [crates] of xtask/layers.toml"));
        }
        return;
    };
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        }
        let ours = line.split(['.', '=', ' ']).next().and_then(ours);
        let Some(dependency) = ours.filter(|_| section.ends_with("dependencies]")) else { continue };
        let test_only = section == "[dev-dependencies]";
        let may = allowed.iter().any(|name| name == dependency) || (test_only && dependency == "testkit");
        if !may {
            report.error(format!("crates/{krate}/Cargo.toml: {krate} may not depend on {dependency}"));
        }
    }
}

fn ours(package: &str) -> Option<&str> {
    if package == "sedimentdb" { Some("db") } else { package.strip_prefix("sediment-") }
}

fn check_rooms(source: &Source, room: &str, rooms: &[String], report: &mut Report) {
    let rank = |name: &str| rooms.iter().position(|room| room == name);
    let Some(own) = rank(room) else {
        report.error(format!("{}: room {room} has no place in xtask/layers.toml", source.path));
        return;
    };
    for (number, named) in named_rooms(source) {
        match rank(&named) {
            Some(other) if other > own => {
                report.error(format!("{}:{number}: room {room} names {named}, which lies above it", source.path));
            }
            _ => {}
        }
    }
}

/// The rooms named as `crate::<room>` or in a tree `crate::{a, b::c}`, with their lines.
fn named_rooms(source: &Source) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> = source.code().collect();
    let mut found = Vec::new();
    for (index, (number, line)) in code.iter().enumerate() {
        for (at, _) in line.match_indices("crate::") {
            if line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
                continue;
            }
            let rest = &line[at + "crate::".len()..];
            if !rest.starts_with('{') {
                found.push((*number, first_word(rest)));
                continue;
            }
            let following = code[index + 1..].iter().map(|(_, line)| *line);
            let text: Vec<&str> = std::iter::once(&rest[1..]).chain(following).collect();
            found.extend(tree_roots(&text.join(" ")).into_iter().map(|name| (*number, name)));
        }
    }
    found
}

/// The first words of the branches of a use tree whose brace was just opened.
fn tree_roots(text: &str) -> Vec<String> {
    let mut roots = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, symbol) in text.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if symbol.is_whitespace() => {}
            _ if fresh => {
                roots.push(first_word(&text[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    roots
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|symbol| symbol.is_alphanumeric() || *symbol == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::{Layers, Report, check};
    use crate::source::{Source, Tree};

    fn errors(path: &str, text: &str) -> Vec<String> {
        let layers =
            Layers::parse("[crates]\ntree = [\"base\"]\n[rooms]\ntree = [\"version\", \"read\", \"write\"]").expect("good");
        let mut report = Report::default();
        let sources = vec![Source::new(path, text.to_owned())];
        let manifests = [("tree".to_owned(), "[dependencies]\nsediment-db.workspace = true\n".to_owned())].into();
        check(&Tree { sources, manifests, ..Tree::default() }, &layers, &mut report);
        report.errors
    }

    #[test]
    fn only_what_lies_below_may_be_named() {
        let text = "use crate::{\n    version::{Edit, Level}, write,\n};\nfn f() { crate::write::x(); crate::version::y() }\n";
        let errors = errors("crates/tree/src/read/get.rs", text);
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].contains("may not depend on db"));
        assert!(errors[1].ends_with("get.rs:1: room read names write, which lies above it"));
    }

    #[test]
    fn a_room_without_a_place_is_an_error() {
        assert!(errors("crates/tree/src/new_room.rs", "").iter().any(|error| error.contains("no place")));
    }
}
