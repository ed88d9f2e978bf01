//! The program under test, and the report of a run.

use serde_json::Value;
use std::{fs, path::PathBuf, process::Command};
use tempfile::TempDir;

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) place: TempDir,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// Where databases were made.
    pub(crate) fn dir(&self) -> PathBuf {
        self.place.path().join("databases")
    }

    /// The report; the run must have ended well.
    pub(crate) fn report(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        let text = fs::read_to_string(self.place.path().join("report.json")).expect("the report was written");
        serde_json::from_str(&text).expect("the report is JSON")
    }

    /// The pictures, by name.
    pub(crate) fn plots(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.place.path().join("plots")).expect("the pictures were written");
        let mut plots: Vec<(String, String)> = files
            .map(|file| {
                let file = file.expect("the directory can be read");
                let name = file.file_name().into_string().expect("its name is UTF-8");
                (name, fs::read_to_string(file.path()).expect("it can be read"))
            })
            .collect();
        plots.sort();
        plots
    }
}

/// Runs a workload on 3000 keys with little memory, for a moment; later arguments win.
pub(crate) fn run(workload: &str, args: &[&str]) -> Run {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| place.path().join(name).to_str().expect("its name is UTF-8").to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sediment-bench"));
    command.args([workload, "--seconds", "0.25", "--quiet", "0.02", "--memory", "256KiB"]);
    command.args(["--dir", &path("databases"), "--json", &path("report.json"), "--plots", &path("plots")]);
    if !args.contains(&"--keys") {
        command.args(["--keys", "3000"]);
    }
    let output = command.args(args).output().expect("the program is built");
    let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
    Run { place, code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A number of a report.
pub(crate) fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("{name} is no number in {value}"))
}

/// The numbers of an array; what is missing is 0.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|number| number.as_f64().unwrap_or(0.0)).collect()
}

/// The entries of an array.
pub(crate) fn entries<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no array"))
}

/// Whether two numbers are the same but for what rounding does.
pub(crate) fn is_about(one: f64, other: f64) -> bool {
    (one - other).abs() <= 0.002 * one.abs().max(other.abs())
}
