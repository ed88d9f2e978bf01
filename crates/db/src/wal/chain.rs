//! The chain: which files of the log continue each other.
//!
//! The newest file that has begun is its end; its first record names the file before it, and so on back to the first file that is still
//! needed.

use crate::wal::{
    files::{FoundFile, LiveFile, WalDir},
    format::CREATION_BYTES,
    survey::{Bound, End, survey},
};
use sediment_base::{Error, Result, SeqNo, WalId, filename};
use sediment_env::fs::missing_is_damage;
use std::collections::BTreeMap;

/// The files of the log that continue each other, and the others.
#[derive(Debug)]
pub(super) struct Chain {
    /// Oldest first.
    files: Vec<FoundFile>,
    /// For each: from this seqno on its records were given up by a later file.
    limits: Vec<SeqNo>,
    /// For each: from this seqno on a later file can stand in for it.
    resumed: Vec<SeqNo>,
    /// Of all files in the folder.
    lengths: BTreeMap<WalId, u64>,
}

impl Chain {
    /// Looks for it. Nothing is needed of the log up to the seqno `covered`.
    pub(super) fn find(dir: &WalDir, covered: SeqNo) -> Result<Self> {
        let folder = dir.dir.join(filename::WAL_DIR);
        let listing = dir.env.fs.read_dir(&folder);
        let listing = listing.map_err(|error| missing_is_damage(error, "the folder of the log"))?;
        let lengths: BTreeMap<WalId, u64> =
            listing.iter().filter_map(|entry| Some((WalId(filename::parse_number(&entry.name)?), entry.len))).collect();
        let mut files = follow(dir, &lengths, false)?;
        if files.is_empty() && covered > 0 {
            // What was written to the newest file went with the power.
            files = follow(dir, &lengths, true)?;
            if files.is_empty() {
                return Err(Error::corruption("every file of the log is missing").in_file(&folder));
            }
        }
        let (mut limits, mut resumed) = (vec![SeqNo::MAX; files.len()], vec![SeqNo::MAX; files.len()]);
        for i in (1..files.len()).rev() {
            limits[i - 1] = limits[i].min(files[i].start.resume_seqno);
            resumed[i - 1] = resumed[i].min(files[i].start.first_seqno);
        }
        Ok(Self { files, limits, resumed, lengths })
    }

    /// Oldest first.
    pub(super) fn files(&self) -> &[FoundFile] {
        &self.files
    }

    /// From which seqno on a later file can stand in for one.
    pub(super) fn resumed_at(&self, index: usize) -> SeqNo {
        self.resumed[index]
    }

    /// How far a file with these bytes counts.
    pub(super) fn bound(&self, index: usize, bytes: &[u8]) -> Result<Bound> {
        match self.files.get(index + 1) {
            Some(next) => {
                Ok(Bound { durable: next.start.previous_end, end: End::Next(self.resumed[index]), limit: self.limits[index] })
            }
            None => survey(&self.files[index], bytes),
        }
    }

    /// Whether this file or a later one is known to have been synced since its birth.
    pub(super) fn is_synced_from(&self, dir: &WalDir, index: usize) -> Result<bool> {
        if self.files[index + 1..].iter().any(|file| file.start.previous_end > CREATION_BYTES) {
            return Ok(true);
        }
        for file in &self.files[index..] {
            let surveyed = survey(file, &dir.read(file.id)?).map_err(|error| error.in_file(&dir.path(file.id)))?;
            if surveyed.durable > CREATION_BYTES {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first file must be no newer than the oldest that was needed, as the log remembers it, unless what was before it is covered.
    pub(super) fn check_oldest(&self, dir: &WalDir, trimmed: WalId, covered: SeqNo) -> Result<()> {
        let Some(first) = self.files.first() else { return Ok(()) };
        let needed = self.files.iter().map(|file| file.start.oldest).max().unwrap_or_default().max(trimmed);
        let is_first_of_all = first.start.previous == first.id;
        if first.id <= needed || is_first_of_all || first.start.first_seqno <= covered.saturating_add(1) {
            return Ok(());
        }
        Err(Error::corruption("a log file that is still needed is missing").in_file(&dir.path(first.start.previous)))
    }

    /// What those that count hold: the records up to where its replay ended. The last one may still get more.
    pub(super) fn live(&self, ends: &[SeqNo]) -> Vec<LiveFile> {
        let ends = ends.iter().copied().take(ends.len().saturating_sub(1)).chain([SeqNo::MAX]);
        let live = |(file, end_seqno): (&FoundFile, SeqNo)| LiveFile { id: file.id, end_seqno, bytes: self.lengths[&file.id] };
        self.files.iter().zip(ends).map(live).collect()
    }

    /// All others, if the first `count` count.
    pub(super) fn orphans(&self, count: usize) -> Vec<WalId> {
        self.lengths.keys().filter(|id| self.files.iter().take(count).all(|file| file.id != **id)).copied().collect()
    }

    /// An id above all that are there.
    pub(super) fn next_id(&self) -> WalId {
        self.lengths.keys().max().map_or(WalId::default(), |id| id.next())
    }
}

/// The files that continue each other, oldest first. The last one has begun, unless it `may_be_empty`.
fn follow(dir: &WalDir, lengths: &BTreeMap<WalId, u64>, may_be_empty: bool) -> Result<Vec<FoundFile>> {
    let mut chain: Vec<FoundFile> = Vec::new();
    for id in lengths.keys().rev() {
        let wanted = chain.last().map(|file| &file.start);
        match wanted {
            Some(start) if start.previous > *id => break,
            Some(start) if start.previous < *id => continue,
            _ => {}
        }
        let bytes = if wanted.is_some() { dir.read_birth(*id)? } else { dir.read(*id)? };
        let Some(found) = dir.inspect(*id, &bytes)? else {
            if wanted.is_some() {
                return Err(Error::corruption("the birth of a log file that a later one continues").in_file(&dir.path(*id)));
            }
            continue;
        };
        if wanted.is_some_and(|start| start.previous_uuid != found.uuid) {
            return Err(Error::corruption("a log file is not the one that its successor continues").in_file(&dir.path(*id)));
        }
        if !chain.is_empty() || found.has_begun || may_be_empty {
            chain.push(found);
        }
    }
    chain.reverse();
    Ok(chain)
}
