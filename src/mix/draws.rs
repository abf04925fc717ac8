//! Random mixtures, for runs to learn from and to be compared by.

use crate::runtime::RunKey;
use crate::runtime::random;

/// Ten to the number of decimals of a mixture weight.
const DECIMALS: f64 = 1e4;

/// Mixtures of some templates, each drawn uniformly from all mixtures (a Dirichlet distribution
/// with all parameters 1): the gaps between sorted uniform numbers.
pub fn mixtures(templates: usize, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let key = RunKey::new("", "", "mixtures", seed).stream("mix");
    (0..count as u64).map(|index| mixture(templates, &key, index)).collect()
}

fn mixture(templates: usize, key: &[u64; 4], index: u64) -> Vec<f64> {
    let mut stream = random::start(key, index);
    let parts = DECIMALS as u64;
    let mut cuts: Vec<u64> = (1..templates).map(|_| stream.below_wide(parts + 1)).collect();
    cuts.extend([0, parts]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / DECIMALS).collect()
}

/// A mixture with the decimals of one that is drawn: the same on every machine, whose `exp` may
/// differ in its last bit.
pub fn rounded(mixture: &[f64]) -> Vec<f64> {
    mixture.iter().map(|weight| (weight * DECIMALS).round() / DECIMALS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixtures_sum_to_one_and_have_the_mean_of_all() {
        let drawn = mixtures(4, 2000, 7);
        assert!(drawn.iter().all(|one| (one.iter().sum::<f64>() - 1.0).abs() < 1e-9));
        for at in 0..4 {
            let mean = drawn.iter().map(|one| one[at]).sum::<f64>() / 2000.0;
            assert!((mean - 0.25).abs() < 0.02, "{mean}");
        }
        assert_eq!(drawn, mixtures(4, 2000, 7));
        assert_ne!(drawn, mixtures(4, 2000, 8));
    }
}
