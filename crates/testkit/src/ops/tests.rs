use super::{Generator, Mix, Op, parse, parse_script, print_script};
use crate::seed::Rng;

#[test]
fn every_generated_operation_reads_back_as_it_was() {
    for seed in 0..8 {
        let mut generator = Generator::new(Rng::new(seed), Mix::everything());
        let ops: Vec<Op> = (0..3000).map(|_| generator.next_op()).collect();
        let text = print_script(&ops);
        assert_eq!(parse_script(&text).expect("printed by us"), ops);
    }
}

#[test]
fn a_wrong_line_says_what_is_wrong() {
    let error = parse("insert sometimes ks key 1x1").expect_err("no such level");
    assert_eq!(error.to_string(), "cannot read operation `insert sometimes ks key 1x1`: expected memory, os or sync");
    assert!(parse("get ks key @1 more").is_err() && parse("get ks k%2").is_err() && parse("").is_err());
}
