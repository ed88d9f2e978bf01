use super::{
    Sweep,
    log_store::{LogStore, MISTAKES},
    record, sweep,
};
use crate::{
    ops::{Generator, Mix, Op, parse_script},
    seed::Rng,
};

const SCRIPT: &str = "
create a
insert sync a one 1x40
insert os a two 2x3000
create b
batch os a+one=3x9 b+one=4x600 a-two
kill
insert sync b two 5x20
insert memory a three 6x20
powerloss 3
remove sync a one
clear b
reopen
insert os b four 7x700
";

#[test]
fn a_right_store_survives_every_image() {
    let lives = record::<LogStore>(&parse_script(SCRIPT).expect("good"), &None, 1).expect("runs");
    assert_eq!(lives.len(), 3);
    let seen = sweep::<LogStore>(&lives, &None, &Sweep { compound_every: 5, failures_max: 5, ..Sweep::default() });
    assert!(seen.failures.is_empty(), "{seen}:\n{}", seen.failures.join("\n"));
    assert!(seen.images > 500 && seen.compound > 100, "{seen}");
}

#[test]
fn every_mistake_is_caught() {
    for mistake in MISTAKES {
        let settings = Some(mistake);
        let ops = parse_script(SCRIPT).expect("good");
        let caught = match record::<LogStore>(&ops, &settings, 1) {
            Err(text) => text,
            Ok(lives) => sweep::<LogStore>(&lives, &settings, &Sweep::default()).failures.concat(),
        };
        assert!(!caught.is_empty(), "{mistake:?} was not caught");
    }
}

#[test]
fn random_scripts_survive_as_well() {
    for seed in 0..3 {
        let mix = Mix { keys: 20, crash: 20, ..Mix::everything() };
        let mut generator = Generator::new(Rng::new(seed), mix);
        let ops: Vec<_> = [Op::Create("a".into())].into_iter().chain((0..60).map(|_| generator.next_op())).collect();
        let lives = record::<LogStore>(&ops, &None, seed).expect("runs");
        let seen = sweep::<LogStore>(&lives, &None, &Sweep::default());
        assert!(seen.failures.is_empty(), "seed {seed}, {seen}: {}", seen.failures.concat());
    }
}
