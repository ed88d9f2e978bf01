//! `face`: how complete the compatible interface is.
//!
//! `crates/compat/face/signatures.txt` lists every public name of the interface. Each must be used as it stands in
//! `tests/it/shapes/`, which compiles only if the shapes agree; `unused.txt` may name exceptions. `unsupported.txt` lists what
//! answers `FeatureUnsupported`: as many lines as the code has places, each with its reason, and no more than its first line
//! allows. That number only falls. `behaviour.txt` lists what the interface says that a tree does, with what proves it.

mod behaviour;

use std::{collections::BTreeSet, fmt, fs, path::Path};

const SIGNATURES: &str = "crates/compat/face/signatures.txt";
const UNUSED: &str = "crates/compat/face/unused.txt";
const UNSUPPORTED: &str = "crates/compat/face/unsupported.txt";
const SHAPES: &str = "crates/compat/tests/it/shapes";
const SOURCES: &str = "crates/compat/src";
const CALL: &str = "unsupported(\"";

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Face {
    signatures: usize,
    used: usize,
    unsupported: usize,
    behaviour: behaviour::Counts,
    /// What must change.
    pub(crate) errors: Vec<String>,
}

impl fmt::Display for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.used * 100).checked_div(self.signatures).unwrap_or(0);
        let (used, all, unsupported) = (self.used, self.signatures, self.unsupported);
        writeln!(f, "{used} of {all} names used as they stand ({percent} %), {unsupported} places answer FeatureUnsupported")?;
        write!(f, "face: {}", self.behaviour)
    }
}

/// Compares the lists with the code.
pub(crate) fn check(root: &Path) -> Face {
    let mut face = Face::default();
    let shapes: String =
        texts(&root.join(SHAPES)).iter().flat_map(|text| text.lines()).filter(|line| !line.trim().starts_with("//")).collect();
    let (unused, _) = listed(root, UNUSED, &mut face);
    let excepted: BTreeSet<&str> = unused.iter().map(|(name, _)| name.as_str()).collect();
    let (signatures, _) = listed(root, SIGNATURES, &mut face);
    face.signatures = signatures.len();
    for (path, _) in &signatures {
        let is_used = is_used(path, &shapes);
        face.used += usize::from(is_used);
        match (is_used, excepted.contains(path.as_str())) {
            (false, false) => face.errors.push(format!("{path} is not used in {SHAPES}")),
            (true, true) => face.errors.push(format!("{path} is used: take it out of {UNUSED}")),
            _ => {}
        }
    }
    check_unsupported(root, &mut face);
    behaviour::check(root, shapes, &mut face);
    face
}

fn check_unsupported(root: &Path, face: &mut Face) {
    let sources = texts(&root.join(SOURCES));
    let places: Vec<String> = sources.iter().flat_map(|text| features(text)).collect();
    face.unsupported = places.len();
    let (listed, limit) = listed(root, UNSUPPORTED, face);
    if limit != Some(listed.len()) {
        face.errors
            .push(format!("{UNSUPPORTED}: its first line must say `# {}`, and no number larger than before", listed.len()));
    }
    for (name, reason) in &listed {
        if reason.is_empty() {
            face.errors.push(format!("{UNSUPPORTED}: {name} has no reason"));
        }
        if !places.contains(name) {
            face.errors.push(format!("{UNSUPPORTED}: nothing answers \"{name}\" any more"));
        }
    }
    for place in &places {
        if !listed.iter().any(|(name, _)| name == place) {
            face.errors.push(format!("\"{place}\" answers FeatureUnsupported and is not in {UNSUPPORTED}"));
        }
    }
    if places.len() != listed.len() {
        face.errors.push(format!("{} places answer FeatureUnsupported, {UNSUPPORTED} has {}", places.len(), listed.len()));
    }
}

/// Whether the last two parts of a path stand in the shapes: a member behind its type, or an item.
fn is_used(path: &str, shapes: &str) -> bool {
    let parts: Vec<&str> = path.split("::").collect();
    let is_member = parts.iter().rev().nth(1).is_some_and(|owner| owner.starts_with(char::is_uppercase));
    let wanted = if is_member { parts[parts.len() - 2..].join("::") } else { parts[parts.len() - 1].to_owned() };
    let is_word = |symbol: char| symbol.is_alphanumeric() || symbol == '_';
    let ends = |at: usize| !shapes[at + wanted.len()..].starts_with(is_word);
    let starts = |at: usize| !shapes[..at].ends_with(is_word);
    shapes.match_indices(&wanted).any(|(at, _)| starts(at) && ends(at))
}

/// Lines `name: reason` of a list, names without one alone, and the number of its first line.
fn listed(root: &Path, list: &str, face: &mut Face) -> (Vec<(String, String)>, Option<usize>) {
    let text = fs::read_to_string(root.join(list)).unwrap_or_else(|error| {
        face.errors.push(format!("{list}: {error}"));
        String::new()
    });
    let limit = text.lines().next().and_then(|first| first.trim_start_matches('#').trim().parse().ok());
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let split = |line: &str| match line.split_once(" -- ") {
        Some((name, reason)) => (name.trim().to_owned(), reason.trim().to_owned()),
        None => (line.trim().to_owned(), String::new()),
    };
    (lines.map(split).collect(), limit)
}

/// What places of a file say that they have not.
fn features(text: &str) -> Vec<String> {
    let said = |(at, _): (usize, &str)| text[at + CALL.len()..].split('"').next().unwrap_or_default().to_owned();
    text.match_indices(CALL).map(said).collect()
}

/// The Rust files of a folder and those inside it.
fn texts(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            texts.extend(self::texts(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.extend(fs::read_to_string(&path));
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::{check, features, is_used};
    use std::path::Path;

    #[test]
    fn the_lists_are_those_of_the_code() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
        let face = check(root);
        assert!(face.errors.is_empty(), "`cargo xtask face` finds:\n{}", face.errors.join("\n"));
        assert_eq!(face.used, face.signatures);
    }

    #[test]
    fn members_are_found_behind_their_type_and_whole() {
        let shapes = "let _ = Tree::get_pinned; let _ = hash64;";
        assert!(is_used("Tree::get_pinned", shapes) && is_used("hash::hash64", shapes));
        assert!(!is_used("Tree::get", shapes) && !is_used("hash::hash6", shapes) && !is_used("Other::get_pinned", shapes));
    }

    #[test]
    fn places_say_what_they_have_not() {
        assert_eq!(features("Err(unsupported(\"a b\")) and Err(super::unsupported(\"c\"))"), ["a b", "c"]);
    }
}
