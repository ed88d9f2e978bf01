use super::*;
use sediment_env::random::SeededRandom;

const KINDS: [FilterKind; 2] = [FilterKind::SplitBlock, FilterKind::Burr];

fn run(rows: u64, kind: FilterKind) -> FilteredRun {
    FilteredRun { rows, kind, probes: 1.0 }
}

/// Bits of all filters.
fn bits(runs: &[FilteredRun], widths: &[FilterWidth]) -> f64 {
    let mean = |width: &FilterWidth| width.narrow as f64 + (width.wide - width.narrow) as f64 * width.wide_share;
    runs.iter().zip(widths).map(|(run, width)| run.rows as f64 * mean(width)).sum()
}

/// Blocks that are read in vain for a key which is not there.
fn false_probes(runs: &[FilteredRun], widths: &[FilterWidth]) -> f64 {
    let rate = |run: &FilteredRun, width: &FilterWidth| {
        let (narrow, wide) = (run.kind.false_positive_rate(width.narrow), run.kind.false_positive_rate(width.wide));
        narrow + (wide - narrow) * width.wide_share
    };
    runs.iter().zip(widths).map(|(run, width)| run.probes * rate(run, width)).sum()
}

fn uniform(runs: &[FilteredRun], bits_per_key: u8) -> Vec<FilterWidth> {
    vec![FilterWidth::exactly(bits_per_key); runs.len()]
}

/// Some runs, of any sizes, or as levels are.
fn any_runs(random: &SeededRandom) -> Vec<FilteredRun> {
    let one_kind = KINDS[random.below(2) as usize];
    let is_mixed = random.below(3) == 0;
    let are_asked_alike = random.below(2) == 0;
    (0..random.below(9))
        .map(|_| FilteredRun {
            rows: random.below(1 << random.below(33)),
            kind: if is_mixed { KINDS[random.below(2) as usize] } else { one_kind },
            probes: if are_asked_alike { 1.0 } else { random.below(1000) as f64 / 999.0 },
        })
        .collect()
}

#[test]
fn no_widths_of_the_same_size_are_wrong_less_often() {
    let random = SeededRandom::new(17);
    for _ in 0..3000 {
        let (runs, bits_per_key) = (any_runs(&random), random.below(33) as u8);
        let widths = widths(&runs, bits_per_key);
        let all = runs.iter().map(|run| run.rows as f64).sum::<f64>() * f64::from(bits_per_key);
        assert!(bits(&runs, &widths) <= all * (1.0 + 1e-12), "{runs:?} at {bits_per_key}: {widths:?}");
        let best = false_probes(&runs, &widths);
        assert!(
            best <= false_probes(&runs, &uniform(&runs, bits_per_key)) * (1.0 + 1e-9),
            "{runs:?} at {bits_per_key}: {widths:?}"
        );
        // Nor any that are guessed.
        for _ in 0..20 {
            let guess: Vec<_> = runs.iter().map(|_| FilterWidth::exactly(random.below(33) as u8)).collect();
            if bits(&runs, &guess) <= all {
                assert!(
                    best <= false_probes(&runs, &guess) * (1.0 + 1e-9),
                    "{runs:?} at {bits_per_key}: {widths:?}, {guess:?}"
                );
            }
        }
    }
}

#[test]
fn a_larger_run_is_never_wider() {
    let random = SeededRandom::new(18);
    for _ in 0..3000 {
        let mut runs = any_runs(&random);
        let kind = KINDS[random.below(2) as usize];
        runs.iter_mut().for_each(|of| *of = run(of.rows, kind));
        runs.sort_by_key(|run| run.rows);
        let widths = widths(&runs, random.below(33) as u8);
        let is_descending = |pair: &[FilterWidth]| pair[0].narrow >= pair[1].narrow && pair[0].wide >= pair[1].wide;
        let is_tied = |pair: &[FilteredRun]| pair[0].rows == pair[1].rows;
        for (pair, rows) in widths.windows(2).zip(runs.windows(2)) {
            assert!(is_descending(pair) || is_tied(rows), "{runs:?}: {widths:?}");
        }
    }
}

#[test]
fn rates_are_as_the_rows_of_their_runs() {
    let runs: Vec<_> = [1 << 20, 1 << 23, 1 << 26].map(|rows| run(rows, FilterKind::Burr)).into();
    let widths = widths(&runs, 10);
    let wide: Vec<_> = widths.iter().map(|width| width.wide).collect();
    assert_eq!([wide[0] - wide[1], wide[1] - wide[2]], [3, 3], "a bit for each doubling: {widths:?}");
    assert!((bits(&runs, &widths) / (10.0 * (73 << 20) as f64) - 1.0).abs() < 1e-9, "all bits are used: {widths:?}");
}

#[test]
fn runs_that_are_not_asked_in_vain_have_no_filters() {
    let mut runs = vec![run(1000, FilterKind::SplitBlock), run(1_000_000, FilterKind::SplitBlock)];
    runs[1].probes = 0.0;
    let widths = widths(&runs, 1);
    assert_eq!(widths[0], FilterWidth::exactly(BITS_PER_KEY_MAX));
    assert_eq!(widths[1], FilterWidth::exactly(0));
}

#[test]
fn odd_trees_have_plain_widths() {
    for kind in KINDS {
        assert_eq!(widths(&[], 10), []);
        assert_eq!(widths(&[run(12_345, kind)], 10), [FilterWidth::exactly(10)], "one run");
        assert_eq!(widths(&[run(0, kind)], 10), [FilterWidth::exactly(BITS_PER_KEY_MAX)], "no row to take a bit");
        assert_eq!(widths(&[run(500, kind), run(0, kind)], 10)[0], FilterWidth::exactly(10), "an empty level");
        let alike = vec![run(777, kind); 30];
        assert_eq!(widths(&alike, 10), uniform(&alike, 10), "many runs of one size");
        let runs = [run(100, kind), run(100_000, kind)];
        assert_eq!(widths(&runs, 0), uniform(&runs, 0), "no filters");
        assert_eq!(widths(&runs, 32), uniform(&runs, 32), "the widest");
    }
}

#[test]
fn as_many_tables_are_wide_as_should_be() {
    for share in [0.0, 0.1, 0.5, 0.93, 1.0] {
        let width = FilterWidth { narrow: 9, wide: 10, wide_share: share, has_locators: false };
        let is_wide = |id| width.of(TableId(id)) == 10;
        for first in [1, 1000, 1 << 40] {
            let wide = (first..first + 100).filter(|id| is_wide(*id)).count();
            assert!((wide as f64 - 100.0 * share).abs() <= 3.0, "{wide} of 100 for {share}");
        }
    }
    assert_eq!(FilterWidth::exactly(7).of(TableId(u64::MAX)), 7);
}
