//! The ledger of behaviour: what the interface says that a tree does, and what proves that ours does it.
//!
//! `crates/compat/face/behaviour.txt` has a line for each statement, under the section that makes it: `statement -- proof`. A proof is
//! one of these:
//!
//! - `module::test, module::test`: tests of `tests/it`, or beside the code;
//! - `deviation: words; module::test`: it is otherwise here, as the README says with these words, and the tests show how;
//! - `unsupported: name; module::test`: it answers `FeatureUnsupported`, under this name of `unsupported.txt`;
//! - `types: Name`: all there is to it is a shape, and the shapes use it.
//!
//! What the README's table has otherwise than the family must be among the deviations, row by row.

use super::{Face, SHAPES, SOURCES, UNSUPPORTED, is_used, listed};
use std::{collections::BTreeSet, fmt, fs, path::Path};

const BEHAVIOUR: &str = "crates/compat/face/behaviour.txt";
const README: &str = "crates/compat/README.md";
const TESTS: &str = "crates/compat/tests/it";

/// How many statements have which proof.
#[derive(Debug, Default)]
pub(super) struct Counts {
    tested: usize,
    deviations: usize,
    unsupported: usize,
    shapes: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tested, deviations, unsupported, shapes } = self;
        let all = tested + deviations + unsupported + shapes;
        write!(
            f,
            "{all} statements of behaviour: {tested} tested, {deviations} otherwise, {unsupported} unsupported, {shapes} by types"
        )
    }
}

/// What a proof may refer to.
struct Known {
    tests: BTreeSet<String>,
    readme: String,
    rows: BTreeSet<String>,
    unsupported: BTreeSet<String>,
    shapes: String,
}

impl Known {
    fn of(root: &Path, shapes: String, face: &mut Face) -> Self {
        let readme = fs::read_to_string(root.join(README)).unwrap_or_default();
        let (unsupported, _) = listed(root, UNSUPPORTED, face);
        Self {
            tests: [TESTS, SOURCES].into_iter().flat_map(|folder| tests(&root.join(folder))).collect(),
            rows: rows(&readme).map(str::to_owned).collect(),
            readme: readme.split_whitespace().collect::<Vec<_>>().join(" "),
            unsupported: unsupported.into_iter().map(|(name, _)| name).collect(),
            shapes,
        }
    }

    /// Counts a proof, or says what is wrong with it.
    fn check(&self, proof: &str, counts: &mut Counts) -> Result<(), String> {
        let (form, rest) = proof.split_once(": ").unwrap_or(("", proof));
        let (subject, named) = rest.rsplit_once("; ").unwrap_or((rest, ""));
        match form {
            "" => {
                counts.tested += 1;
                return self.check_tests(proof);
            }
            "deviation" if !self.readme.contains(subject) => return Err(format!("{README} does not say \"{subject}\"")),
            "deviation" => counts.deviations += 1,
            "unsupported" if !self.unsupported.contains(subject) => return Err(format!("{UNSUPPORTED} has no \"{subject}\"")),
            "unsupported" => counts.unsupported += 1,
            "types" if !is_used(rest, &self.shapes) => return Err(format!("{rest} is not used in {SHAPES}")),
            "types" => {
                counts.shapes += 1;
                return Ok(());
            }
            _ => return Err(format!("\"{form}\" is no form of a proof")),
        }
        self.check_tests(named)
    }

    fn check_tests(&self, named: &str) -> Result<(), String> {
        match named.split(", ").find(|name| !self.tests.contains(*name)) {
            Some("") => Err("it names no test".to_owned()),
            Some(missing) => Err(format!("there is no test \"{missing}\"")),
            None => Ok(()),
        }
    }
}

