//! Tests that change the whole process, and so run without others.
//!
//! A test program runs its tests side by side. A planted bug is one for all of them: whatever runs meanwhile fails, or never ends. So
//! whoever plants asks first whether the program was told to run such tests alone.

use std::env;

/// Options of test programs that are followed by a value.
const WITH_VALUE: [&str; 7] = ["--test-threads", "--skip", "--format", "--color", "--logfile", "--shuffle-seed", "-Z"];

/// Panics unless this test program runs tests of `room` and no others, as its arguments say.
pub fn assert_alone(room: &str) {
    let is_alone = is_alone(room, env::args().skip(1));
    assert!(is_alone, "tests of `{room}` change the whole process: run `{room}::` alone, with nothing else beside");
}

/// Whether every filter among the arguments of a test program names this room, and there is one.
fn is_alone(room: &str, mut args: impl Iterator<Item = String>) -> bool {
    let mut names_room = false;
    while let Some(arg) = args.next() {
        if WITH_VALUE.contains(&&*arg) {
            args.next();
        } else if !arg.starts_with('-') {
            if !arg.starts_with(room) {
                return false;
            }
            names_room = true;
        }
    }
    names_room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_alone_where_every_filter_names_it() {
        let cases = [
            ("", false),
            ("--nocapture", false),
            ("planted::", true),
            ("planted::every --exact --nocapture", true),
            ("--test-threads 1 planted:: -q", true),
            ("--test-threads=1 planted::", true),
            ("--skip planted", false),
            ("planted:: faults::", false),
            ("faults:: planted::", false),
            ("every_planted_bug", false),
        ];
        for (args, expected) in cases {
            assert_eq!(is_alone("planted", args.split_whitespace().map(String::from)), expected, "{args}");
        }
    }
}
