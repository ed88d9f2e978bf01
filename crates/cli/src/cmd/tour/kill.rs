//! Step 5: a process that writes is killed, again and again; what it acknowledged must be there.

use super::{Guide, ledger::Ledger, open, unicode::expect};
use crate::{
    failure::{Failure, Result},
    output::{counted, grouped},
};
use std::{
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

/// A round kills after at least and at most so many acknowledgements.
const ACKNOWLEDGED_MIN: u64 = 500;
const ACKNOWLEDGED_MAX: u64 = 4000;
/// Every third round kills after at most so many microseconds instead, to meet the process while it opens.
const OPENING_US_MAX: u64 = 30_000;

/// Kills `count` times and compares after each.
pub(super) fn rounds(dir: &Path, count: u32, guide: &mut Guide<'_>) -> Result<()> {
    guide.step("5. Kill it in the middle")?;
    guide.say("   Another process commits batches over two keyspaces, inserts and removes, and")?;
    guide.say("   reports each one that has returned. It is killed (SIGKILL), and we look.")?;
    let mut acknowledged = 0;
    for round in 1..=count {
        let before = acknowledged;
        let opening = round % 3 == 0;
        acknowledged = acknowledged.max(kill_one(dir, opening)?);
        let compared = look(dir, &mut acknowledged)?;
        let what = if opening { "soon after its start, " } else { "" };
        let commits = counted(acknowledged - before, "commit");
        guide.say(format!("   kill {round}: {what}{commits} acknowledged; {} keys compared, all right", grouped(compared)))?;
    }
    guide.found("kills", count);
    guide.found("commits", acknowledged);
    guide.say(format!("   {} acknowledged, none lost; no removed key is back\n", counted(acknowledged, "commit")))
}

/// Compares the database with what was acknowledged, which becomes what is there: one commit more may have been done and not
/// yet reported.
fn look(dir: &Path, acknowledged: &mut u64) -> Result<u64> {
    let db = open(dir)?;
    let ledger = Ledger::open(&db)?;
    let commits = ledger.commits()?;
    let promise = format!("{acknowledged} commits were acknowledged, and one may have been under way; {commits} are there");
    expect(commits == *acknowledged || commits == *acknowledged + 1, &promise)?;
    let compared = ledger.check(commits)?;
    *acknowledged = commits;
    db.close()?;
    Ok(compared)
}

/// Starts the writer, kills it, and returns the last commit that it acknowledged; 0 for none.
fn kill_one(dir: &Path, opening: bool) -> Result<u64> {
    let mut child = start(dir)?;
    let pipe = child.stdout.take().ok_or_else(|| failure("the writing process has no output", None))?;
    let mut acknowledgements = BufReader::new(pipe).lines();
    let mut last = 0;
    if opening {
        thread::sleep(Duration::from_micros(random(OPENING_US_MAX)));
    } else {
        let target = ACKNOWLEDGED_MIN + random(ACKNOWLEDGED_MAX - ACKNOWLEDGED_MIN);
        for line in acknowledgements.by_ref().take(target as usize) {
            last = last.max(number(line)?);
        }
    }
    child.kill().map_err(|error| failure("cannot kill the writing process", Some(&error)))?;
    // What it reported before it died is in the pipe still; the last line may be cut.
    for line in acknowledgements {
        last = last.max(number(line)?);
    }
    let status = child.wait().map_err(|error| failure("cannot wait for the writing process", Some(&error)))?;
    if was_killed(status) { Ok(last) } else { Err(failure("the writing process ended by itself; see above", None)) }
}

fn start(dir: &Path) -> Result<Child> {
    let program = std::env::current_exe().map_err(|error| failure("cannot find this program", Some(&error)))?;
    let mut command = Command::new(program);
    command.args(["tour", "--write", "--dir"]).arg(dir).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().map_err(|error| failure("cannot start a writing process", Some(&error)))
}

/// The number on a line; 0 for one that says nothing.
fn number(line: std::io::Result<String>) -> Result<u64> {
    let line = line.map_err(|error| failure("cannot read what the writing process says", Some(&error)))?;
    Ok(line.parse().unwrap_or(0))
}

/// Whether it died of our hand: on Unix such a process has no exit code, on Windows it has 1, which the writer never returns.
fn was_killed(status: ExitStatus) -> bool {
    status.code().is_none_or(|code| code == 1)
}

fn failure(message: &str, error: Option<&std::io::Error>) -> Failure {
    Failure::Io { message: error.map_or_else(|| message.to_owned(), |error| format!("{message}: {error}")) }
}

/// A number below `bound`, another one each time.
fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0) % bound
}
