//! The Unicode character database, carried in the program.

const CHARACTERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/UnicodeData.txt"));
const NOTES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/NamesList.txt"));

/// A row for one of the tour's keyspaces.
pub(super) type Row = (String, String);

/// Key of a code point: six digits, so that keys are in the order of code points.
pub(super) fn key(code: u32) -> String {
    format!("{code:06X}")
}

/// Code point to its record: fields set apart by semicolons, the name first.
pub(super) fn characters() -> impl Iterator<Item = Row> {
    CHARACTERS.lines().filter_map(|line| {
        let (code, record) = line.split_once(';')?;
        Some((key(u32::from_str_radix(code, 16).ok()?), record.to_owned()))
    })
}

/// Name to code point, for every character that has a name of its own.
pub(super) fn names() -> impl Iterator<Item = Row> {
    characters().filter_map(|(key, record)| {
        let name = name_of(&record);
        (!name.starts_with('<')).then(|| (name.to_owned(), key))
    })
}

/// Code point to what the standard remarks on it: aliases, uses, look-alikes; a remark a line.
pub(super) fn notes() -> impl Iterator<Item = Row> {
    let mut lines = NOTES.lines().peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let Some(code) = line.split('\t').next().and_then(|code| u32::from_str_radix(code, 16).ok()) else { continue };
            let mut remarks = Vec::new();
            while let Some(remark) = lines.peek().and_then(|line| line.strip_prefix('\t')) {
                remarks.push(remark.trim());
                lines.next();
            }
            if !remarks.is_empty() {
                return Some((key(code), remarks.join("\n")));
            }
        }
    })
}

/// The name in a record.
pub(super) fn name_of(record: &str) -> &str {
    record.split(';').next().unwrap_or(record)
}

/// The character that a key stands for.
pub(super) fn character(key: &str) -> Option<char> {
    char::from_u32(u32::from_str_radix(key, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_whole() {
        assert_eq!((characters().count(), names().count()), (34_924, 34_823));
        assert!(notes().count() > 10_000);
        let crab = ("CRAB".to_owned(), "01F980".to_owned());
        assert!(names().any(|row| row == crab));
        let note = notes().find(|(key, _)| *key == crab.1).map(|(_, note)| note);
        assert_eq!(note.as_deref(), Some("* used for Cancer\nx (cancer - 264B)"));
        assert_eq!(character(&crab.1), Some('\u{1F980}'));
    }
}
