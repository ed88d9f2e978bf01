//! Every room says what it is for, and ARCHITECTURE.md says where it is.

use super::{Report, layers::Layers};
use crate::source::Tree;
use std::{collections::BTreeMap, collections::BTreeSet, fs, path::Path};

const ROOMS_WARN: usize = 18;
const FOLDERS_WARN: usize = 2;

/// Checks theses, the map, and that no crate grows into a lobby.
pub(super) fn check(root: &Path, tree: &Tree, layers: &Layers, report: &mut Report) {
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).ok();
    let mut rooms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in tree.sources.iter().filter(|source| source.is_shipped()) {
        if !source.text.starts_with("//!") {
            report.error(format!("{}: does not begin with its thesis (`//!`)", source.path));
        }
        let inside = source.path.split_once("/src/").map_or("", |(_, inside)| inside);
        if inside.matches('/').count() > FOLDERS_WARN {
            report.warn(format!("{}: folders nest deeper than {FOLDERS_WARN}", source.path));
        }
        if let Some(room) = &source.room {
            rooms.entry(&source.krate).or_default().insert(room);
        }
    }
    for (krate, rooms) in rooms {
        if rooms.len() > ROOMS_WARN {
            report.warn(format!("crate {krate} has {} rooms, more than {ROOMS_WARN}", rooms.len()));
        }
        let on_the_map = layers.crates.contains_key(krate);
        for room in rooms.iter().filter(|_| on_the_map) {
            if map.as_ref().is_some_and(|map| !names(map, room)) {
                report.error(format!("ARCHITECTURE.md does not name room {room} of crate {krate}"));
            }
        }
    }
}

fn names(map: &str, room: &str) -> bool {
    let is_word = |symbol: char| symbol.is_alphanumeric() || symbol == '_';
    map.match_indices(room).any(|(at, _)| !map[..at].ends_with(is_word) && !map[at + room.len()..].starts_with(is_word))
}