/// Compares the ledger with the tests and lists that it names.
pub(super) fn check(root: &Path, shapes: String, face: &mut Face) {
    let known = Known::of(root, shapes, face);
    let (statements, number) = listed(root, BEHAVIOUR, face);
    if number != Some(statements.len()) {
        face.errors
            .push(format!("{BEHAVIOUR}: its first line must say `# {}`, and no number smaller than before", statements.len()));
    }
    let is_proved = |row: &str| {
        let subject = |(_, proof): &(String, String)| {
            proof.strip_prefix("deviation: ")?.rsplit_once("; ").map(|(subject, _)| subject.to_owned())
        };
        statements.iter().filter_map(subject).any(|subject| subject == row)
    };
    for row in known.rows.iter().filter(|row| !is_proved(row)) {
        face.errors.push(format!("{BEHAVIOUR} has no line for what {README} has otherwise: \"{row}\""));
    }
    let mut counts = Counts::default();
    for (statement, proof) in &statements {
        if let Err(why) = known.check(proof, &mut counts) {
            face.errors.push(format!("{BEHAVIOUR}: \"{statement}\": {why}"));
        }
    }
    face.behaviour = counts;
}

/// The first cells of the table that tells what is otherwise than in the family.
fn rows(readme: &str) -> impl Iterator<Item = &str> {
    let table = readme.lines().skip_while(|line| !line.starts_with("| the family |")).skip(2);
    table.map_while(|line| line.strip_prefix("| ")).filter_map(|row| row.split(" | ").next())
}

/// `module::name` of each test of a folder and those inside it, by the last part of the module's name.
fn tests(folder: &Path) -> Vec<String> {
    let mut tests = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            tests.extend(self::tests(&path));
        } else if let (Some(module), Ok(text)) = (path.file_stem(), fs::read_to_string(&path)) {
            tests.extend(names_of_tests(&text).map(|name| format!("{}::{name}", module.display())));
        }
    }
    tests
}

/// The function behind each `#[test]`.
fn names_of_tests(text: &str) -> impl Iterator<Item = &str> {
    let behind = text.split("#[test]\n").skip(1);
    behind.filter_map(|rest| {
        let function = rest.lines().find_map(|line| line.trim_start().strip_prefix("fn "))?;
        function.split_once('(').map(|(name, _)| name)
    })
}

#[cfg(test)]
mod tests {
    use super::{Counts, Known, names_of_tests, rows};
    use std::collections::BTreeSet;

    fn checked(proof: &str) -> Result<(), String> {
        let known = Known {
            tests: ["a::b", "a::c"].map(str::to_owned).into(),
            readme: "it panics as well".to_owned(),
            rows: BTreeSet::new(),
            unsupported: ["repair"].map(str::to_owned).into(),
            shapes: "Tree::get".to_owned(),
        };
        known.check(proof, &mut Counts::default())
    }

    #[test]
    fn a_proof_has_one_of_the_forms() {
        for proof in
            ["a::b", "a::b, a::c", "deviation: it panics as well; a::b", "unsupported: repair; a::c", "types: Tree::get"]
        {
            assert_eq!(checked(proof), Ok(()), "{proof}");
        }
    }

    #[test]
    fn what_is_no_proof_is_told() {
        for (proof, why) in [
            ("", "it names no test"),
            ("a::d", "no test \"a::d\""),
            ("a::b, a::d", "no test \"a::d\""),
            ("deviation: it panics as well", "it names no test"),
            ("deviation: it does not; a::b", "does not say"),
            ("unsupported: mending; a::b", "has no \"mending\""),
            ("types: Tree::set", "is not used"),
            ("believed: a::b", "no form"),
        ] {
            assert!(checked(proof).is_err_and(|error| error.contains(why)), "{proof}");
        }
    }

    #[test]
    fn tests_are_found_behind_their_attributes() {
        let text = "fn not() {}\n#[test]\nfn one() {}\n#[test]\n#[should_panic(expected = \"x\")]\nfn two() -> R {\n}\n";
        assert_eq!(names_of_tests(text).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn rows_are_those_of_the_table() {
        let readme =
            "| x | y |\n\n| the family | here | why |\n|---|---|---|\n| it panics | no | why |\n| two | 2 | w |\n\n| z | y |";
        assert_eq!(rows(readme).collect::<Vec<_>>(), ["it panics", "two"]);
    }
}
