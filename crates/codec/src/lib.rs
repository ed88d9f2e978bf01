//! Internal to Sediment: bytes to bytes, no I/O.
