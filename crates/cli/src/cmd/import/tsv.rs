//! TSV: a key, a tab, a value.

use super::{
    Input, Step, Steps,
    lines::{Line, Lines},
};
use crate::text::Form;

/// Reads rows; with `raw`, without escapes.
pub(super) fn steps(input: Input, raw: bool) -> Steps {
    let form = if raw { Form::Raw } else { Form::Escaped };
    Box::new(Lines::new(input).filter_map(move |line| match line {
        Ok((_, Line::Whole(bytes))) if bytes.is_empty() => None,
        Ok((number, line)) => Some(Ok(step(number, line, form))),
        Err(error) => Some(Err(error)),
    }))
}

fn step(line: u64, bytes: Line, form: Form) -> Step {
    match row(bytes, form) {
        Ok((key, value)) => Step::Row { line, key, value },
        Err(reason) => Step::Malformed { line, reason },
    }
}

fn row(line: Line, form: Form) -> Result<(Vec<u8>, Vec<u8>), String> {
    let Line::Whole(bytes) = line else { return Err("the line is too long".into()) };
    let Some(tab) = bytes.iter().position(|byte| *byte == b'\t') else {
        return Err("no tab between key and value".into());
    };
    let (key, value) = (&bytes[..tab], &bytes[tab + 1..]);
    if form == Form::Escaped && value.contains(&b'\t') {
        return Err("more than one tab; one within a value is written \\t (or use --raw)".into());
    }
    let key = form.read(key).map_err(|reason| format!("key: {reason}"))?;
    let value = form.read(value).map_err(|reason| format!("value: {reason}"))?;
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, raw: bool) -> Vec<Step> {
        steps(Box::new(text.as_bytes()), raw).map(|step| step.expect("no fault in memory")).collect()
    }

    #[test]
    fn escapes_are_undone_and_bad_lines_keep_their_number() {
        let steps = read("a\\tb\t1\\n\n\nno tab\nk\tv\tw\nk\t\\q\nz\t\n", false);
        assert_eq!(steps[0], Step::Row { line: 1, key: b"a\tb".to_vec(), value: b"1\n".to_vec() });
        let numbers: Vec<u64> = steps.iter().filter_map(malformed_line).collect();
        assert_eq!(numbers, [3, 4, 5]);
        assert_eq!(steps[4], Step::Row { line: 6, key: b"z".to_vec(), value: Vec::new() });
    }

    #[test]
    fn raw_takes_everything_after_the_first_tab() {
        let steps = read("C:\\new\ta\tb\\", true);
        assert_eq!(steps, [Step::Row { line: 1, key: b"C:\\new".to_vec(), value: b"a\tb\\".to_vec() }]);
    }

    fn malformed_line(step: &Step) -> Option<u64> {
        match step {
            Step::Malformed { line, .. } => Some(*line),
            Step::Row { .. } => None,
        }
    }
}
