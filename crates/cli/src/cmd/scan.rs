//! `sediment scan`: keys and values in order.

use crate::{
    args::{FormArgs, Target},
    failure::{Exit, Result},
    output::Output,
    text::Form,
};
use clap::Args;
use sedimentdb::{Iter, Keyspace, Slice};
use serde_json::{Map, json};
use std::{ffi::OsString, ops::Bound};

/// Arguments of `scan`.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    target: Target,
    /// First key
    #[arg(long, value_name = "KEY")]
    from: Option<OsString>,
    /// Key at which to stop; itself not printed
    #[arg(long, value_name = "KEY")]
    to: Option<OsString>,
    /// Only keys that begin with this
    #[arg(long, value_name = "KEY", conflicts_with_all = ["from", "to"])]
    prefix: Option<OsString>,
    /// At most so many
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// From the last to the first
    #[arg(long)]
    reverse: bool,
    /// Print no values
    #[arg(long)]
    keys_only: bool,
    /// Print only how many there are
    #[arg(long, conflicts_with = "keys_only")]
    count: bool,
    #[command(flatten)]
    form: FormArgs,
}

impl Scan {
    /// Prints a line for each key: `KEY<tab>VALUE`, or a JSON object.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let bound = |what, typed: &Option<OsString>| typed.as_ref().map(|typed| self.form.read(what, typed)).transpose();
        let from = bound("key after --from", &self.from)?;
        let to = bound("key after --to", &self.to)?;
        let prefix = bound("key after --prefix", &self.prefix)?;
        let (_db, keyspace) = self.target.open_to_read()?;
        let mut rows = match prefix {
            Some(prefix) => keyspace.prefix(prefix),
            None => range(&keyspace, from, to),
        };
        let mut count = 0;
        while count < self.limit.unwrap_or(usize::MAX) {
            let Some(row) = (if self.reverse { rows.next_back() } else { rows.next() }) else { break };
            let (key, value) = row?;
            if !self.count {
                self.print(output, &key, &value)?;
            }
            count += 1;
        }
        if self.count {
            let value = if output.is_json() { json!({ "count": count }) } else { count.into() };
            output.value(&value)?;
        }
        Ok(Exit::Done)
    }

    fn print(&self, output: &mut Output, key: &Slice, value: &Slice) -> Result<()> {
        let form = self.form.form();
        if output.is_json() {
            let mut object = Map::new();
            form.put(&mut object, "key", key);
            if !self.keys_only {
                form.put(&mut object, "value", value);
            }
            return output.value(&object.into());
        }
        put_bytes(output, form, key)?;
        if !self.keys_only {
            output.bytes(b"\t")?;
            put_bytes(output, form, value)?;
        }
        output.bytes(b"\n")
    }
}

fn put_bytes(output: &mut Output, form: Form, bytes: &[u8]) -> Result<()> {
    if form == Form::Raw { output.bytes(bytes) } else { output.bytes(&form.print(bytes)) }
}

fn range(keyspace: &Keyspace, from: Option<Vec<u8>>, to: Option<Vec<u8>>) -> Iter {
    let from = from.map_or(Bound::Unbounded, Bound::Included);
    let to = to.map_or(Bound::Unbounded, Bound::Excluded);
    keyspace.range::<Vec<u8>, _>((from, to))
}
