//! `sediment get`: the value of a key.

use crate::{
    args::{FormArgs, Target},
    failure::{Exit, Result},
    output::{Output, note},
    text::{Form, escape},
};
use clap::Args;
use serde_json::{Map, Value};
use std::ffi::OsString;

/// Arguments of `get`.
#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    target: Target,
    /// The key
    key: OsString,
    #[command(flatten)]
    form: FormArgs,
}

impl Get {
    /// Prints the value, with a line end unless `--raw`; exit code 1 where there is none.
    pub(crate) fn run(self, output: &mut Output) -> Result<Exit> {
        let key = self.form.read("key", &self.key)?;
        let (_db, keyspace) = self.target.open_to_read()?;
        let value = keyspace.get(&key)?;
        let form = self.form.form();
        if output.is_json() {
            let mut object = Map::new();
            form.put(&mut object, "key", &key);
            match &value {
                Some(value) => form.put(&mut object, "value", value),
                None => drop(object.insert("value".into(), Value::Null)),
            }
            output.value(&object.into())?;
        } else if let Some(value) = &value {
            output.bytes(&form.print(value))?;
            if form != Form::Raw {
                output.bytes(b"\n")?;
            }
        } else {
            note(format!("sediment: there is no key `{}` in keyspace `{}`", escape(&key), keyspace.name()));
        }
        Ok(if value.is_some() { Exit::Done } else { Exit::NotFound })
    }
}
