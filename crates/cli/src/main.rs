//! The `sediment` command line.

fn main() {}
