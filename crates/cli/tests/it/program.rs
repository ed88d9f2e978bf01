//! The program under test, and what a run of it came to.

use sedimentdb::Db;
use serde_json::Value;
use std::{
    ffi::OsStr,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(100);

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The run, if it ended well and had nothing to complain of.
    pub(crate) fn good(self) -> Self {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
        self
    }

    /// The run, if it ended with this code and its complaint holds all these words.
    pub(crate) fn bad(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing: {}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// What it printed, as JSON values a line.
    pub(crate) fn values(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// A command line, not yet run.
pub(crate) fn command(args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sediment"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command line with nothing on standard input.
pub(crate) fn sediment(args: &[impl AsRef<OsStr>]) -> Run {
    sediment_fed(args, b"")
}

/// Runs a command line with `input` on standard input.
pub(crate) fn sediment_fed(args: &[impl AsRef<OsStr>], input: &[u8]) -> Run {
    let mut child = command(args).stdin(Stdio::piped()).spawn().expect("the program is built");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A program that fails before it reads closes its end.
    let _ = stdin.write_all(input);
    drop(stdin);
    let (out, err) = (gather(child.stdout.take()), gather(child.stderr.take()));
    let status = wait(&mut child);
    let text = |gathered: JoinHandle<String>| gathered.join().expect("what is printed is UTF-8");
    Run { code: status.and_then(|status| status.code()).unwrap_or(-1), out: text(out), err: text(err) }
}

/// Waits for the end of a run; one that hangs is killed and has none.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it is ours");
    child.wait().expect("it was killed");
    None
}

fn gather(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut pipe = pipe.expect("it is piped");
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("what is printed is UTF-8");
        text
    })
}

/// A directory for one test, with the path of a database in it that is not there yet.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) db: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let db = dir.path().join("db").to_str().expect("its name is UTF-8").to_owned();
        Self { dir, db }
    }

    /// Makes a file beside the database; returns its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).expect("a file in a temporary directory");
        path.to_str().expect("its name is UTF-8").to_owned()
    }

    /// A database with `count` keys `key-0000` and so on in keyspace `default`, all in tables.
    pub(crate) fn filled(count: u32) -> Self {
        let place = Self::new();
        let db = Db::open(&place.db).expect("a fresh database");
        {
            let keyspace = db.keyspace("default").expect("a fresh keyspace");
            for n in 0..count {
                keyspace.insert(format!("key-{n:04}"), format!("value {n} ").repeat(8)).expect("room for a small row");
            }
        }
        db.flush().expect("a flush");
        db.close().expect("a clean close");
        place
    }

    /// Every file of the database, with its directory, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(Path::new(&self.db), &mut found);
        found.sort();
        found
    }

    /// The files in folders of this name.
    pub(crate) fn files_in(&self, folder: &str) -> Vec<PathBuf> {
        let is_in = |path: &PathBuf| path.parent().and_then(Path::file_name).is_some_and(|name| name == folder);
        self.files().into_iter().filter(is_in).collect()
    }
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a directory of the database") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

/// Changes one byte of a file.
pub(crate) fn flip(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).expect("a file of the database");
    bytes[offset] ^= 0x10;
    std::fs::write(path, bytes).expect("a file of the database");
}
