//! `ScanPart`: a scan that stops when it has done enough, and leaves a token to go on with.

use crate::{
    api::iter::{owned, told_at_end},
    instruments::{Delivery, Outbox},
    token::{Token, TokenHome},
};
use sediment_base::{Error, Result, SeqNo, Slice};
use std::{fmt, sync::Arc};

/// A part of a scan: keys and values in order, until the range is at its end or the part has done what it may. Made by
/// [`Keyspace::scan_part`](crate::Keyspace::scan_part) and its like.
///
/// Lives as long as it likes, on any thread, and outlives the database, as an [`Iter`](crate::Iter) does. After an error it is at
/// its end, but its token goes on in front of what could not be read.
pub struct ScanPart {
    rows: Rows,
    home: TokenHome,
    at: Option<SeqNo>,
}

enum Rows {
    /// Behind it, who is told of the files that only it still held: where no thread does maintenance, they go with it.
    Part(Box<sediment_tree::ScanPart>, Delivery<Arc<Outbox>>),
    /// A range in a keyspace that was not there then.
    Nothing,
}

impl ScanPart {
    pub(super) fn over(part: sediment_tree::ScanPart, events: &Arc<Outbox>, home: TokenHome, at: Option<SeqNo>) -> Self {
        Self { rows: Rows::Part(Box::new(part), Delivery::at_end(events)), home, at }
    }

    pub(super) fn nothing(home: TokenHome, at: Option<SeqNo>) -> Self {
        Self { rows: Rows::Nothing, home, at }
    }

    /// The next key and value, lent until the part is asked again.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::{Direction, ScanLimits};
    /// users.insert("u17", "Ada")?;
    /// let mut part = users.scan_part::<&str, _>(.., Direction::Forward, ScanLimits::default())?;
    /// assert_eq!(part.next_ref()?, Some((&b"u17"[..], &b"Ada"[..])));
    /// assert_eq!(part.next_ref()?, None);
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of reading. The part is then at its end.
    pub fn next_ref(&mut self) -> Result<Option<(&[u8], &[u8])>> {
        let Rows::Part(part, events) = &mut self.rows else { return Ok(None) };
        told_at_end(part.next_ref(), events)
    }

    /// What to go on with behind the rows that were given, now or after it was asked for all of them; `None` once the range is at its end.
    /// Opaque bytes, good for as long as the keyspace is there, in other processes as well.
    ///
    /// ```
    /// # let dir = tempfile::tempdir().unwrap();
    /// # let db = sedimentdb::Db::open(dir.path())?;
    /// # let users = db.keyspace("users")?;
    /// use sedimentdb::{Direction, ScanLimits};
    /// for key in ["a", "b", "c"] {
    ///     users.insert(key, "")?;
    /// }
    /// let two = ScanLimits { rows: 2, ..ScanLimits::default() };
    /// let mut part = users.scan_part::<&str, _>(.., Direction::Forward, two)?;
    /// assert_eq!(part.by_ref().count(), 2);
    /// let token = part.token().expect("there is more");
    ///
    /// let mut rest = users.next_part(token, two)?;
    /// assert_eq!(rest.next().expect("a row")?.0, "c");
    /// assert!(rest.next().is_none() && rest.token().is_none());
    /// # Ok::<(), sedimentdb::Error>(())
    /// ```
    pub fn token(&self) -> Option<Vec<u8>> {
        let Rows::Part(part, _) = &self.rows else { return None };
        let rest = part.rest()?.clone();
        Some(Token { direction: part.direction(), at: self.at, rest }.encode(self.home))
    }
}

/// What is left of a scan at this moment. `InvalidInput` if the token is not of such a scan.
pub(super) fn token_at(bytes: &[u8], home: TokenHome, at: Option<SeqNo>) -> Result<Token> {
    let token = Token::decode(bytes, home)?;
    match (token.at, at) {
        (found, expected) if found == expected => Ok(token),
        (Some(_), None) => Err(Error::invalid_input("the scan is of a snapshot, which has to go on with it")),
        (None, _) => Err(Error::invalid_input("the scan is of the present, a snapshot cannot go on with it")),
        (found, expected) => {
            let (found, expected) = (found.unwrap_or(0), expected.unwrap_or(0));
            Err(Error::invalid_input("the scan is of a snapshot of another moment").expected_found(expected, found))
        }
    }
}

impl Iterator for ScanPart {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_ref().map(|row| row.map(owned)).transpose()
    }
}

impl fmt::Debug for ScanPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanPart").finish_non_exhaustive()
    }
}
