//! Internal to Sediment: models, scripts and crash sweeps for its tests.
//!
//! A thing under test implements [`store::Store`]; an operation language ([`ops`]) drives it beside an oracle ([`model`]), and
//! whatever fails shrinks to a script that can be pasted into a test. `docs/testing.md` says which kind of test answers which
//! doubt, and how to replay a seed.

pub mod seed;

pub mod alone;

pub mod world;

pub mod keys;

pub mod as_it_is;

pub mod back_references;

pub mod store;

pub mod ops;

pub mod model;

pub mod shrink;

pub mod run;

pub mod crash;

pub mod faults;

pub mod damage;

pub mod script;
