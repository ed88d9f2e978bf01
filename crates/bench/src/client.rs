//! What one thread does to the database: each call makes its key, asks, and notes the answer for verification.

use crate::{
    failure::{Failure, Result},
    generator::{Draws, KeyMaker, Permutation, Random, Tally},
    subject::Subject,
};
use sedimentdb::Slice;

/// A thread's key maker, its draws and its account of what it read.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    subject: &'a Subject,
    keys: KeyMaker,
    draws: Draws,
    tally: Tally,
    /// Whether a glance at what is read must do.
    glances: bool,
}

impl<'a> Client<'a> {
    /// The client of a thread, given its number.
    pub(crate) fn new(subject: &'a Subject, thread: u64) -> Self {
        let settings = subject.settings();
        let random = Random::of_thread(settings.seed, thread);
        Self {
            subject,
            keys: KeyMaker::new(&settings.key_prefix, settings.key_size),
            draws: Draws::new(subject.keys(), subject.zipf(), random),
            tally: Tally::default(),
            glances: settings.bulk,
        }
    }

    /// Inserts the key of an index.
    #[inline]
    pub(crate) fn insert(&mut self, index: u64) -> Result<()> {
        Ok(self.subject.keyspace().insert(self.keys.present(index), self.subject.values().of(index))?)
    }

    /// Inserts the keys of these indexes as one.
    pub(crate) fn insert_batch(&mut self, indexes: impl Iterator<Item = u64>) -> Result<()> {
        let mut batch = self.subject.db().batch();
        for index in indexes {
            batch.insert(self.subject.keyspace(), self.keys.present(index), self.subject.values().of(index));
        }
        Ok(batch.commit()?)
    }

    /// Inserts a key drawn at random.
    #[inline]
    pub(crate) fn insert_any(&mut self) -> Result<()> {
        let index = self.draws.draw();
        self.insert(index)
    }

    /// An index drawn at random.
    #[inline]
    pub(crate) fn draw(&mut self) -> u64 {
        self.draws.draw()
    }

    /// Reads a key drawn at random; it must be there.
    #[inline]
    pub(crate) fn get_any(&mut self) -> Result<()> {
        let index = self.draws.draw();
        self.get(index)
    }

    /// Reads the key of an index; it must be there.
    #[inline]
    pub(crate) fn get(&mut self, index: u64) -> Result<()> {
        match self.subject.keyspace().get(self.keys.present(index))? {
            Some(value) => {
                self.saw_value(index, &value);
                Ok(())
            }
            None => Err(Failure::Wrong(format!("key {index} is absent"))),
        }
    }

    /// Reads so many keys drawn at random, together; they must be there.
    pub(crate) fn get_many(&mut self, count: u64) -> Result<()> {
        let indexes: Vec<u64> = (0..count).map(|_| self.draws.draw()).collect();
        let keys: Vec<_> = indexes.iter().map(|index| Slice::new(self.keys.present(*index))).collect();
        for (index, value) in indexes.iter().zip(self.subject.keyspace().multi_get(&keys)?) {
            match value {
                Some(value) => self.saw_value(*index, &value),
                None => return Err(Failure::Wrong(format!("key {index} is absent"))),
            }
        }
        Ok(())
    }

    /// Asks for a key that must not be there, next to one drawn at random.
    #[inline]
    pub(crate) fn miss_any(&mut self) -> Result<()> {
        let index = self.draws.draw();
        match self.subject.keyspace().get(self.keys.absent(index))? {
            None => Ok(()),
            Some(_) => Err(Failure::Wrong(format!("a key behind {index} is there that nobody wrote"))),
        }
    }

    /// Seeks a key drawn at random and reads so many rows from there, or as many as there are.
    pub(crate) fn scan_any(&mut self, rows: u64) -> Result<()> {
        let first = self.draws.draw();
        let end = (first + rows).min(self.subject.keys());
        let mut iter = self.subject.keyspace().range(self.keys.present(first)..);
        for index in first..end {
            match iter.next() {
                Some(row) => self.saw(index, row?)?,
                None => return Err(Failure::Wrong(format!("a scan ended before key {index}"))),
            }
        }
        Ok(())
    }

    /// Notes a row of a scan, which must have the key of this index.
    #[inline]
    pub(crate) fn saw(&mut self, index: u64, (key, value): (Slice, Slice)) -> Result<()> {
        if self.keys.index_of(&key) != Some(index) {
            return Err(Failure::Wrong(format!("a scan came to key {:?} instead of {index}", self.keys.index_of(&key))));
        }
        self.saw_value(index, &value);
        Ok(())
    }

    #[inline]
    fn saw_value(&mut self, index: u64, value: &[u8]) {
        if self.glances {
            self.tally.glanced(self.subject.values(), index, value);
        } else {
            self.tally.saw(self.subject.values(), index, value);
        }
    }

    /// Whether all that was read was right.
    pub(crate) fn check(&self) -> Result<()> {
        self.tally.check().map(|_| ())
    }
}

/// The random order in which keys are inserted.
pub(crate) fn order(subject: &Subject) -> Permutation {
    Permutation::new(subject.keys(), subject.settings().seed)
}

/// Inserts every key once, in random order, and waits until the database is drained and was read once.
pub(crate) fn fill(subject: &Subject) -> Result<()> {
    let (mut client, order) = (Client::new(subject, 0), order(subject));
    (0..subject.keys()).try_for_each(|position| client.insert(order.at(position)))?;
    subject.drain()?;
    check_all(subject)
}

/// Reads everything and compares it with what must be there: every key with its value.
pub(crate) fn check_all(subject: &Subject) -> Result<()> {
    check_count(subject, subject.keys(), subject.keys())
}

/// The same of so many rows, with indexes below `end`.
pub(crate) fn check_count(subject: &Subject, end: u64, count: u64) -> Result<()> {
    let rows = check_any(subject, end)?;
    if rows == count {
        return Ok(());
    }
    Err(Failure::Wrong(format!("{rows} rows are there instead of {count}")))
}

/// Reads everything and compares it with what may be there: keys in order, with indexes below `end`, each with its value. Returns
/// how many.
pub(crate) fn check_any(subject: &Subject, end: u64) -> Result<u64> {
    let mut client = Client { glances: false, ..Client::new(subject, 0) };
    let mut least = 0;
    for row in subject.keyspace().iter() {
        let row = row?;
        let index = client.keys.index_of(&row.0).unwrap_or(u64::MAX);
        if !(least..end).contains(&index) {
            return Err(Failure::Wrong(format!("a scan came to {:?}, which has no place there", row.0)));
        }
        client.saw(index, row)?;
        least = index + 1;
    }
    client.tally.check()
}
