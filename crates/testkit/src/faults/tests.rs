use super::{rows, try_row};
use crate::{
    crash::log_store::{LogStore, Mistake},
    ops::parse_script,
};

const SCRIPT: &str = "
create a
insert sync a one 1x40
insert os a two 2x300
create b
batch sync a+one=3x9 b+one=4x60 a-two
reopen
remove os a one
get b one
flush
clear b
insert os b four 7x70
";

fn failures(mistake: Option<Mistake>) -> Vec<String> {
    let ops = parse_script(SCRIPT).expect("good");
    let tried = rows(1).into_iter().map(|row| try_row::<LogStore>(&ops, &mistake, &row, 1));
    let mut trials = 0;
    let failures = tried.flat_map(|tried| {
        trials += tried.trials;
        tried.failures
    });
    let failures = failures.collect();
    assert!(mistake.is_some() || trials > 150, "only {trials} trials");
    failures
}

#[test]
fn a_store_that_poisons_itself_gets_through_and_one_that_does_not_is_caught() {
    assert_eq!(failures(None), Vec::<String>::new());
    assert!(!failures(Some(Mistake::RetriesFailedSync)).is_empty());
}

/// The panic ended the whole sweep, and nobody was told which fault it had been.
#[test]
fn a_panic_where_a_store_ends_is_told_with_its_fault() {
    let failures = failures(Some(Mistake::PanicsAtItsEnd));
    assert!(failures.iter().all(|failure| failure.contains(" call ") && failure.contains("panic: a thread")), "{failures:?}");
    assert!(!failures.is_empty());
}
