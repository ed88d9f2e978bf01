//! Sediment: an embedded key-value database on an LSM tree.
