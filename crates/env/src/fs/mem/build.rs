//! Building one crash image: the durable disk and the chosen part of what was pending.

use super::{
    content::Content,
    disk::{Disk, Edit, Inode},
    image::{Rule, Variant},
    replay::{Change, Replay},
};
use crate::random::mix;
use std::collections::{BTreeMap, BTreeSet};

/// The disk that this outcome leaves. A variant that does not fit the state (an op that is durable, a cut past the end) leaves
/// everything.
pub(super) fn build(replay: &Replay, rule: Rule, variant: Variant) -> Disk {
    let kept = choose(replay, rule, variant);
    let mut disk = replay.durable.clone();
    let mut files: BTreeMap<Inode, Vec<(usize, &Edit)>> = BTreeMap::new();
    for (index, pending) in replay.pending.iter().enumerate() {
        match &pending.change {
            Change::Edit { inode, edit } => files.entry(*inode).or_default().push((index, edit)),
            Change::Names { .. } if kept[index] => pending.change.namings().for_each(|naming| disk.set_name(naming)),
            Change::Names { .. } => {}
        }
    }
    for (inode, edits) in files {
        let file = File { replay, rule, inode, edits: &edits };
        if let Some(content) = file.content(variant, &kept) {
            disk.edit(inode, &Edit::Become(content));
        }
    }
    disk
}

/// Which pending changes survive, whole.
fn choose(replay: &Replay, rule: Rule, variant: Variant) -> Vec<bool> {
    let mut names_go_on = true;
    let mut ended_files = BTreeSet::new();
    let mut kept: Vec<bool> = Vec::with_capacity(replay.pending.len());
    for (index, pending) in replay.pending.iter().enumerate() {
        let is_chosen = match variant {
            Variant::Killed | Variant::AllKept | Variant::Torn(_) | Variant::LengthsLost => true,
            Variant::SyncedOnly => false,
            Variant::LengthsKept => !matches!(pending.change, Change::Edit { edit: Edit::Write { .. } | Edit::SetLen(_), .. }),
            Variant::Dropped(op) => pending.op != op,
            Variant::Alone(op) => pending.op == op,
            Variant::Subset { seed, .. } => draw(seed, [index as u64, NAMES]).is_multiple_of(2),
        };
        let partner = index.checked_sub(1).filter(|before| replay.pending[*before].op == pending.op);
        let keeps = match (&pending.change, rule) {
            (Change::Edit { edit: Edit::Become(_), .. }, Rule::Ext4Ordered) => true,
            (Change::Edit { inode, .. }, Rule::Ext4Ordered) => {
                if !is_chosen {
                    ended_files.insert(*inode);
                }
                !ended_files.contains(inode)
            }
            (Change::Edit { .. }, _) => is_chosen,
            (Change::Names { .. }, Rule::RenameBeforeData) => true,
            (Change::Names { is_second_half: true, .. }, Rule::Ext4Ordered) => partner.is_none_or(|before| kept[before]),
            (Change::Names { .. }, Rule::Ext4Ordered) => {
                names_go_on = pending.op < replay.synced_before || (names_go_on && is_chosen);
                names_go_on
            }
            (Change::Names { is_second_half: true, .. }, Rule::PosixStrict) => {
                is_chosen && partner.is_none_or(|before| kept[before])
            }
            (Change::Names { .. }, Rule::PosixStrict) => is_chosen,
        };
        kept.push(keeps);
    }
    kept
}

/// One file with pending edits, which carry their place in the list of pending changes.
struct File<'a> {
    replay: &'a Replay,
    rule: Rule,
    inode: Inode,
    edits: &'a [(usize, &'a Edit)],
}

