//! `ImageName`: which crash image, as text that makes it again.
//!
//! ```text
//! 137/posix/torn-130        after 137 ops; the last one, a write, reached the disk with its first 130 bytes only
//! 137/rename-first/drop-91  everything but op 91
//! 137/posix/subset-512-9e37 a random part of what was unsynced, in blocks of 512 bytes, by this seed
//! ```

use sediment_base::{Error, Result};
use std::{fmt, str::FromStr};

/// Names a crash image of one history. Printed and parsed, so that a failing image can be made again from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName {
    /// How many ops came before the crash.
    pub point: usize,
    /// What the file system promises about order.
    pub rule: Rule,
    /// Which of the possible outcomes.
    pub variant: Variant,
}

/// What a file system promises beyond syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Nothing: bytes need a sync of their file, names one of their directory.
    PosixStrict,
    /// Names become durable in order, and with any later sync of anything; a file's bytes in order.
    Ext4Ordered,
    /// Names are durable at once, before the bytes that they name.
    RenameBeforeData,
}

/// One outcome of a crash. "Unsynced" means what the rule does not already promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// The process died and the machine lived: all that was visible is there, but as unsynced as before. Such an image records
    /// from the start, and a later crash of it can still lose what the first life wrote.
    Killed,
    /// Everything unsynced survived (bytes that a failed sync lost did not).
    AllKept,
    /// Nothing unsynced survived.
    SyncedOnly,
    /// Everything unsynced but this op survived.
    Dropped(usize),
    /// Of everything unsynced only this op survived.
    Alone(usize),
    /// The last op is a write, and only its first bytes survived, with all earlier ops.
    Torn(usize),
    /// Everything survived, but no file is longer than when it was last synced.
    LengthsLost,
    /// Names and lengths survived, and zeros stand where unsynced bytes made files longer.
    LengthsKept,
    /// A random part: names by name, bytes by blocks of this size, lengths on their own.
    Subset {
        /// 512 or 4096.
        block: u32,
        /// All of the choice.
        seed: u64,
    },
}

const RULES: [(Rule, &str); 3] =
    [(Rule::PosixStrict, "posix"), (Rule::Ext4Ordered, "ext4"), (Rule::RenameBeforeData, "rename-first")];

const PLAIN: [(Variant, &str); 5] = [
    (Variant::Killed, "killed"),
    (Variant::AllKept, "kept"),
    (Variant::SyncedOnly, "synced"),
    (Variant::LengthsLost, "lengths-lost"),
    (Variant::LengthsKept, "lengths-kept"),
];

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RULES.iter().find(|(rule, _)| rule == self).expect("every rule is listed").1)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(op) => write!(f, "drop-{op}"),
            Self::Alone(op) => write!(f, "alone-{op}"),
            Self::Torn(bytes) => write!(f, "torn-{bytes}"),
            Self::Subset { block, seed } => write!(f, "subset-{block}-{seed:x}"),
            plain => f.write_str(PLAIN.iter().find(|(variant, _)| variant == plain).expect("the others are above").1),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.point, self.rule, self.variant)
    }
}

impl FromStr for ImageName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(|| Error::invalid_input(format!("{text:?} names no crash image")))
    }
}

fn parse(text: &str) -> Option<ImageName> {
    let mut parts = text.split('/');
    let (point, rule, variant) = (parts.next()?, parts.next()?, parts.next()?);
    let rule = RULES.iter().find(|(_, name)| *name == rule)?.0;
    let is_whole = parts.next().is_none();
    is_whole.then_some(ImageName { point: point.parse().ok()?, rule, variant: parse_variant(variant)? })
}

fn parse_variant(text: &str) -> Option<Variant> {
    if let Some((variant, _)) = PLAIN.iter().find(|(_, name)| *name == text) {
        return Some(*variant);
    }
    let (kind, number) = text.split_once('-')?;
    match kind {
        "drop" => Some(Variant::Dropped(number.parse().ok()?)),
        "alone" => Some(Variant::Alone(number.parse().ok()?)),
        "torn" => Some(Variant::Torn(number.parse().ok()?)),
        "subset" => {
            let (block, seed) = number.split_once('-')?;
            let block = block.parse().ok().filter(|block| *block > 0)?;
            Some(Variant::Subset { block, seed: u64::from_str_radix(seed, 16).ok()? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let names = [
            "0/posix/killed",
            "7/ext4/kept",
            "7/rename-first/synced",
            "1/posix/lengths-lost",
            "1/posix/lengths-kept",
            "12/posix/drop-3",
            "12/posix/alone-3",
            "12/posix/torn-4095",
            "12/posix/subset-4096-ffffffffffffffff",
        ];
        for name in names {
            assert_eq!(name.parse::<ImageName>().expect(name).to_string(), name);
        }
        for foreign in ["", "1/posix", "1/posix/kept/", "1/zfs/kept", "x/posix/kept", "1/posix/subset-0-1", "1/posix/drop-"] {
            assert!(foreign.parse::<ImageName>().is_err(), "{foreign}");
        }
    }
}
