//! Standard output and standard error, for people or (with `--json`) for programs.

use crate::failure::{Failure, Result};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::io::{self, BufWriter, IsTerminal, Write};

/// Where results go. Buffered; a closed pipe ends the command in silence.
pub(crate) struct Output {
    to: BufWriter<io::Stdout>,
    json: bool,
    styled: bool,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout(json: bool) -> Self {
        let styled = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { to: BufWriter::with_capacity(64 << 10, io::stdout()), json, styled }
    }

    /// Whether results are to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// One line of text.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) -> Result<()> {
        self.bytes(line.as_ref().as_bytes())?;
        self.bytes(b"\n")
    }

    /// One JSON value on a line of its own.
    pub(crate) fn value(&mut self, value: &Value) -> Result<()> {
        self.line(value.to_string())
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.to.write_all(bytes)?)
    }

    /// Hands everything to the system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        Ok(self.to.flush()?)
    }

    /// Whether a person looks at it.
    pub(crate) fn is_for_people(&self) -> bool {
        self.styled
    }

    /// `text` in bold, where a person looks at it.
    pub(crate) fn bold(&self, text: &str) -> String {
        self.styled_as(Style::new().bold(), text)
    }

    /// `text` in green, where a person looks at it.
    pub(crate) fn good(&self, text: &str) -> String {
        self.styled_as(AnsiColor::Green.on_default(), text)
    }

    fn styled_as(&self, style: Style, text: &str) -> String {
        if self.styled { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A remark on standard error. A closed one is nobody's loss.
pub(crate) fn note(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "{}", text.as_ref());
}

/// A failure on standard error: a sentence and a hint, or one JSON object.
pub(crate) fn error(failure: &Failure, json: bool) {
    if json {
        note(failure_value(failure).to_string());
        return;
    }
    note(format!("sediment: {failure}"));
    if !failure.hint().is_empty() {
        note(format!("  hint: {}", failure.hint()));
    }
}

fn failure_value(failure: &Failure) -> Value {
    let mut value = json!({ "error": failure.to_string(), "exit_code": failure.exit() as u8 });
    if !failure.hint().is_empty() {
        value["hint"] = failure.hint().into();
    }
    if let Some(error) = failure.database_error() {
        value["kind"] = format!("{:?}", error.kind()).into();
        if let Some(location) = error.location() {
            value["file"] = location.file.display().to_string().into();
            value["offset"] = location.offset.into();
        }
    }
    value
}

/// A number with thousands set apart: `34,924`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size for people: `1.9 MiB`.
pub(crate) fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1000.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{amount:.1} {}", UNITS[unit]) }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_for_people() {
        assert_eq!([0, 7, 999, 1000, 34_924, 1_234_567].map(grouped), ["0", "7", "999", "1,000", "34,924", "1,234,567"]);
        assert_eq!([0, 999, 1024, 2_000_000, u64::MAX].map(bytes_text), ["0 B", "999 B", "1.0 KiB", "1.9 MiB", "16384.0 PiB"]);
        assert_eq!([counted(1, "row"), counted(2, "row"), counted(0, "row")], ["1 row", "2 rows", "0 rows"]);
    }
}
