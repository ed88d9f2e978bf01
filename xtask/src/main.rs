//! Checks of the source tree, and what is run from it: `cargo xtask tidy`, `cargo xtask simulate`.
#![allow(clippy::print_stdout, reason = "a command line prints")]

mod face;
mod source;
mod tidy;

use std::{
    env,
    path::Path,
    process::{Command, ExitCode},
};

const HELP: &str = "usage: cargo xtask tidy [--bless] | cargo xtask face | cargo xtask simulate [name=value ...]

tidy            checks layers, sizes, banned text, reachability, and that documents were read again after the code they describe changed
tidy --bless    says that they were
face            how much of the interface of `crates/compat` is used as it stands, and what of it is not there
simulate        what each strategy of compactions does with some loads: written bytes, space and runs. For names and values see
                crates/tree/examples/simulate.rs";

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
        ["face"] => print_face(&face::check(&root())),
        ["simulate", ..] => simulate(&args[1..]),
        _ => {
            println!("{HELP}");
            ExitCode::from(2)
        }
    }
}

fn simulate(args: &[&str]) -> ExitCode {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let example = ["run", "--release", "--quiet", "--package", "sediment-tree", "--example", "simulate", "--"];
    match Command::new(cargo).args(example).args(args).current_dir(root()).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            ExitCode::FAILURE
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

fn print_face(face: &face::Face) -> ExitCode {
    for error in &face.errors {
        println!("error: {error}");
    }
    println!("face: {face}");
    if face.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}
