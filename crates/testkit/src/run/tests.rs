use super::{
    check_ops, shrink_failure,
    toy::{Disk, Mistake, Toy},
};
use crate::{
    ops::{Generator, Mix, Op},
    seed::Rng,
};

fn fails(ops: &[Op], mistake: Option<Mistake>) -> Option<String> {
    check_ops::<Toy>(ops, &Disk { mistake, ..Disk::default() }, 0).err()
}

fn random_ops(seed: u64) -> Vec<Op> {
    let mut generator = Generator::new(Rng::new(seed), Mix::everything());
    [Op::Create("a".into()), Op::Create("b".into())].into_iter().chain((0..3000).map(|_| generator.next_op())).collect()
}

#[test]
fn a_right_store_agrees_with_the_oracle() {
    for seed in 0..4 {
        assert_eq!(fails(&random_ops(seed), None), None, "seed {seed}");
    }
}

#[test]
fn a_wrong_store_is_caught_and_its_script_is_short() {
    for mistake in [Mistake::SkipsBackwards, Mistake::LosesAtReopen] {
        let ops = random_ops(1);
        assert!(fails(&ops, Some(mistake)).is_some(), "{mistake:?} was not caught");
        let small = shrink_failure(&ops, &mut |ops| fails(ops, Some(mistake)));
        let most = if mistake == Mistake::LosesAtReopen { 3 } else { 24 };
        assert!(small.len() <= most, "{mistake:?}: {} ops", small.len());
    }
    assert!(fails(&random_ops(2), Some(Mistake::KeepsARemovedKey)).is_some());
}
