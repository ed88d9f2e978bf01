//! The operation language: what a script says, one operation a line, printable and parsable.
//!
//! ```text
//! insert sync ks key 17x300          a value of 300 bytes grown from 17
//! remove os ks key
//! weak os ks key / merge os ks key 17x3
//! erase os ks [a (b                  remove a span of keys; `^a` is all that begin with a
//! batch memory a+key=18x5 b-key      all or nothing, over keyspaces; `~key` is weak, `*key=18x5` merges, `![a,(b` erases
//! ingest a+key=18x5 a-key2           sorted rows of one keyspace, all or nothing, past the log
//! get ks key @2                      at snapshot 2; without `@`, now
//! range ks [a (b forward             `[` and `(` include and exclude, `*` is no bound; forward, backward, zigzag
//! prefix ks a zigzag @2
//! multiget ks a b a @2               several keys at once
//! moves ks first >=b > <=a < last @2  a cursor, sent about: `>=b` and `<=b` seek, `>` and `<` go on and back
//! parts ks [a * backward 10 50 @2    a scan in parts of at most 10 pairs, each for the work of 50
//! snapshot 2 / release 2             pin a moment, let it go
//! cursor 1 ks * * @2                 a scan that stays open while other things happen
//! step 1 backward 3 / end 1
//! flush / compact / persist sync / verify / check
//! create ks / drop ks / clear ks
//! configure ks 17                    other settings, drawn from 17
//! reopen / kill / powerloss 7        clean close; death of the process; crash image number 7 (modulo what there is)
//! ```
//!
//! Keys and names are written bare where they are letters, digits or `_.:/`, and as `%XX` elsewhere; the empty key is `%`.

mod generate;
mod parse;
#[cfg(test)]
mod tests;

pub use generate::{Generator, Mix};
pub use parse::{ParseError, parse, parse_script};

use crate::store::{Action, Level, Move, Parts, Span, Text, Value, Write};
use std::{fmt, ops::Bound};

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named for the words of the language above")]
pub enum Op {
    /// One write by itself.
    Single(Write, Level),
    /// Writes that go together.
    Batch(Vec<Write>, Level),
    /// Inserts and removes in one keyspace, their keys ascending, past the log. Never empty.
    Ingest(Vec<Write>),
    /// Looks a key up and compares.
    Get { keyspace: String, key: Vec<u8>, at: Option<u32> },
    /// Looks several keys up at once and compares.
    MultiGet { keyspace: String, keys: Vec<Vec<u8>>, at: Option<u32> },
    /// Sends a cursor about and compares.
    Moves { keyspace: String, moves: Vec<Move>, at: Option<u32> },
    /// Reads a span part by part and compares.
    Parts { keyspace: String, span: Span, parts: Parts, at: Option<u32> },
    /// Walks a span to its end and compares.
    Scan { keyspace: String, span: Span, walk: Walk, at: Option<u32> },
    /// Takes a snapshot under this number, in place of one that had it.
    Snapshot(u32),
    /// Drops a snapshot.
    Release(u32),
    /// Opens a scan under this number, in place of one that had it.
    Cursor { id: u32, keyspace: String, span: Span, at: Option<u32> },
    /// Moves an open scan and compares.
    Step { id: u32, walk: Walk, count: u32 },
    /// Drops an open scan.
    End(u32),
    /// Moves memtables into tables.
    Flush,
    /// Compacts everything.
    Compact,
    /// Raises everything before to a level.
    Persist(Level),
    /// Makes a keyspace.
    Create(String),
    /// Drops a keyspace.
    Drop(String),
    /// Empties a keyspace.
    Clear(String),
    /// Gives a keyspace other settings, drawn from this number.
    Configure(String, u32),
    /// Closes and opens.
    Reopen,
    /// Kills the process and opens again: what the system has is there, what only memory had is not.
    Kill,
    /// Cuts the power and opens one of the possible images.
    PowerLoss(u32),
    /// Reads every stored byte.
    Verify,
    /// Compares everything, both ways.
    Check,
}

/// The order in which a scan is drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// From the front.
    Forward,
    /// From the back.
    Backward,
    /// From both ends in turn.
    Zigzag,
}

impl Walk {
    /// Whether the `index`th step is taken from the front.
    pub fn is_front(self, index: usize) -> bool {
        match self {
            Self::Forward => true,
            Self::Backward => false,
            Self::Zigzag => index.is_multiple_of(2),
        }
    }
}

impl Op {
    /// The level that the store has promised for everything before, once this operation has returned.
    pub fn promise(&self) -> Option<Level> {
        match self {
            Self::Batch(writes, _) if writes.is_empty() => None,
            Self::Single(_, level) | Self::Batch(_, level) | Self::Persist(level) => Some(*level),
            Self::Flush | Self::Reopen | Self::Ingest(_) => Some(Level::Sync),
            _ if self.is_of_catalog() => Some(Level::Sync),
            _ => None,
        }
    }

    /// Whether it asks for a commit.
    pub fn is_change(&self) -> bool {
        matches!(self, Self::Single(..) | Self::Batch(..) | Self::Ingest(_)) || self.is_of_catalog()
    }

