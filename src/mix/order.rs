//! Mixture weights as an order: which template a row is of depends on weights, seed and row alone.

use crate::data::Split;
use crate::runtime::RunKey;
use crate::runtime::random;

/// The resolution of a weight: a millionth.
const PARTS: f64 = 1e6;
/// The greatest weight, so that the parts of thousands of templates fit into 64 bits.
const WEIGHT_MAX: f64 = 1e6;

/// Templates by weight. Row *r* is sample *r* of the template that [`template`](Order::template)
/// names, so a run goes on at any row without those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The sums of the weights up to each template, in millionths.
    ends: Vec<u64>,
    /// The sum of all, which is not 0.
    sum: u64,
    key: [u64; 4],
}

impl Order {
    /// Of weights from 0 to a million, with at least one above 0.
    ///
    /// # Errors
    /// If a weight is none of these, or all are 0; the text says so.
    pub fn new(weights: &[f64], split: Split, seed: u64) -> Result<Order, String> {
        let mut sum = 0;
        let mut ends = Vec::with_capacity(weights.len());
        for &weight in weights {
            if !(0.0..=WEIGHT_MAX).contains(&weight) {
                return Err(format!("a weight is a number from 0 to {WEIGHT_MAX}, not {weight}"));
            }
            sum += (weight * PARTS).round() as u64;
            ends.push(sum);
        }
        if sum == 0 {
            return Err("at least one weight is above 0".to_string());
        }
        let key = RunKey::new("", "", split.name(), seed).stream("mix");
        Ok(Order { ends, sum, key })
    }

    /// Which template a row is of, by its index among the weights.
    pub fn template(&self, row: u64) -> usize {
        let part = random::start(&self.key, row).below_wide(self.sum);
        self.ends.partition_point(|&end| end <= part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_shared_out_by_weight_and_depend_on_the_seed() {
        let order = |seed| Order::new(&[1.0, 0.0, 3.0], Split::Train, seed).expect("good weights");
        let rows = |seed| (0..10_000).map(|row| order(seed).template(row)).collect::<Vec<_>>();
        let first = rows(1);
        let count = |template| first.iter().filter(|&&one| one == template).count();
        assert!((2300..2700).contains(&count(0)), "{}", count(0));
        assert_eq!((count(1), count(0) + count(2)), (0, 10_000));
        assert_eq!(first, rows(1));
        assert_ne!(first, rows(2));
    }

    #[test]
    fn weights_that_share_nothing_out_are_refused() {
        for weights in [&[][..], &[0.0], &[-1.0, 2.0], &[f64::NAN]] {
            assert!(Order::new(weights, Split::Train, 0).is_err(), "{weights:?}");
        }
    }
}
