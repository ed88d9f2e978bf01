//! `sediment`: the command line of the database.
//!
//! Each verb is a file in `cmd/` that reads its arguments, calls one public method of `sedimentdb` and prints what came back.
//! Results go to standard output, everything else to standard error; the exit code says how it ended (`failure.rs`).

mod args;
mod cmd;
mod failure;
mod output;
mod text;

use args::Args;
use clap::Parser;
use failure::{Exit, Failure};
use output::Output;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let mut output = Output::stdout(args.json);
    let result = cmd::run(args.verb, &mut output).and_then(|exit| output.flush().map(|()| exit));
    match result {
        Ok(exit) => exit.into(),
        Err(Failure::ClosedPipe) => Exit::Done.into(),
        Err(failure) => {
            // The rows printed before the failure belong to the answer; if they cannot be written, the failure is still the news.
            let _ = output.flush();
            output::error(&failure, args.json);
            failure.exit().into()
        }
    }
}
