//! The budget under threads, and what it says.

use super::{Account, Charge, MemoryBudget};
use std::sync::Arc;

#[test]
fn accounts_are_counted_apart_and_given_back() {
    let budget = Arc::new(MemoryBudget::new(1000));
    assert_eq!((budget.total_used(), budget.available(), budget.left_for(Account::Cache)), (0, 1000, 1000));
    budget.charge(Account::Cache, 300);
    let table = Charge::new(&budget, Account::Metadata, 50);
    assert_eq!((budget.used(Account::Cache), budget.used(Account::Metadata), budget.used(Account::Log)), (300, 50, 0));
    assert_eq!((budget.total_used(), budget.available(), budget.left_for(Account::Cache)), (350, 650, 950));
    table.resize(900);
    assert_eq!((table.bytes(), budget.available(), budget.left_for(Account::Cache)), (900, 0, 100));
    table.resize(20);
    assert_eq!((budget.used(Account::Metadata), budget.available()), (20, 680));
    table.grow_to(10);
    assert_eq!(table.bytes(), 20);
    table.grow_to(70);
    assert_eq!(budget.used(Account::Metadata), 70);
    drop(table);
    budget.release(Account::Cache, 300);
    assert_eq!(budget.total_used(), 0);
}

#[test]
fn what_is_needed_may_exceed_the_total() {
    let budget = Arc::new(MemoryBudget::new(10));
    let pinned = Charge::new(&budget, Account::Pinned, 25);
    assert_eq!((budget.available(), budget.left_for(Account::Cache), budget.left_for(Account::Pinned)), (0, 0, 10));
    budget.set_total_bytes(100);
    assert_eq!((budget.available(), budget.left_for(Account::Cache)), (75, 75));
    drop(pinned);
    assert_eq!(budget.available(), 100);
}

#[test]
fn a_snapshot_is_one_line() {
    let budget = MemoryBudget::new(500);
    budget.charge(Account::Memtables, 7);
    budget.charge(Account::Compaction, 30);
    let snapshot = budget.snapshot();
    budget.charge(Account::Cache, 1);
    assert_eq!((snapshot.used(Account::Memtables), snapshot.used(Account::Cache), snapshot.total_used()), (7, 0, 37));
    assert_eq!(snapshot.total_bytes(), 500);
    let text = "37 bytes of 500: memtables 7, cache 0, metadata 0, log 0, pinned 0, compaction 30";
    assert_eq!(snapshot.to_string(), text);
    let unlimited = MemoryBudget::unlimited();
    unlimited.charge(Account::Log, 3);
    assert!(unlimited.snapshot().to_string().starts_with("3 bytes: memtables 0"));
    assert_eq!(unlimited.available(), u64::MAX - 3);
}

#[test]
fn accounts_are_numbered_as_they_are_listed() {
    for (index, account) in Account::ALL.into_iter().enumerate() {
        assert_eq!(account as usize, index);
    }
}

#[test]
fn threads_lose_nothing() {
    const THREADS: u64 = 4;
    let budget = Arc::new(MemoryBudget::unlimited());
    let shared = Charge::new(&budget, Account::Memtables, 0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (budget, shared) = (&budget, &shared);
            scope.spawn(move || {
                let own = Charge::new(budget, Account::Pinned, 1);
                for round in 0..20_000 {
                    own.resize((round * 7 + thread) % 100);
                    shared.grow_to(round * THREADS + thread);
                    if round % 3 == 0 {
                        shared.resize(round % 50);
                    }
                    budget.charge(Account::Log, 3);
                    drop(Charge::new(budget, Account::Compaction, round));
                }
            });
        }
    });
    assert_eq!(budget.used(Account::Log), THREADS * 20_000 * 3);
    assert_eq!((budget.used(Account::Pinned), budget.used(Account::Compaction)), (0, 0));
    assert_eq!(budget.used(Account::Memtables), shared.bytes());
    drop(shared);
    assert_eq!(budget.used(Account::Memtables), 0);
}
