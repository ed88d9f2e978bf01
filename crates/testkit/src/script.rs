//! Datadriven tests: a script with its expected output, rewritten by `REWRITE=1`.
//!
//! A file in `testdata/` is a row of cases; `#` lines and blank lines between them are kept:
//!
//! ```text
//! # why this case exists
//! command with arguments
//! input lines
//! ----
//! expected output
//! ```
//!
//! The output ends at the first blank line.

use std::{env, fmt::Write as _, fs, path::Path};

/// One case of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Comments before it, as they stand.
    comments: String,
    /// The first line.
    pub command: String,
    /// The lines up to `----`.
    pub input: String,
    expected: String,
    line: usize,
}

impl Case {
    /// The words of the command after the first.
    pub fn args(&self) -> Vec<&str> {
        self.command.split_whitespace().skip(1).collect()
    }

    /// The first word of the command.
    pub fn verb(&self) -> &str {
        self.command.split_whitespace().next().unwrap_or_default()
    }
}

/// Runs every case of the file through `answer` and compares, or rewrites the file where `REWRITE` is set.
///
/// # Panics
/// Where an answer differs, or the file cannot be read.
pub fn run(path: &Path, mut answer: impl FnMut(&Case) -> String) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let cases = parse(&text);
    assert!(!cases.is_empty(), "{} holds no case", path.display());
    let mut rewritten = String::new();
    for case in &cases {
        let answer = answer(case);
        let answer = answer.trim_end();
        if env::var_os("REWRITE").is_none() {
            let place = format!("{}:{}", path.display(), case.line);
            assert_eq!(answer, case.expected, "{place}: `{}` (REWRITE=1 accepts the new output)", case.command);
        }
        let separator = if rewritten.is_empty() { "" } else { "\n" };
        let input = if case.input.is_empty() { String::new() } else { format!("{}\n", case.input) };
        let answer = if answer.is_empty() { String::new() } else { format!("{answer}\n") };
        write!(rewritten, "{separator}{}{}\n{input}----\n{answer}", case.comments, case.command).expect("a string");
    }
    if env::var_os("REWRITE").is_some() && rewritten != text {
        fs::write(path, rewritten).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut comments = String::new();
    while let Some((index, line)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with('#') {
            comments.push_str(line);
            comments.push('\n');
            continue;
        }
        let mut until = |end: fn(&str) -> bool| {
            let mut block = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !end(line)) {
                block.push(line);
            }
            lines.next();
            block.join("\n")
        };
        let input = until(|line| line == "----");
        let expected = until(|line| line.is_empty());
        let comments = std::mem::take(&mut comments);
        cases.push(Case { comments, command: line.to_owned(), input, expected, line: index + 1 });
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_script_splits_into_its_cases() {
        let cases = parse("# why\n\nadd 1 2\n----\n3\n\nupper x\na\nb\n----\nA\nB\n");
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].verb(), cases[0].args(), cases[0].expected.as_str()), ("add", vec!["1", "2"], "3"));
        assert_eq!((cases[1].input.as_str(), cases[1].expected.as_str(), cases[1].line), ("a\nb", "A\nB", 7));
    }
}
