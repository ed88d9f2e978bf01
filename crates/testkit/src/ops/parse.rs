//! Reads the operation language back.

use super::{Op, Walk};
use crate::store::{Action, Level, Move, Parts, Span, Value, Write};
use std::{fmt, ops::Bound, str::SplitWhitespace};

/// A line that is not an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    line: String,
    reason: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read operation `{}`: {}", self.line, self.reason)
    }
}

impl std::error::Error for ParseError {}

type Parsed<T> = Result<T, &'static str>;

/// Reads one line.
pub fn parse(line: &str) -> Result<Op, ParseError> {
    let mut words = Words(line.split_whitespace());
    let op = words.op().and_then(|op| match words.0.next() {
        None => Ok(op),
        Some(_) => Err("too many words"),
    });
    op.map_err(|reason| ParseError { line: line.to_owned(), reason })
}

/// Reads a script; empty lines and lines that begin with `#` say nothing.
pub fn parse_script(text: &str) -> Result<Vec<Op>, ParseError> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse).collect()
}

struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn op(&mut self) -> Parsed<Op> {
        Ok(match self.word()? {
            "insert" => {
                let (level, keyspace, key) = (self.level()?, self.name()?, self.key()?);
                Op::Single(Write::insert(keyspace, key, value(self.word()?)?), level)
            }
            "remove" => {
                let (level, keyspace, key) = (self.level()?, self.name()?, self.key()?);
                Op::Single(Write::remove(keyspace, key), level)
            }
            "weak" => {
                let (level, keyspace) = (self.level()?, self.name()?);
                Op::Single(Write { keyspace, action: Action::RemoveWeak(self.key()?) }, level)
            }
            "merge" => {
                let (level, keyspace, key) = (self.level()?, self.name()?, self.key()?);
                Op::Single(Write { keyspace, action: Action::Merge(key, value(self.word()?)?) }, level)
            }
            "erase" => {
                let (level, keyspace) = (self.level()?, self.name()?);
                Op::Single(Write { keyspace, action: Action::Erase(self.span()?) }, level)
            }
            "batch" => {
                let level = self.level()?;
                Op::Batch(self.0.by_ref().map(write).collect::<Parsed<_>>()?, level)
            }
            "ingest" => Op::Ingest(self.0.by_ref().map(write).collect::<Parsed<_>>()?),
            "get" => Op::Get { keyspace: self.name()?, key: self.key()?, at: self.at()? },
            "multiget" => {
                let keyspace = self.name()?;
                let (keys, at) = self.until_at(bytes)?;
                Op::MultiGet { keyspace, keys, at }
            }
            "moves" => {
                let keyspace = self.name()?;
                let (moves, at) = self.until_at(one_move)?;
                Op::Moves { keyspace, moves, at }
            }
            "parts" => {
                let (keyspace, span, is_forward) = (self.name()?, self.span()?, self.walk()? == Walk::Forward);
                let parts = Parts { is_forward, rows: self.number()?, steps: self.number()? };
                Op::Parts { keyspace, span, parts, at: self.at()? }
            }
            "range" => Op::Scan { keyspace: self.name()?, span: self.span()?, walk: self.walk()?, at: self.at()? },
            "prefix" => {
                let (keyspace, span) = (self.name()?, Span::Prefix(self.key()?));
                Op::Scan { keyspace, span, walk: self.walk()?, at: self.at()? }
            }
            "snapshot" => Op::Snapshot(self.number()?),
            "release" => Op::Release(self.number()?),
            "cursor" => Op::Cursor { id: self.number()?, keyspace: self.name()?, span: self.span()?, at: self.at()? },
            "step" => Op::Step { id: self.number()?, walk: self.walk()?, count: self.number()? },
            "end" => Op::End(self.number()?),
            "flush" => Op::Flush,
            "compact" => Op::Compact,
            "persist" => Op::Persist(self.level()?),
            "create" => Op::Create(self.name()?),
            "drop" => Op::Drop(self.name()?),
            "clear" => Op::Clear(self.name()?),
            "configure" => Op::Configure(self.name()?, self.number()?),
            "reopen" => Op::Reopen,
            "kill" => Op::Kill,
            "powerloss" => Op::PowerLoss(self.number()?),
            "verify" => Op::Verify,
            "check" => Op::Check,
            _ => return Err("no such operation"),
        })
    }

    fn word(&mut self) -> Parsed<&'a str> {
        self.0.next().ok_or("too few words")
    }

    fn number(&mut self) -> Parsed<u32> {
        self.word()?.parse().map_err(|_| "expected a number")
    }

    fn level(&mut self) -> Parsed<Level> {
        match self.word()? {
            "memory" => Ok(Level::Memory),
            "os" => Ok(Level::Os),
            "sync" => Ok(Level::Sync),
            _ => Err("expected memory, os or sync"),
        }
    }

    fn walk(&mut self) -> Parsed<Walk> {
        match self.word()? {
            "forward" => Ok(Walk::Forward),
            "backward" => Ok(Walk::Backward),
            "zigzag" => Ok(Walk::Zigzag),
            _ => Err("expected forward, backward or zigzag"),
        }
    }

    fn name(&mut self) -> Parsed<String> {
        name(self.word()?)
    }

    fn key(&mut self) -> Parsed<Vec<u8>> {
        bytes(self.word()?)
    }

    fn at(&mut self) -> Parsed<Option<u32>> {
        self.0.next().map(snapshot).transpose()
    }

    /// All that is left: things of one kind, and perhaps a snapshot behind them.
    fn until_at<T>(&mut self, read: impl Fn(&str) -> Parsed<T>) -> Parsed<(Vec<T>, Option<u32>)> {
        let mut things = Vec::new();
        for word in self.0.by_ref() {
            if word.starts_with('@') {
                return Ok((things, Some(snapshot(word)?)));
            }
            things.push(read(word)?);
        }
        Ok((things, None))
    }

    fn span(&mut self) -> Parsed<Span> {
        let word = self.word()?;
        if let Some(prefix) = word.strip_prefix('^') {
            return Ok(Span::Prefix(bytes(prefix)?));
        }
        Ok(Span::Range(bound(word)?, bound(self.word()?)?))
    }
}

