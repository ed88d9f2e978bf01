//! Lines of any bytes, with their numbers; memory stays bounded whatever the input is.

use std::io::{self, BufRead, BufReader, Read};

/// Longer than the longest row with every byte escaped is no row.
const LINE_BYTES_MAX: u64 = 300 << 20;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes, without the line end (LF or CR LF).
    Whole(Vec<u8>),
    /// More bytes than any row has.
    TooLong,
}

/// The lines of an input, counted from 1.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    number: u64,
    bytes_max: u64,
}

impl<R: Read> Lines<R> {
    /// Reads `input` from where it stands.
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(256 << 10, input), number: 0, bytes_max: LINE_BYTES_MAX }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut line = Vec::new();
        if self.input.by_ref().take(self.bytes_max).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        } else if line.len() as u64 == self.bytes_max {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Whole(line)))
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = io::Result<(u64, Line)>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.read().transpose()?;
        self.number += 1;
        Some(line.map(|line| (self.number, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_long_ones_passed_over() {
        let mut lines = Lines::new(&b"one\r\n\n12345678901\nfour"[..]);
        lines.bytes_max = 10;
        let lines: Vec<_> = lines.map(|line| line.expect("no fault in memory")).collect();
        let whole = |text: &str| Line::Whole(text.into());
        assert_eq!(lines, [(1, whole("one")), (2, whole("")), (3, Line::TooLong), (4, whole("four"))]);
    }
}
