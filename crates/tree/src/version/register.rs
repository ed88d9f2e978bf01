//! `Register`: the tables of a version by their ids.
//!
//! Entries lie in *pages*, in the order of ids. Registers share the pages in which they do not differ: the next version's costs a count for
//! each page, and a copy of those that an edit touches. One caller at a time changes it.

use super::table_file::TableFile;
use sediment_base::TableId;
use std::sync::Arc;

/// A page that would be longer is split; neighbours that fill less than half of one together become one.
const PAGE_MAX: usize = 64;

/// A table and its level.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) level: usize,
    pub(crate) file: Arc<TableFile>,
}

impl Placed {
    fn id(&self) -> TableId {
        self.file.meta.id
    }
}

/// The tables of a version by their ids. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Register {
    /// None is empty.
    pages: Vec<Arc<Vec<Placed>>>,
}

impl Register {
    /// The table of this id. Takes the logarithm of how many there are.
    pub(crate) fn get(&self, id: TableId) -> Option<&Placed> {
        let page = self.pages.get(self.page_of(id))?;
        page.binary_search_by_key(&id, Placed::id).ok().map(|index| &page[index])
    }

    /// Takes a table out.
    pub(super) fn remove(&mut self, id: TableId) -> Option<Placed> {
        let number = self.page_of(id);
        let index = self.pages.get(number)?.binary_search_by_key(&id, Placed::id).ok()?;
        let page = Arc::make_mut(&mut self.pages[number]);
        let removed = page.remove(index);
        if page.is_empty() {
            self.pages.remove(number);
        } else {
            self.join(number);
        }
        Some(removed)
    }

    /// Enters a table; false if its id is taken.
    pub(super) fn insert(&mut self, placed: Placed) -> bool {
        if self.pages.is_empty() {
            self.pages.push(Arc::new(vec![placed]));
            return true;
        }
        let number = self.page_of(placed.id()).min(self.pages.len() - 1);
        let Err(index) = self.pages[number].binary_search_by_key(&placed.id(), Placed::id) else { return false };
        let page = Arc::make_mut(&mut self.pages[number]);
        page.insert(index, placed);
        if page.len() > PAGE_MAX {
            let rest = page.split_off(PAGE_MAX / 2);
            self.pages.insert(number + 1, Arc::new(rest));
        }
        true
    }

    /// The only page that may hold this id; their number where none does.
    fn page_of(&self, id: TableId) -> usize {
        self.pages.partition_point(|page| page.last().is_some_and(|last| last.id() < id))
    }

    /// Makes one page of this and its neighbours, as long as both are small.
    fn join(&mut self, number: usize) {
        for first in [number, number.wrapping_sub(1)] {
            let pair = self.pages.get(first).zip(self.pages.get(first.wrapping_add(1)));
            if pair.is_some_and(|(page, next)| page.len() + next.len() < PAGE_MAX / 2) {
                let next = self.pages.remove(first + 1);
                Arc::make_mut(&mut self.pages[first]).extend(next.iter().cloned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::tests as sample;
    use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};
    use std::collections::BTreeMap;

    proptest! {
        /// As a map does, and what was cloned before stays as it was.
        #[test]
        fn it_finds_what_was_entered_and_not_removed(steps in vec((0..400_u64, 0..3_u8), 1..900)) {
            let home = sample::home();
            let (mut register, mut model) = (Register::default(), BTreeMap::new());
            let (mut earlier, mut earlier_model) = (register.clone(), BTreeMap::new());
            for (step, (id, verb)) in steps.into_iter().enumerate() {
                let id = TableId(id + 1);
                if verb > 0 {
                    let added = sample::table(&format!("1 0 {id} a..b 1 1 0"));
                    let placed = Placed { level: step % 7, file: TableFile::new(&home, added.run, added.meta, 0) };
                    prop_assert_eq!(register.insert(placed), !model.contains_key(&id));
                    model.entry(id).or_insert(step % 7);
                } else {
                    prop_assert_eq!(register.remove(id).map(|placed| placed.level), model.remove(&id));
                }
                if step % 100 == 0 {
                    (earlier, earlier_model) = (register.clone(), model.clone());
                }
            }
            for (register, model) in [(register, model), (earlier, earlier_model)] {
                for id in (0..=401).map(TableId) {
                    prop_assert_eq!(register.get(id).map(|placed| placed.level), model.get(&id).copied());
                }
                let pages = &register.pages;
                prop_assert!(pages.iter().all(|page| (1..=PAGE_MAX).contains(&page.len())));
                prop_assert_eq!(pages.iter().map(|page| page.len()).sum::<usize>(), model.len());
                prop_assert!(pages.len() <= 2 + model.len() * 4 / PAGE_MAX);
            }
        }
    }
}
