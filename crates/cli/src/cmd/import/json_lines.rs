//! JSON lines: an object a line.

use super::{
    Columns, Input, Step, Steps,
    lines::{Line, Lines},
};
use crate::failure::{Failure, Result};
use serde_json::{Map, Value};

/// Reads rows; the key's field must be named.
pub(super) fn steps(input: Input, columns: &Columns) -> Result<Steps> {
    let Some(key_field) = columns.key.clone() else {
        return Err(Failure::usage("JSON lines need the field that holds the key", "name it with --key FIELD"));
    };
    let fields = Fields { key: key_field, value: columns.value.clone() };
    Ok(Box::new(Lines::new(input).filter_map(move |line| match line {
        Ok((_, Line::Whole(bytes))) if bytes.trim_ascii().is_empty() => None,
        Ok((number, line)) => Some(Ok(fields.step(number, line))),
        Err(error) => Some(Err(error)),
    })))
}

struct Fields {
    key: String,
    value: Option<String>,
}

impl Fields {
    fn step(&self, line: u64, bytes: Line) -> Step {
        match self.row(bytes) {
            Ok((key, value)) => Step::Row { line, key, value },
            Err(reason) => Step::Malformed { line, reason },
        }
    }

    fn row(&self, line: Line) -> Result<(Vec<u8>, Vec<u8>), String> {
        let Line::Whole(bytes) = line else { return Err("the line is too long".into()) };
        let parsed: Value = serde_json::from_slice(&bytes).map_err(|error| not_json(&error))?;
        let Value::Object(object) = parsed else { return Err("not a JSON object".into()) };
        let key = match field(&object, &self.key)? {
            Value::String(text) => text.clone().into_bytes(),
            Value::Number(number) => number.to_string().into_bytes(),
            _ => return Err(format!("field `{}` is neither text nor a number, so it cannot be a key", self.key)),
        };
        let value = match &self.value {
            None => bytes.trim_ascii().to_vec(),
            Some(name) => match field(&object, name)? {
                Value::String(text) => text.clone().into_bytes(),
                other => other.to_string().into_bytes(),
            },
        };
        Ok((key, value))
    }
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    object.get(name).ok_or_else(|| format!("no field `{name}`"))
}

fn not_json(error: &serde_json::Error) -> String {
    // Its own text ends with the place; the line in there is always the first.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("not JSON: {what} at column {}", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str, value: Option<&str>) -> Vec<Step> {
        let columns = Columns { key: Some("id".into()), value: value.map(Into::into), delimiter: ",".into(), no_header: false };
        let steps = steps(Box::new(text.as_bytes()), &columns).expect("a key is named");
        steps.map(|step| step.expect("no fault in memory")).collect()
    }

    #[test]
    fn keys_are_text_or_numbers_and_values_the_line_or_a_field() {
        let row = |line, key: &str, value: &str| Step::Row { line, key: key.into(), value: value.into() };
        let text = "{\"id\":\"a\",\"n\":1} \n\n{\"id\":7,\"n\":\"x\"}";
        assert_eq!(read(text, None), [row(1, "a", "{\"id\":\"a\",\"n\":1}"), row(3, "7", "{\"id\":7,\"n\":\"x\"}")]);
        assert_eq!(read(text, Some("n")), [row(1, "a", "1"), row(3, "7", "x")]);
    }

    #[test]
    fn what_is_no_row_is_named() {
        let steps = read("{\"id\":\n[1]\n{}\n{\"id\":null}\n{\"id\":1} x\n\u{0}", None);
        let reasons = steps.iter().map(|step| match step {
            Step::Malformed { reason, .. } => reason.as_str(),
            Step::Row { .. } => "a row",
        });
        let words = ["EOF while parsing", "not a JSON object", "no field `id`", "neither text", "trailing", "not JSON"];
        for (reason, word) in reasons.zip(words) {
            assert!(reason.contains(word), "{reason} / {word}");
        }
        assert_eq!(steps.len(), words.len());
    }
}
