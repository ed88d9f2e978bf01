//! One LSM tree as a library: no threads, no clock, no log.
