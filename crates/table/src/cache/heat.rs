//! `Heat`: what a request says about the future of a value.

/// Whether a value will be wanted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heat {
    /// It may be.
    Point,
    /// A scan passes by.
    Scan,
    /// It will not: use what is there, leave nothing behind.
    Once,
}
