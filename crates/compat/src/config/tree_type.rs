//! Two enums of a configuration.

/// What kind of tree it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeType {
    /// Values lie with their keys.
    Standard,
    /// Large ones lie apart.
    Blob,
}

impl From<TreeType> for u8 {
    fn from(tree_type: TreeType) -> Self {
        match tree_type {
            TreeType::Standard => 0,
            TreeType::Blob => 1,
        }
    }
}

impl TryFrom<u8> for TreeType {
    type Error = ();

    fn try_from(tag: u8) -> Result<Self, ()> {
        match tag {
            0 => Ok(Self::Standard),
            1 => Ok(Self::Blob),
            _ => Err(()),
        }
    }
}

/// How a damaged manifest is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManifestRecoveryMode {
    /// By refusing to open, unless it ends as a crash may leave it.
    #[default]
    AbsoluteConsistency,
    /// By going on with what comes before a damaged end.
    TolerateCorruptedTailRecords,
    /// By going on with what comes before the first damage.
    PointInTimeRecovery,
    /// By leaving out what is damaged.
    SkipAnyCorruptedRecords,
}
