//! What only a process of its own can show.

#![cfg(not(loom))]

mod epoch;
