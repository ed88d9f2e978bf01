//! CSV: a row a record, its columns found by name or number.

use super::{Columns, Input, Step, Steps};
use crate::failure::{Failure, Result};
use csv::{ByteRecord, Reader, ReaderBuilder};
use serde_json::{Map, Value};
use std::io;

/// Reads rows; the header decides where key and value are.
pub(super) fn steps(input: Input, columns: &Columns) -> Result<Steps> {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter(&columns.delimiter)?).has_headers(!columns.no_header).flexible(true);
    let mut reader = builder.from_reader(input);
    let names = if columns.no_header { None } else { Some(header(&mut reader)?) };
    let key = column(columns.key.as_deref().unwrap_or("1"), names.as_deref())?;
    let value = columns.value.as_deref().map(|name| column(name, names.as_deref())).transpose()?;
    Ok(Box::new(Rows { reader, layout: Layout { names, key, value, width: None } }))
}

struct Rows {
    reader: Reader<Input>,
    layout: Layout,
}

struct Layout {
    names: Option<Vec<String>>,
    key: usize,
    value: Option<usize>,
    /// Columns of the first row, where there is no header to say it.
    width: Option<usize>,
}

impl Iterator for Rows {
    type Item = io::Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => Some(Ok(self.layout.step(&record))),
            Err(error) => Some(Err(into_io(error))),
        }
    }
}

impl Layout {
    fn step(&mut self, record: &ByteRecord) -> Step {
        let line = record.position().map_or(0, csv::Position::line);
        match self.row(record) {
            Ok((key, value)) => Step::Row { line, key, value },
            Err(reason) => Step::Malformed { line, reason },
        }
    }

    fn row(&mut self, record: &ByteRecord) -> Result<(Vec<u8>, Vec<u8>), String> {
        let width = match &self.names {
            Some(names) => names.len(),
            None => *self.width.get_or_insert(record.len()),
        };
        if record.len() != width {
            let model = if self.names.is_some() { "the header" } else { "the first row" };
            return Err(format!("{} columns where {model} has {width}", record.len()));
        }
        let cell = |index: usize| record.get(index).ok_or_else(|| format!("no column {}", index + 1));
        let value = match self.value {
            Some(index) => cell(index)?.to_vec(),
            None => self.whole(record)?.to_string().into_bytes(),
        };
        Ok((cell(self.key)?.to_vec(), value))
    }

    fn whole(&self, record: &ByteRecord) -> Result<Value, String> {
        let text = |(index, cell): (usize, &[u8])| {
            let text = std::str::from_utf8(cell).map_err(|_| format!("column {} is not UTF-8", index + 1))?;
            Ok(Value::from(text))
        };
        let mut cells = record.iter().enumerate().map(text);
        match &self.names {
            None => cells.collect::<Result<Vec<_>, String>>().map(Value::from),
            Some(names) => {
                let pairs = names.iter().cloned().zip(&mut cells);
                pairs.map(|(name, cell)| Ok((name, cell?))).collect::<Result<Map<_, _>, String>>().map(Value::from)
            }
        }
    }
}

fn header(reader: &mut Reader<Input>) -> Result<Vec<String>> {
    let names =
        reader.byte_headers().map_err(|error| Failure::Io { message: format!("cannot read the header row: {error}") })?;
    let names = names.iter().map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').to_owned());
    Ok(names.collect())
}

/// A column by its name, or else by its number from 1.
fn column(wanted: &str, names: Option<&[String]>) -> Result<usize> {
    if let Some(index) = names.and_then(|names| names.iter().position(|name| name == wanted)) {
        return Ok(index);
    }
    let number = wanted.parse().ok().filter(|number| *number > 0 && names.is_none_or(|names| *number <= names.len()));
    number.map(|number: usize| number - 1).ok_or_else(|| {
        let hint = match names {
            Some([]) => "the input is empty: it has not even a header".to_owned(),
            Some(names) => format!("the header has: {}; a number from 1 to {} is good too", names.join(", "), names.len()),
            None => "without a header, columns are numbers from 1".to_owned(),
        };
        Failure::usage(format!("there is no column `{wanted}`"), hint)
    })
}

fn delimiter(typed: &str) -> Result<u8> {
    match typed.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(Failure::usage(format!("`{typed}` cannot be a delimiter"), "use one ASCII character, or \\t for a tab")),
    }
}

fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(key: Option<&str>, value: Option<&str>, no_header: bool) -> Columns {
        Columns { key: key.map(Into::into), value: value.map(Into::into), delimiter: ",".into(), no_header }
    }

    fn read(text: &'static [u8], columns: &Columns) -> Vec<Step> {
        let steps = steps(Box::new(text), columns).expect("columns are there");
        steps.map(|step| step.expect("no fault in memory")).collect()
    }

    #[test]
    fn columns_are_found_by_name_or_number() {
        let row = |line, key: &str, value: &str| Step::Row { line, key: key.into(), value: value.into() };
        let text = b"\xef\xbb\xbfid,name\n1,\"a,\nb\"\n2,c\n";
        let whole = [row(2, "1", r#"{"id":"1","name":"a,\nb"}"#), row(4, "2", r#"{"id":"2","name":"c"}"#)];
        assert_eq!(read(text, &columns(Some("id"), None, false)), whole);
        assert_eq!(read(text, &columns(None, Some("2"), false)), [row(2, "1", "a,\nb"), row(4, "2", "c")]);
        assert_eq!(read(b"x,y\n", &columns(Some("2"), None, true)), [row(1, "y", r#"["x","y"]"#)]);
    }

    #[test]
    fn rows_of_another_width_or_alphabet_are_malformed() {
        let steps = read(b"id,name\n1\n2,b,c\n3,\xff\n4,d\n", &columns(None, None, false));
        let lines: Vec<_> = steps.iter().map(|step| matches!(step, Step::Malformed { .. })).collect();
        assert_eq!(lines, [true, true, true, false]);
    }

    #[test]
    fn a_column_that_is_not_there_is_a_usage_error_that_names_the_others() {
        for (key, no_header) in [("nope", false), ("0", false), ("3", false), ("name", true), ("0", true)] {
            let input: Input = Box::new(&b"id,name\n"[..]);
            let failure = steps(input, &columns(Some(key), None, no_header)).err().expect(key);
            assert_eq!(failure.exit(), crate::failure::Exit::Usage);
            assert!(no_header || failure.hint().contains("id, name"));
        }
        let failure = steps(Box::new(&b""[..]), &columns(None, None, false)).err().expect("nothing is there");
        assert!(failure.hint().contains("empty"), "{}", failure.hint());
    }
}
