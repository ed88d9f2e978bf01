//! First in, first out, a pure function: nothing is merged, and the oldest tables go.
//!
//! How old a table is, its newest row tells: under this strategy rows keep their seqnos. A table goes once its oldest write is
//! longer ago than the time to live, and the oldest go until the rest fits; where a table that would stay holds older rows of the same
//! keys, which would come to light, it goes as well.

use super::{
    plan::Plan,
    strategy::{Backlog, Strategy, TreeView},
};
use sediment_table::TableMeta;

/// Keeps what was written last, as much as fits into so many bytes, and forgets what is older: for logs, metrics and caches whose keys
/// ascend with time, so that tables do not overlap. Rows are written once and never again; where keys come in any order, reads meet
/// as many runs as there were flushes. Known by the names `fifo-<bytes>`, and `fifo-<bytes>-<seconds>`, which forgets what is older
/// than that, too.
#[derive(Clone, Debug)]
pub struct Fifo {
    bytes_max: u64,
    ttl_s: Option<u64>,
    name: String,
}

impl Fifo {
    /// Keeps so many bytes of tables.
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes_max, ttl_s: None, name: format!("fifo-{bytes_max}") }
    }

    /// The same, but for what was written longer ago than so many seconds. A table goes as a whole, by its oldest write.
    pub fn with_ttl_s(self, ttl_s: u64) -> Self {
        Self { bytes_max: self.bytes_max, ttl_s: Some(ttl_s), name: format!("fifo-{}-{ttl_s}", self.bytes_max) }
    }

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        let numbers = name.strip_prefix("fifo-")?;
        let fifo = match numbers.split_once('-') {
            None => Self::new(numbers.parse().ok()?),
            Some((bytes, ttl)) => Self::new(bytes.parse().ok()?).with_ttl_s(ttl.parse().ok()?),
        };
        (fifo.name == name).then_some(fifo)
    }

    /// When a table is too old.
    fn expires_us(&self, table: &TableMeta) -> Option<u64> {
        self.ttl_s.map(|ttl_s| table.oldest_write_us.saturating_add(ttl_s.saturating_mul(1_000_000)))
    }

    /// How many of these, the oldest first, are too many, or too old.
    fn due(&self, tables: &[&TableMeta], now_us: u64) -> usize {
        let mut bytes: u64 = tables.iter().map(|table| table.file_bytes).sum();
        let goes = |table: &&&TableMeta| {
            let is_over = bytes > self.bytes_max;
            bytes = bytes.saturating_sub(table.file_bytes);
            is_over || self.expires_us(table).is_some_and(|expires_us| expires_us <= now_us)
        };
        tables.iter().take_while(goes).count()
    }
}

impl Strategy for Fifo {
    fn name(&self) -> &str {
        &self.name
    }

    fn pick(&self, tree: &TreeView<'_>) -> Option<Plan> {
        let tables = oldest_first(tree);
        let due = self.due(&tables, tree.now_us());
        let counts = if due == 0 { 0..0 } else { due..tables.len() + 1 };
        counts.into_iter().find_map(|count| tree.discard(tables[..count].iter().map(|table| table.id)))
    }

    fn scores(&self, tree: &TreeView<'_>) -> Vec<f64> {
        let tables = oldest_first(tree);
        let bytes: u64 = tables.iter().map(|table| table.file_bytes).sum();
        let score = bytes as f64 / self.bytes_max.max(1) as f64;
        // Full is not too full.
        vec![if self.due(&tables, tree.now_us()) > 0 { score.max(1.0) } else { score.min(0.99) }]
    }

    /// None: what is over goes without any work.
    fn backlog(&self, _tree: &TreeView<'_>) -> Backlog {
        Backlog { runs: 0, runs_due: 1, debt_bytes: 0 }
    }

    fn due_us(&self, tree: &TreeView<'_>) -> Option<u64> {
        oldest_first(tree).first().and_then(|oldest| self.expires_us(oldest))
    }

    fn keeps_seqnos(&self) -> bool {
        true
    }
}

fn oldest_first<'a>(tree: &TreeView<'a>) -> Vec<&'a TableMeta> {
    let mut tables: Vec<_> = (0..tree.levels()).flat_map(|level| tree.tables(level)).collect();
    tables.sort_by_key(|table| (table.newest_seqno(), table.id));
    tables
}

#[cfg(test)]
mod tests {
    use super::Fifo;
    use crate::compaction::scripts;

    #[test]
    fn the_oldest_go_until_the_rest_fits() {
        scripts::check(&Fifo::new(100), "fifo", &["oldest", "busy"]);
    }

    #[test]
    fn what_is_too_old_goes() {
        scripts::check(&Fifo::new(100).with_ttl_s(10), "fifo", &["age"]);
    }

    #[test]
    fn its_name_says_how_much_it_keeps_and_how_long() {
        let numbers = |name: &str| Fifo::by_name(name).map(|fifo| (fifo.bytes_max, fifo.ttl_s));
        assert_eq!(numbers("fifo-1000"), Some((1000, None)));
        assert_eq!(numbers("fifo-1000-60"), Some((1000, Some(60))));
        for name in ["fifo", "fifo-", "fifo-01", "fifo-+1", "fifo-1 ", "fifo-1-", "fifo-1-2-3", "lifo-1"] {
            assert!(Fifo::by_name(name).is_none(), "{name}");
        }
    }
}
