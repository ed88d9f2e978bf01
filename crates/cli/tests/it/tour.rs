//! The tour, from end to end.

use crate::program::{Place, sediment};

#[test]
fn the_tour_kills_and_finds_everything() {
    let run = sediment(&["tour", "--rounds", "4"]).good();
    for word in ["CRAB", "SNOWMAN", "SIGKILL", "kill 4", "no fault", "Nothing was lost. 4 kills survived"] {
        assert!(run.out.contains(word), "`{word}` is missing: {}", run.out);
    }
    let widest = run.out.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|width| width <= 100), "{}", run.out);
}

#[test]
fn the_tour_keeps_its_database_where_it_is_told_to() {
    let place = Place::new();
    let run = sediment(&["tour", "--rounds", "1", "--dir", &place.db, "--json"]).good();
    let found = &run.values()[0];
    assert_eq!((found["characters"].as_u64(), found["kills"].as_u64()), (Some(34_924), Some(1)));
    assert!(found["commits"].as_u64().is_some_and(|commits| commits >= 500));
    assert_eq!(sediment(&["keyspaces", &place.db]).good().out, "audit\ncharacters\nledger\nnames\nnotes\n");
    assert_eq!(sediment(&["get", &place.db, "CRAB", "-k", "names"]).good().out, "01F980\n");
    let again = sediment(&["tour", "--dir", &place.db]);
    assert!(again.code != 0 && again.err.contains(&place.db), "it does not write over a database: {again:?}");
}
