//! Runs the built program as its users do.

mod bad_input;
mod import;
mod program;
mod readme;
mod statistics;
mod tour;
mod verbs;
