//! The program `sediment-bench`; everything is in the library of that name.

use std::process::ExitCode;

fn main() -> ExitCode {
    sediment_bench::main()
}