impl File<'_> {
    /// What the outcome leaves of it; nothing where that is the durable content.
    fn content(&self, variant: Variant, kept: &[bool]) -> Option<Content> {
        let durable = self.replay.durable.content(self.inode)?;
        let visible = self.replay.visible.content(self.inode)?;
        match variant {
            Variant::Subset { seed, .. } if self.rule == Rule::Ext4Ordered => {
                let count = draw(seed, [self.inode.0, PREFIX]) as usize % (self.edits.len() + 1);
                Some(self.apply(durable, |index| kept[index] && is_become(self.edits, index), Some(count)))
            }
            Variant::Subset { block, seed } => Some(self.blocks(durable, block.into(), seed)),
            Variant::LengthsKept => {
                let mut content = self.apply(durable, |index| kept[index], None);
                content.set_len(visible.len());
                Some(content)
            }
            Variant::LengthsLost => {
                let mut content = self.apply(durable, |_| true, None);
                content.set_len(content.len().min(durable.len()));
                Some(content)
            }
            Variant::Torn(cut) => Some(self.torn(durable, visible, cut)),
            _ if self.edits.iter().all(|(index, _)| !kept[*index]) => None,
            _ => Some(self.apply(durable, |index| kept[index], None)),
        }
    }

    /// The durable content with the first edits, and of the others those that are kept.
    fn apply(&self, durable: &Content, is_kept: impl Fn(usize) -> bool, first: Option<usize>) -> Content {
        let is_applied = |place: usize, index: usize| first.is_some_and(|first| place < first) || is_kept(index);
        let is_whole = self.edits.iter().enumerate().all(|(place, (index, _))| is_applied(place, *index));
        if is_whole && !self.replay.lost.contains(&self.inode) {
            return self.replay.visible.content(self.inode).unwrap_or(durable).clone();
        }
        // What `sync_data` saved shows as far as the length reaches, whichever change made it reach so far.
        let (mut content, mut len) = match self.edits.first() {
            Some((_, Edit::Become(saved))) => (saved.clone(), durable.len()),
            _ => (durable.clone(), durable.len()),
        };
        for (place, (index, edit)) in self.edits.iter().enumerate() {
            if is_applied(place, *index) {
                content.edit(edit);
                len = edit.len_after(len);
            }
        }
        content.set_len(len);
        content
    }

    fn torn(&self, durable: &Content, visible: &Content, cut: usize) -> Content {
        let is_last = |index: usize| self.replay.pending[index].op + 1 == self.replay.at;
        match self.edits.last() {
            Some((index, Edit::Write { offset, bytes })) if is_last(*index) && cut < bytes.len() => {
                let mut content = self.apply(durable, |index| !is_last(index), None);
                content.write_at(*offset, &bytes[..cut]);
                content
            }
            _ if self.replay.lost.contains(&self.inode) => self.apply(durable, |_| true, None),
            _ => visible.clone(),
        }
    }

    /// Each block of the file as some moment since the last sync left it, and the length of some moment.
    fn blocks(&self, durable: &Content, block: u64, seed: u64) -> Content {
        let mut content = durable.clone();
        let mut len = durable.len();
        let mut lens = vec![len];
        // In one image most blocks are the newest, in the next one few are.
        let newest_of_8 = [1, 4, 7][draw(seed, [DENSITY, 0]) as usize % 3];
        let end_of = |block_index: u64| {
            let drawn = draw(seed, [self.inode.0, block_index]);
            let all = self.edits.len() as u64;
            if drawn % 8 < newest_of_8 { all } else { (drawn >> 8) % (all + 1) }
        };
        for (place, (_, edit)) in self.edits.iter().enumerate() {
            match edit {
                Edit::Write { offset, bytes } => {
                    let mut done = 0;
                    while done < bytes.len() {
                        let at = offset + done as u64;
                        let part = ((block - at % block) as usize).min(bytes.len() - done);
                        if (place as u64) < end_of(at / block) {
                            content.write_at(at, &bytes[done..done + part]);
                        }
                        done += part;
                    }
                }
                Edit::SetLen(_) if draw(seed, [self.inode.0, place as u64, CUTS]).is_multiple_of(2) => {}
                Edit::SetLen(_) | Edit::Become(_) => content.edit(edit),
            }
            len = edit.len_after(len);
            lens.push(len);
        }
        let drawn = draw(seed, [self.inode.0, LENGTHS]);
        content.set_len(match drawn % 4 {
            0 => lens[0],
            1 => lens[(drawn >> 8) as usize % lens.len()],
            _ => len,
        });
        content
    }
}

fn is_become(edits: &[(usize, &Edit)], index: usize) -> bool {
    edits.iter().any(|(other, edit)| *other == index && matches!(edit, Edit::Become(_)))
}

// Keep draws for different questions apart; above every block index and inode.
const NAMES: u64 = u64::MAX;
const PREFIX: u64 = u64::MAX - 1;
const DENSITY: u64 = u64::MAX - 2;
const CUTS: u64 = u64::MAX - 3;
const LENGTHS: u64 = u64::MAX - 4;

/// A random number for a question, the same whenever it is asked.
fn draw<const N: usize>(seed: u64, question: [u64; N]) -> u64 {
    question.into_iter().fold(mix(seed), |state, part| mix(state ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}
