//! Sizes, banned text and placement of `cfg`.

use super::Report;
use crate::source::{LineKind, Source, Tree};

const CODE_LINES_WARN: usize = 500;
const CODE_LINES_FAIL: usize = 800;
const INLINE_TEST_LINES_WARN: usize = 150;

/// Text that stands for a habit we do not want, with what to do instead.
const BANNED: &[(&str, &str)] = &[
    (concat!("this ", "PR"), "history goes to the commit message"),
    (concat!("FIX", "ME"), "mend it or say what is missing"),
    (concat!("TO", "DO"), "mend it or say what is missing"),
    (concat!("_", "v2"), "replace in one change; versions are data"),
    (concat!("use crate", "::*"), "name what you use"),
    (concat!("// ", "mod "), "delete what is not compiled"),
];

/// Crates that may choose code by `cfg`.
const CFG_CRATES: &[&str] = &["codec", "env", "raw", "xtask"];

/// Conditions that any crate may name.
const CFG_EVERYWHERE: &[&str] = &["cfg!(debug_assertions)", "cfg(test)"];

/// Checks every file, and that every crate inherits the lints.
pub(super) fn check(tree: &Tree, report: &mut Report) {
    for source in &tree.sources {
        check_size(source, report);
        check_banned(source, report);
        if source.is_shipped() {
            check_cfg(source, report);
        }
    }
    for (krate, manifest) in &tree.manifests {
        if krate != "raw" && !manifest.contains("[lints]\nworkspace = true") {
            report.error(format!("crate {krate} does not inherit the workspace's lints"));
        }
    }
}

fn check_size(source: &Source, report: &mut Report) {
    let code = source.code().count();
    let inline = source.lines().filter(|(_, _, kind)| *kind == LineKind::Test).count();
    let path = &source.path;
    if code > CODE_LINES_FAIL {
        report.error(format!("{path}: {code} lines of code, more than {CODE_LINES_FAIL}; split it by noun"));
    } else if code > CODE_LINES_WARN {
        report.warn(format!("{path}: {code} lines of code, more than {CODE_LINES_WARN}"));
    }
    if source.is_shipped() && inline > INLINE_TEST_LINES_WARN {
        report.warn(format!("{path}: {inline} lines of tests inline; move them to a sibling tests.rs"));
    }
}

fn check_banned(source: &Source, report: &mut Report) {
    for (number, line, kind) in source.lines() {
        let place = format!("{}:{number}", source.path);
        for (text, instead) in BANNED {
            if line.contains(text) {
                report.error(format!("{place}: `{text}`; {instead}"));
            }
        }
        if source.krate != "xtask" && names_a_ticket(line, kind) {
            report.error(format!("{place}: a ticket's number; say the reason itself"));
        }
        if kind == LineKind::Code && source.is_shipped() && !line.is_ascii() {
            report.error(format!("{place}: not ASCII"));
        }
    }
}

/// `#` and digits in a comment.
fn names_a_ticket(line: &str, kind: LineKind) -> bool {
    let comment = match kind {
        LineKind::Comment => line,
        _ => match line.find("// ") {
            Some(at) => &line[at..],
            None => return false,
        },
    };
    comment.match_indices('#').any(|(at, _)| {
        let digits = comment[at + 1..].chars().take_while(char::is_ascii_digit).count();
        digits > 0 && !comment[..at].ends_with(['{', ':'])
    })
}

fn check_cfg(source: &Source, report: &mut Report) {
    if CFG_CRATES.contains(&source.krate.as_str()) || source.path == "crates/base/src/planted.rs" {
        return;
    }
    for (number, line) in source.code() {
        let allowed = CFG_EVERYWHERE.iter().any(|text| line.contains(text));
        if !allowed && ["cfg(", "cfg!(", "cfg_attr("].iter().any(|text| line.contains(text)) {
            let path = &source.path;
            report.error(format!("{path}:{number}: cfg belongs in codec, env and raw alone"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, check};
    use crate::source::{Source, Tree};

    #[test]
    fn what_is_banned_is_found_where_it_stands() {
        let text =
            "//! As told in #123.\nfn table_x() {} // see {:#5}\n#[cfg(unix)]\nlet a = \"caf\u{e9}\"; // #[attribute] #7\n";
        let mut report = Report::default();
        let sources = vec![Source::new("crates/tree/src/read.rs", text.to_owned())];
        check(&Tree { sources, ..Tree::default() }, &mut report);
        let places: Vec<&str> = report.errors.iter().filter_map(|error| error.split(": ").next()).collect();
        let place = |line| format!("crates/tree/src/read.rs:{line}");
        assert_eq!(places, [place(1), place(4), place(4), place(3)]);
    }
}
