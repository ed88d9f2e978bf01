//! Which key is next, drawn at random.

use super::random::{Random, mix, scale};
use serde::Serialize;

/// How often each key is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// All keys equally often.
    Uniform,
    /// Few keys very often: a zipf distribution with exponent 0.99, the popular keys scattered over the key space.
    Zipf,
}

const EXPONENT: f64 = 0.99;
/// Up to here the harmonic sum is added up term by term; beyond, the integral is as good.
const TERMS_MAX: u64 = 1 << 20;

/// What a zipf distribution over `count` keys needs to be drawn from in constant time: the approximation of Gray et al.,
/// "Quickly Generating Billion-Record Synthetic Databases".
#[derive(Clone, Copy, Debug)]
pub struct Zipf {
    count: u64,
    pub(super) zeta: f64,
    eta: f64,
    second: f64,
}

impl Zipf {
    /// Over `count` keys. Takes some milliseconds.
    pub fn new(count: u64) -> Self {
        let zeta = zeta(count);
        let eta = (1.0 - (2.0 / count as f64).powf(1.0 - EXPONENT)) / (1.0 - zeta_of_two() / zeta);
        Self { count, zeta, eta, second: 1.0 + 0.5_f64.powf(EXPONENT) }
    }

    /// A rank, the most popular being 0.
    pub fn rank(&self, random: &mut Random) -> u64 {
        let fraction = random.fraction();
        let scaled = fraction * self.zeta;
        if scaled < 1.0 {
            return 0;
        }
        if scaled < self.second {
            return 1.min(self.count - 1);
        }
        let rank = self.count as f64 * (self.eta * fraction - self.eta + 1.0).powf(1.0 / (1.0 - EXPONENT));
        (rank as u64).min(self.count - 1)
    }
}

fn zeta_of_two() -> f64 {
    1.0 + 0.5_f64.powf(EXPONENT)
}

/// Sum of `1 / rank ^ EXPONENT` over all ranks.
fn zeta(count: u64) -> f64 {
    let exact: f64 = (1..=count.min(TERMS_MAX)).map(|rank| (rank as f64).powf(-EXPONENT)).sum();
    let integral = |end: u64| (end as f64 + 0.5).powf(1.0 - EXPONENT) / (1.0 - EXPONENT);
    if count > TERMS_MAX { exact + integral(count) - integral(TERMS_MAX) } else { exact }
}

/// Draws indexes. Each thread has its own.
#[derive(Clone, Debug)]
pub struct Draws {
    random: Random,
    count: u64,
    zipf: Option<Zipf>,
}

impl Draws {
    /// Indexes below `count`; by `zipf` if given, uniform otherwise.
    pub fn new(count: u64, zipf: Option<Zipf>, random: Random) -> Self {
        Self { random, count, zipf }
    }

    /// The next one.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        match &self.zipf {
            None => self.random.below(self.count),
            Some(zipf) => scale(mix(zipf.rank(&mut self.random)), self.count),
        }
    }
}
