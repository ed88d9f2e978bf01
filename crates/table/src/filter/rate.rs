//! How often a filter of so many bits per key is wrong.

use crate::options::FilterKind;

/// Words of a line, in each of which a key has one bit.
const WORDS: i32 = 8;
const WORD_BITS: f64 = 64.0;

impl FilterKind {
    /// Of the keys that are not in a table, the part of which a filter says maybe: 1 without bits, for there is no filter then.
    ///
    /// A BuRR filter compares so many bits with what it has stored. In a split-block filter the keys of a line are spread as those of
    /// Poisson are, and each word is asked for one of its bits: after Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom
    /// Filters", 2007.
    pub fn false_positive_rate(self, bits_per_key: u8) -> f64 {
        match (self, bits_per_key) {
            (_, 0) => 1.0,
            (Self::SplitBlock, bits) => split_block(f64::from(bits)),
            (Self::Burr, bits) => 0.5_f64.powi(i32::from(bits.min(32))),
        }
    }
}

/// The mean of `(1 - (1 - 1/64)^keys)^8` over the numbers of keys that lines have, term by term.
fn split_block(bits: f64) -> f64 {
    let keys = f64::from(WORDS) * WORD_BITS / bits;
    let stays = 1.0 - 1.0 / WORD_BITS;
    let (mut rate, mut ways) = (0.0, 1.0);
    for words in 0..=WORDS {
        rate += ways * (-keys * (1.0 - stays.powi(words))).exp();
        ways *= -f64::from(WORDS - words) / f64::from(words + 1);
    }
    rate.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_that_were_measured() {
        let measured = [
            (FilterKind::SplitBlock, 8, 0.029382),
            (FilterKind::SplitBlock, 10, 0.010642),
            (FilterKind::SplitBlock, 12, 0.004258),
            (FilterKind::SplitBlock, 16, 0.000933),
            (FilterKind::Burr, 1, 0.500431),
            (FilterKind::Burr, 7, 0.007706),
            (FilterKind::Burr, 10, 0.001033),
        ];
        for (kind, bits, rate) in measured {
            let computed = kind.false_positive_rate(bits);
            assert!((computed / rate - 1.0).abs() < 0.06, "{kind:?} {bits}: {computed}, measured {rate}");
        }
    }

    #[test]
    fn each_bit_more_is_wrong_less_often() {
        for kind in [FilterKind::SplitBlock, FilterKind::Burr] {
            let rates: Vec<f64> = (0..=32).map(|bits| kind.false_positive_rate(bits)).collect();
            assert_eq!(rates[0], 1.0);
            assert!(rates.windows(2).all(|pair| pair[1] < pair[0] && pair[1] > 0.0), "{kind:?}: {rates:?}");
        }
    }
}
