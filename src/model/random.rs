//! The random streams of a model: fresh weights, noise, and the tokens of a sampled reply.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// `count` normal values from a stream of their own for each seed and name (Box and Muller).
pub(crate) fn normal(seed: u64, name: &str, count: usize, deviation: f64) -> Vec<f32> {
    let mut random = stream(seed, name);
    let pairs = (0..count.div_ceil(2)).flat_map(|_| {
        // 1 − u is never 0, so its logarithm is finite.
        let radius = (-2.0 * (1.0 - unit(&mut random)).ln()).sqrt() * deviation;
        let angle = std::f64::consts::TAU * unit(&mut random);
        [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
    });
    pairs.take(count).collect()
}

/// `count` values uniform in −`limit`..`limit`, from a stream of their own.
pub(crate) fn uniform(seed: u64, name: &str, count: usize, limit: f64) -> Vec<f32> {
    let mut random = stream(seed, name);
    (0..count).map(|_| ((unit(&mut random) * 2.0 - 1.0) * limit) as f32).collect()
}

pub(crate) fn stream(seed: u64, name: &str) -> Xoshiro256PlusPlus {
    let mut hash = blake3::Hasher::new();
    hash.update(b"cookc weights 1").update(&seed.to_le_bytes()).update(name.as_bytes());
    Xoshiro256PlusPlus::from_seed(*hash.finalize().as_bytes())
}

/// Uniform in 0..1, 1 left out.
pub(crate) fn unit(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}