    /// Whether it asks for a change of which keyspaces there are, and how.
    pub fn is_of_catalog(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Drop(_) | Self::Clear(_) | Self::Configure(..))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(Write { keyspace, action }, level) => {
                let keyspace = Bare(keyspace.as_bytes());
                match action {
                    Action::Insert(key, value) => write!(f, "insert {level} {keyspace} {} {value}", Bare(key)),
                    Action::Remove(key) => write!(f, "remove {level} {keyspace} {}", Bare(key)),
                    Action::RemoveWeak(key) => write!(f, "weak {level} {keyspace} {}", Bare(key)),
                    Action::Merge(key, value) => write!(f, "merge {level} {keyspace} {} {value}", Bare(key)),
                    Action::Erase(span) => write!(f, "erase {level} {keyspace} {span}"),
                }
            }
            Self::Batch(writes, level) => {
                write!(f, "batch {level}")?;
                writes.iter().try_for_each(|write| write!(f, " {write}"))
            }
            Self::Ingest(writes) => {
                f.write_str("ingest")?;
                writes.iter().try_for_each(|write| write!(f, " {write}"))
            }
            Self::Get { keyspace, key, at } => {
                write!(f, "get {} {}{}", Bare(keyspace.as_bytes()), Bare(key), At(*at))
            }
            Self::MultiGet { keyspace, keys, at } => {
                write!(f, "multiget {}", Bare(keyspace.as_bytes()))?;
                keys.iter().try_for_each(|key| write!(f, " {}", Bare(key)))?;
                write!(f, "{}", At(*at))
            }
            Self::Moves { keyspace, moves, at } => {
                write!(f, "moves {}", Bare(keyspace.as_bytes()))?;
                moves.iter().try_for_each(|to| write!(f, " {to}"))?;
                write!(f, "{}", At(*at))
            }
            Self::Parts { keyspace, span, parts, at } => {
                let walk = if parts.is_forward { Walk::Forward } else { Walk::Backward };
                let Parts { rows, steps, .. } = parts;
                write!(f, "parts {} {span} {walk} {rows} {steps}{}", Bare(keyspace.as_bytes()), At(*at))
            }
            Self::Scan { keyspace, span, walk, at } => match span {
                Span::Prefix(prefix) => {
                    write!(f, "prefix {} {} {walk}{}", Bare(keyspace.as_bytes()), Bare(prefix), At(*at))
                }
                Span::Range(..) => write!(f, "range {} {span} {walk}{}", Bare(keyspace.as_bytes()), At(*at)),
            },
            Self::Cursor { id, keyspace, span, at } => {
                write!(f, "cursor {id} {} {span}{}", Bare(keyspace.as_bytes()), At(*at))
            }
            Self::Step { id, walk, count } => write!(f, "step {id} {walk} {count}"),
            Self::Snapshot(id) => write!(f, "snapshot {id}"),
            Self::Release(id) => write!(f, "release {id}"),
            Self::End(id) => write!(f, "end {id}"),
            Self::Persist(level) => write!(f, "persist {level}"),
            Self::Create(name) => write!(f, "create {}", Bare(name.as_bytes())),
            Self::Drop(name) => write!(f, "drop {}", Bare(name.as_bytes())),
            Self::Clear(name) => write!(f, "clear {}", Bare(name.as_bytes())),
            Self::Configure(name, seed) => write!(f, "configure {} {seed}", Bare(name.as_bytes())),
            Self::PowerLoss(image) => write!(f, "powerloss {image}"),
            Self::Flush => f.write_str("flush"),
            Self::Compact => f.write_str("compact"),
            Self::Reopen => f.write_str("reopen"),
            Self::Kill => f.write_str("kill"),
            Self::Verify => f.write_str("verify"),
            Self::Check => f.write_str("check"),
        }
    }
}

/// Prints operations as a script that can be pasted into a test.
pub fn print_script(ops: &[Op]) -> String {
    ops.iter().map(|op| format!("{op}\n")).collect()
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyspace = Bare(self.keyspace.as_bytes());
        match &self.action {
            Action::Insert(key, value) => write!(f, "{keyspace}+{}={value}", Bare(key)),
            Action::Remove(key) => write!(f, "{keyspace}-{}", Bare(key)),
            Action::RemoveWeak(key) => write!(f, "{keyspace}~{}", Bare(key)),
            Action::Merge(key, value) => write!(f, "{keyspace}*{}={value}", Bare(key)),
            Action::Erase(Span::Prefix(prefix)) => write!(f, "{keyspace}!^{}", Bare(prefix)),
            Action::Erase(Span::Range(low, high)) => write!(f, "{keyspace}!{},{}", End(low), End(high)),
        }
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Last => f.write_str("last"),
            Self::AtOrAfter(key) => write!(f, ">={}", Bare(key)),
            Self::AtOrBefore(key) => write!(f, "<={}", Bare(key)),
            Self::Next => f.write_str(">"),
            Self::Prev => f.write_str("<"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.tag, self.len)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Os => "os",
            Self::Sync => "sync",
        })
    }
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
            Self::Zigzag => "zigzag",
        })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(prefix) => write!(f, "^{}", Bare(prefix)),
            Self::Range(low, high) => write!(f, "{} {}", End(low), End(high)),
        }
    }
}

struct End<'a>(&'a Bound<Vec<u8>>);

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Bound::Included(key) => write!(f, "[{}", Bare(key)),
            Bound::Excluded(key) => write!(f, "({}", Bare(key)),
            Bound::Unbounded => f.write_str("*"),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            write!(f, "{}{value}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Bytes as one word without spaces.
struct Bare<'a>(&'a [u8]);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("%");
        }
        self.0.iter().try_for_each(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b':' | b'/' => write!(f, "{}", char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

struct At(Option<u32>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " @{id}"))
    }
}
