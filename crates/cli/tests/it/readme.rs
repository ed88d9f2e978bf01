//! What the README shows is what happens.

use crate::program::Place;
use std::process::Command;

const README: &str = include_str!("../../../../README.md");
const EXAMPLE: &str = include_str!("readme/example.rs");
const WRITES: &str = include_str!("readme/writes.rs");

#[expect(clippy::print_stdout, reason = "examples print")]
mod example;
mod writes;

#[test]
fn the_example_is_this_one_and_runs() {
    assert!(
        README.contains(EXAMPLE.replace("pub(super) ", "").trim()),
        "README.md does not hold the text of readme/example.rs"
    );
    let place = Place::new();
    example::example(place.db.as_ref()).expect("the example works");
}

#[test]
fn the_example_of_other_writes_is_this_one_and_runs() {
    assert!(README.contains(WRITES.replace("pub(super) ", "").trim()), "README.md does not hold the text of readme/writes.rs");
    let place = Place::new();
    let db = sedimentdb::Db::open(&place.db).expect("opens");
    writes::example(&db).expect("the example works");
    assert_eq!(db.keyspace("visits").expect("it is there").iter().count(), 10);
}

/// Runs the lines after `$` in the README's console block, and compares what they print.
#[test]
fn the_session_goes_as_shown() {
    let place = Place::new();
    place.file("people.csv", "name,born\nAda,1815\nGrace,1906\n");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_sediment"));
    let session = README.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a console block");
    let mut steps = 0;
    for step in session.split("$ ").skip(1) {
        let (line, expected) = step.split_once('\n').expect("a line each");
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(place.dir.path());
        let path = format!(
            "{}:{}",
            program.parent().expect("it is in a directory").display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let output = shell.env("PATH", path).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(timeless(&printed), timeless(expected), "{line}");
        steps += 1;
    }
    assert!(steps >= 5);
}

/// Without the seconds that something took.
fn timeless(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.parse::<f64>().is_ok() && word.contains('.') { "T" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
