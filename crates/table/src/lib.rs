//! Internal to Sediment: immutable table files.
