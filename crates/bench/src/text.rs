//! Numbers for people.

/// A time: `1.24 us` with a Greek letter.
pub fn time_text(ns: f64) -> String {
    const UNITS: [(&str, f64); 4] = [("ns", 1.0), ("\u{b5}s", 1e3), ("ms", 1e6), ("s", 1e9)];
    // What rounds to a thousand of a unit is one of the next.
    let (name, unit) = UNITS.into_iter().rfind(|(_, unit)| ns >= 0.9995 * unit).unwrap_or(UNITS[0]);
    format!("{} {name}", three_digits(ns / unit))
}

/// A size: `1.9 MiB`.
pub fn bytes_text(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// A number: `251 k`.
pub fn count_text(count: f64) -> String {
    scaled(count, 1000.0, &["", "k", "M", "G"]).trim_end().to_owned()
}

/// A size as people type it: `100`, `64MiB`, `1.5GiB`.
pub fn parse_bytes(typed: &str) -> Result<usize, String> {
    let letters = typed.find(|symbol: char| symbol.is_ascii_alphabetic()).unwrap_or(typed.len());
    let (number, unit) = typed.split_at(letters);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1_u64,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(format!("`{unit}` is no unit; B, KiB, MiB and GiB are")),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("`{typed}` is no size; `64MiB` is one"))?;
    let bytes = number * factor as f64;
    if bytes.is_finite() && (0.0..1e15).contains(&bytes) { Ok(bytes as usize) } else { Err(format!("{typed} is out of range")) }
}

/// Seconds as people type them: more than none.
pub fn parse_seconds(typed: &str) -> Result<f64, String> {
    let seconds: f64 = typed.parse().map_err(|_| format!("`{typed}` is no number of seconds"))?;
    if (1e-6..1e6).contains(&seconds) { Ok(seconds) } else { Err(format!("{typed} s is out of range")) }
}

fn scaled(number: f64, step: f64, units: &[&str]) -> String {
    let (mut scaled, mut unit) = (number, 0);
    while scaled >= 999.5 && unit + 1 < units.len() {
        scaled /= step;
        unit += 1;
    }
    format!("{} {}", three_digits(scaled), units[unit])
}

/// With three digits that count, no more decimals than two, and no zeros at the end of them.
fn three_digits(number: f64) -> String {
    let decimals = match number {
        number if number < 9.995 => 2,
        number if number < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{bytes_text, count_text, parse_bytes, parse_seconds, time_text};

    #[test]
    fn numbers_have_three_digits_and_a_unit() {
        let times = [0.0, 7.0, 999.4, 999.9, 1234.0, 25_600.0, 9_999_000.0, 1e9, 7.25e11].map(time_text);
        let expected = ["0 ns", "7 ns", "999 ns", "1 \u{b5}s", "1.23 \u{b5}s", "25.6 \u{b5}s", "10 ms", "1 s", "725 s"];
        assert_eq!(times, expected);
        assert_eq!([0.0, 1023.0, 1_048_576.0, 3e12].map(bytes_text), ["0 B", "1 KiB", "1 MiB", "2.73 TiB"]);
        assert_eq!([0.5, 999.0, 1000.0, 251_234.0, 1.5e9].map(count_text), ["0.5", "999", "1 k", "251 k", "1.5 G"]);
    }

    #[test]
    fn sizes_and_seconds_are_read() {
        assert_eq!(["100", "4KiB", "1.5MiB", "1 GiB", "2m"].map(parse_bytes), [100, 4096, 1_572_864, 1 << 30, 2 << 20].map(Ok));
        assert!(["", "MiB", "5 miles", "-1", "nan", "1e99"].iter().all(|typed| parse_bytes(typed).is_err()));
        assert_eq!(parse_seconds("0.25"), Ok(0.25));
        assert!(["", "0", "-1", "inf", "x"].iter().all(|typed| parse_seconds(typed).is_err()));
    }
}
