//! Checks of the source tree: `cargo xtask tidy`.
#![allow(clippy::print_stdout, reason = "a command line prints")]

mod source;
mod tidy;

use std::{env, path::Path, process::ExitCode};

const HELP: &str = "usage: cargo xtask tidy [--bless]

tidy            checks layers, sizes, banned text, reachability, and that documents were read again after the code they describe changed
tidy --bless    says that they were";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["tidy"] => report(&tidy::check(&root())),
        ["tidy", "--bless"] => match tidy::bless(&root()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("cannot write the lock file: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            println!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn report(report: &tidy::Report) -> ExitCode {
    for warning in &report.warnings {
        println!("warning: {warning}");
    }
    for error in &report.errors {
        println!("error: {error}");
    }
    println!("tidy: {} files, {} errors, {} warnings", report.files, report.errors.len(), report.warnings.len());
    if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}