fn snapshot(word: &str) -> Parsed<u32> {
    let id = word.strip_prefix('@').ok_or("expected @ and a snapshot")?;
    id.parse().map_err(|_| "expected a number after @")
}

fn one_move(word: &str) -> Parsed<Move> {
    Ok(match word {
        "first" => Move::First,
        "last" => Move::Last,
        ">" => Move::Next,
        "<" => Move::Prev,
        _ => match (word.strip_prefix(">="), word.strip_prefix("<=")) {
            (Some(key), _) => Move::AtOrAfter(bytes(key)?),
            (_, Some(key)) => Move::AtOrBefore(bytes(key)?),
            _ => return Err("a move is first, last, >, <, >=key or <=key"),
        },
    })
}

fn bound(word: &str) -> Parsed<Bound<Vec<u8>>> {
    if word == "*" {
        return Ok(Bound::Unbounded);
    }
    if let Some(key) = word.strip_prefix('[') {
        return bytes(key).map(Bound::Included);
    }
    bytes(word.strip_prefix('(').ok_or("a bound begins with [ or ( or is *")?).map(Bound::Excluded)
}

fn write(word: &str) -> Parsed<Write> {
    let split = word.find(['+', '-', '~', '*', '!']).ok_or("a write in a batch is keyspace+key=value or keyspace-key")?;
    let (keyspace, rest) = (name(&word[..split])?, &word[split + 1..]);
    let pair = || {
        let (key, text) = rest.split_once('=').ok_or("an insert or merge in a batch needs =")?;
        Ok::<_, &str>((bytes(key)?, value(text)?))
    };
    let action = match (word.as_bytes()[split], rest.strip_prefix('^')) {
        (b'-', _) => Action::Remove(bytes(rest)?),
        (b'~', _) => Action::RemoveWeak(bytes(rest)?),
        (b'!', Some(prefix)) => Action::Erase(Span::Prefix(bytes(prefix)?)),
        (b'!', None) => {
            let (low, high) = rest.split_once(',').ok_or("a range in a batch needs ,")?;
            Action::Erase(Span::Range(bound(low)?, bound(high)?))
        }
        (b'*', _) => pair().map(|(key, value)| Action::Merge(key, value))?,
        _ => pair().map(|(key, value)| Action::Insert(key, value))?,
    };
    Ok(Write { keyspace, action })
}

fn value(word: &str) -> Parsed<Value> {
    let (tag, len) = word.split_once('x').ok_or("a value is <tag>x<length>")?;
    let tag = tag.parse().map_err(|_| "a value's tag is a number")?;
    Ok(Value { tag, len: len.parse().map_err(|_| "a value's length is a number")? })
}

fn name(word: &str) -> Parsed<String> {
    String::from_utf8(bytes(word)?).map_err(|_| "a keyspace's name is UTF-8")
}

fn bytes(word: &str) -> Parsed<Vec<u8>> {
    if word == "%" {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some(byte) = rest.bytes().next() {
        let take = if byte == b'%' { 3 } else { 1 };
        let piece = rest.get(..take).ok_or("% is followed by two hexadecimal digits")?;
        bytes.push(match piece.strip_prefix('%') {
            Some(digits) => u8::from_str_radix(digits, 16).map_err(|_| "% is followed by two hexadecimal digits")?,
            None => byte,
        });
        rest = &rest[take..];
    }
    Ok(bytes)
}
