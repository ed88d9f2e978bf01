//! Bytes as text and back: the one form in which keys and values are typed, printed, exported and imported.
//!
//! Valid UTF-8 stands for itself, but for control characters and the backslash: `\t`, `\n`, `\r`, `\0`, `\\`, and `\xNN` for
//! any other byte. Reading is the inverse of printing, so what `scan` prints, `get` and `import` understand.

use serde_json::{Map, Value};

/// How bytes are typed and printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text with escapes.
    #[default]
    Escaped,
    /// Pairs of hexadecimal digits.
    Hex,
    /// The bytes themselves.
    Raw,
}

impl Form {
    /// Reads what a user typed.
    pub(crate) fn read(self, typed: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Self::Escaped => unescape(typed),
            Self::Hex => unhex(typed),
            Self::Raw => Ok(typed.to_vec()),
        }
    }

    /// Prints bytes.
    pub(crate) fn print(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Escaped => escape(bytes).into_bytes(),
            Self::Hex => hex(bytes).into_bytes(),
            Self::Raw => bytes.to_vec(),
        }
    }

    /// Puts bytes into a JSON object: as `name` where they are UTF-8, else (or where asked for) as `name_hex`.
    pub(crate) fn put(self, object: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) if self != Self::Hex => object.insert(name.to_owned(), text.into()),
            _ => object.insert(format!("{name}_hex"), hex(bytes).into()),
        };
    }
}

/// Text with escapes.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '\t' => text.push_str("\\t"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\0' => text.push_str("\\0"),
                other if other.is_control() => {
                    other.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_byte(&mut text, byte));
                }
                other => text.push(other),
            }
        }
        chunk.invalid().iter().for_each(|byte| push_byte(&mut text, *byte));
    }
    text
}

fn push_byte(text: &mut String, byte: u8) {
    text.push_str("\\x");
    text.push_str(&hex(&[byte]));
}

fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'\\') => b'\\',
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b'0') => 0,
            Some(b'x') => match (rest.next().and_then(digit), rest.next().and_then(digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err("\\x is not followed by two hexadecimal digits".into()),
            },
            Some(other) => return Err(format!("unknown escape \\{} (a backslash is typed \\\\)", escape(&[*other]))),
            None => return Err("a backslash at the end (a backslash is typed \\\\)".into()),
        });
    }
    Ok(bytes)
}

/// Pairs of hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &[u8]) -> Result<Vec<u8>, String> {
    if !text.len().is_multiple_of(2) {
        return Err("an odd number of hexadecimal digits".into());
    }
    let pair = |pair: &[u8]| Some(digit(&pair[0])? << 4 | digit(&pair[1])?);
    text.chunks_exact(2).map(pair).collect::<Option<_>>().ok_or_else(|| "not hexadecimal digits".into())
}

fn digit(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_string_reads_back_in_every_form() {
        let all: Vec<u8> = (0..=255).collect();
        let samples: [&[u8]; 6] =
            [b"", b"plain", "gr\u{fc}n \u{1f980}".as_bytes(), b"a\tb\nc\\d\0", &[0xff, 0xfe, b'x', 0xc3], &all];
        for sample in samples {
            for form in [Form::Escaped, Form::Hex, Form::Raw] {
                assert_eq!(form.read(&form.print(sample)).as_deref(), Ok(sample), "{form:?}");
            }
        }
    }

    #[test]
    fn printed_text_stays_on_its_line_and_in_its_column() {
        let text = escape(b"a\tb\nc\r\x1b[31m\\\xff");
        assert_eq!(text, r"a\tb\nc\r\x1b[31m\\\xff");
        assert_eq!(escape("\u{85}".as_bytes()), r"\xc2\x85");
    }

    #[test]
    fn broken_escapes_are_named() {
        for (typed, word) in [(r"a\q", "unknown escape"), (r"a\x4", "two hexadecimal"), ("a\\", "at the end"), (r"\xzz", "two")]
        {
            assert!(Form::Escaped.read(typed.as_bytes()).expect_err(typed).contains(word), "{typed}");
        }
        assert!(Form::Hex.read(b"abc").is_err() && Form::Hex.read(b"zz").is_err());
    }

    #[test]
    fn json_keeps_text_as_text_and_bytes_as_hex() {
        let mut object = Map::new();
        Form::Escaped.put(&mut object, "key", b"k");
        Form::Escaped.put(&mut object, "value", &[0xff]);
        assert_eq!(Value::from(object).to_string(), r#"{"key":"k","value_hex":"ff"}"#);
    }
}
