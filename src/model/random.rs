//! The random streams of a model: fresh weights, noise, and the tokens of a sampled reply.
//!
//! Generators and distributions are those of `rand`'s traits. The distributions are written here,
//! and those of `rand_distr` are not used: a resumed run needs the same bits from every version.

use rand::distr::Distribution;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Independent normal values of mean 0, two at a time (Box and Muller 1958).
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormalPair {
    /// The standard deviation.
    pub(crate) deviation: f64,
}

impl Distribution<[f32; 2]> for NormalPair {
    fn sample<R: Rng + ?Sized>(&self, random: &mut R) -> [f32; 2] {
        // 1 − u is never 0, so its logarithm is finite.
        let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt() * self.deviation;
        let angle = std::f64::consts::TAU * random.random::<f64>();
        [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
    }
}

/// Uniform values in −`limit`..`limit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symmetric {
    /// The largest magnitude.
    pub(crate) limit: f64,
}

impl Distribution<f32> for Symmetric {
    fn sample<R: Rng + ?Sized>(&self, random: &mut R) -> f32 {
        ((random.random::<f64>() * 2.0 - 1.0) * self.limit) as f32
    }
}

/// `count` normal values from the stream of that seed and name.
pub(crate) fn normal(seed: u64, name: &str, count: usize, deviation: f64) -> Vec<f32> {
    let pairs = stream(seed, name).sample_iter(NormalPair { deviation });
    pairs.flatten().take(count).collect()
}

/// `count` values uniform in −`limit`..`limit`, from the stream of that seed and name.
pub(crate) fn uniform(seed: u64, name: &str, count: usize, limit: f64) -> Vec<f32> {
    stream(seed, name).sample_iter(Symmetric { limit }).take(count).collect()
}

/// The generator of that seed and name, independent of that of any other.
pub(crate) fn stream(seed: u64, name: &str) -> Xoshiro256PlusPlus {
    let mut hash = blake3::Hasher::new();
    hash.update(b"cookc weights 1").update(&seed.to_le_bytes()).update(name.as_bytes());
    Xoshiro256PlusPlus::from_seed(*hash.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_made_of_the_upper_53_bits_of_a_generators_numbers() {
        let mut numbers = stream(1, "a");
        let mut unit = || (numbers.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        for value in uniform(1, "a", 100, 0.5) {
            assert_eq!(value, ((unit() * 2.0 - 1.0) * 0.5) as f32);
        }
        let mut numbers = stream(2, "b");
        let mut unit = || (numbers.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        for pair in normal(2, "b", 100, 0.02).chunks(2) {
            let radius = (-2.0 * (1.0 - unit()).ln()).sqrt() * 0.02;
            let (sin, cos) = (std::f64::consts::TAU * unit()).sin_cos();
            assert_eq!(pair, [(radius * cos) as f32, (radius * sin) as f32]);
        }
    }
}
