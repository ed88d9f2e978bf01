//! Stretches of a table lie without gaps from its first block to its last.

use crate::{
    order::orders,
    rows::{context, path, random_rows, write},
};
use sediment_env::random::SeededRandom;
use sediment_table::{Table, TableOptions};
use std::ops::Bound;

#[test]
fn stretches_are_about_as_long_as_asked_and_all_there_is() {
    for order in orders() {
        let random = SeededRandom::new(4);
        let rows = random_rows(&random, &order);
        let context = context(&order, 1 << 20);
        let meta = write(&context, &TableOptions { block_bytes: 256, ..TableOptions::default() }, &rows);
        let table = Table::open(&context, &path(), &meta).unwrap();
        let whole = table.approximate_bytes(Bound::Unbounded, Bound::Unbounded);
        let longest_block = table.stretches(1).iter().map(|(_, bytes)| *bytes).max().unwrap();
        assert!(table.stretches(1).len() > 4);
        for wanted in [0, 1, 500, 2000, u64::MAX] {
            let stretches = table.stretches(wanted);
            assert_eq!(stretches.iter().map(|(_, bytes)| bytes).sum::<u64>(), whole);
            assert_eq!(*stretches[0].0, rows[0].key[..]);
            assert!(stretches.is_sorted_by(|a, b| order.compare(&a.0, &b.0).is_le()));
            assert!(stretches.iter().all(|(key, _)| rows.iter().any(|row| row.key[..] == **key)), "each begins with a row");
            let (last, others) = stretches.split_last().unwrap();
            assert!(others.iter().all(|(_, bytes)| *bytes >= wanted && *bytes <= wanted + longest_block));
            assert!(last.1 < wanted.saturating_add(longest_block + 1));
        }
        assert_eq!(table.stretches(u64::MAX).len(), 1);
    }
}
