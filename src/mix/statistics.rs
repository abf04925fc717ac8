//! Correlations with intervals by the bootstrap over pairs.

use crate::runtime::RunKey;
use crate::runtime::random;

/// Resamples of the pairs.
const RESAMPLES: u64 = 2000;

/// A correlation and its interval of 95 %; none where one side never varies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// From −1 to 1.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Pearson's correlation of pairs.
pub fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let count = pairs.len() as f64;
    let (a, b) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let (a, b) = (a / count, b / count);
    let sum =
        |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| of(x - a, y - b)).sum::<f64>();
    let (xy, xx, yy) = (sum(&|x, y| x * y), sum(&|x, _| x * x), sum(&|_, y| y * y));
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the ranks.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let firsts = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<f64>>());
    let seconds = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<f64>>());
    pearson(&firsts.into_iter().zip(seconds).collect::<Vec<_>>())
}

/// A correlation with its interval: pairs are drawn with replacement.
pub fn with_interval(
    pairs: &[(f64, f64)],
    of: fn(&[(f64, f64)]) -> Option<f64>,
    seed: u64,
) -> Option<Correlation> {
    let value = of(pairs)?;
    let key = RunKey::new("", "", "pairs", seed).stream("bootstrap");
    let resample = |index: u64| {
        let mut stream = random::start(&key, index);
        let drawn = (0..pairs.len()).map(|_| pairs[stream.below(pairs.len() as u32) as usize]);
        of(&drawn.collect::<Vec<_>>())
    };
    let mut all: Vec<f64> = (0..RESAMPLES).filter_map(resample).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all[((all.len() - 1) as f64 * share).round() as usize];
    let is_known = !all.is_empty();
    is_known.then(|| Correlation { value, low: at(0.025), high: at(0.975) })
}

/// The ranks of numbers, from 0; equal ones share the mean of theirs.
pub fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut first = 0;
    while first < order.len() {
        let equal = |at: &&usize| numbers[**at] == numbers[order[first]];
        let end = first + order[first..].iter().take_while(equal).count();
        let mean = (first + end - 1) as f64 / 2.0;
        order[first..end].iter().for_each(|at| ranks[*at] = mean);
        first = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_share_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
    }

    #[test]
    fn ranks_alone_decide_spearmans_correlation() {
        let pairs: Vec<(f64, f64)> = (0..20).map(|i| (f64::from(i), f64::from(i).exp())).collect();
        assert!((spearman(&pairs).expect("both vary") - 1.0).abs() < 1e-12);
        assert!(pearson(&pairs).expect("both vary") < 0.9);
        assert_eq!(spearman(&[(1.0, 2.0), (2.0, 2.0)]), None);
    }

    #[test]
    fn an_interval_holds_its_correlation() {
        let pairs: Vec<(f64, f64)> =
            (0..40).map(|i| (f64::from(i), f64::from(i * 17 % 40) + f64::from(i))).collect();
        let found = with_interval(&pairs, pearson, 1).expect("both vary");
        assert!(
            found.low < found.value && found.value < found.high && found.low > 0.2,
            "{found:?}"
        );
    }
}
