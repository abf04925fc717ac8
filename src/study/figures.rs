//! Means, differences and odds, each with what may be off.

use serde::Serialize;

/// Items by which the ends of an interval are from the mean where all items are the same: the rule
/// of three (Hanley and Lippman-Hand 1983, "If nothing goes wrong, is everything all right?").
const SAME: f64 = 3.0;
/// Standard errors from the middle of an interval of 95 % to its ends.
const INTERVAL: f64 = 1.96;

/// A number with its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// Its standard error; none of a single item.
    pub error: Option<f64>,
    /// The ends of its interval.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// The items behind it.
    pub items: usize,
}

impl Figure {
    /// With this standard error.
    pub fn new(value: f64, error: Option<f64>, items: usize) -> Figure {
        // What is the same everywhere is a share or a difference of shares.
        let least = SAME / items.max(1) as f64;
        let end = |by: f64| match error {
            Some(0.0) => Some(value + by * least),
            error => error.map(|error| value + by * INTERVAL * error),
        };
        Figure { value, error, low: end(-1.0), high: end(1.0), items }
    }

    /// The same with an interval that ends where its numbers do.
    fn within(self, least: f64, most: f64) -> Figure {
        let end = |end: Option<f64>| end.map(|end| end.clamp(least, most));
        Figure { low: end(self.low), high: end(self.high), ..self }
    }

    /// Whether its interval is on one side of 0.
    pub fn is_significant(&self) -> bool {
        self.low.is_some_and(|low| low > 0.0) || self.high.is_some_and(|high| high < 0.0)
    }
}

/// The mean over items, each from 0 to 1, of the mean over seeds.
pub fn share(seeds: &[Vec<Option<f64>>]) -> Option<Figure> {
    Some(mean(seeds)?.within(0.0, 1.0))
}

/// The mean over items, each from −1 to 1, of the mean over seeds; a row a seed, an item that is
/// not known is none.
///
/// The squared standard error is that of the items' means, plus, with several seeds, that of the
/// seeds' means. The second is in part in the first: the interval is rather too wide.
pub fn mean(seeds: &[Vec<Option<f64>>]) -> Option<Figure> {
    let count = seeds.first().map_or(0, Vec::len);
    let of_item = |at: usize| average(seeds.iter().filter_map(|seed| seed[at]));
    let items: Vec<f64> = (0..count).filter_map(of_item).collect();
    let value = average(items.iter().copied())?;
    let means: Vec<f64> =
        seeds.iter().filter_map(|seed| average(seed.iter().flatten().copied())).collect();
    let of_items = squared_error(&items);
    let of_seeds = squared_error(&means).unwrap_or(0.0);
    let error = of_items.map(|error| (error + of_seeds).sqrt());
    Some(Figure::new(value, error, items.len()).within(-1.0, 1.0))
}

/// The same of the differences, item by item.
pub fn change(before: &[Vec<Option<f64>>], after: &[Vec<Option<f64>>]) -> Option<Figure> {
    mean(&differences(before, after))
}

/// After less before, of each item of each seed.
pub fn differences(
    before: &[Vec<Option<f64>>],
    after: &[Vec<Option<f64>>],
) -> Vec<Vec<Option<f64>>> {
    let less = |(before, after): (&Option<f64>, &Option<f64>)| Some((*after)? - (*before)?);
    let seed = |(before, after): (&Vec<Option<f64>>, &Vec<Option<f64>>)| {
        before.iter().zip(after).map(less).collect()
    };
    before.iter().zip(after).map(seed).collect()
}

/// The sum of some differences by the sum of some sizes, as of losses a token, a row an entry.
///
/// The standard error is that of a ratio of means, linearised.
pub fn ratio(sums: &[f64], sizes: &[f64]) -> Option<Figure> {
    let (count, size) = (sums.len() as f64, sizes.iter().sum::<f64>());
    if size <= 0.0 {
        return None;
    }
    let value = sums.iter().sum::<f64>() / size;
    let squares: f64 = sums.iter().zip(sizes).map(|(sum, size)| (sum - value * size).powi(2)).sum();
    let error = (sums.len() > 1).then(|| (squares * count / (count - 1.0)).sqrt() / size);
    Some(Figure::new(value, error, sums.len()))
}

/// The counts of two facts, and how far one goes with the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fourfold {
    /// Both.
    pub both: f64,
    /// The first alone.
    pub first: f64,
    /// The second alone.
    pub second: f64,
    /// Neither.
    pub neither: f64,
    /// The odds ratio: above 1 where the two go together.
    pub odds_ratio: f64,
    /// The ends of its interval of 95 %.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

impl Fourfold {
    /// Of counts, which may be means over seeds: both, the first alone, the second alone, neither.
    /// None of no item.
    ///
    /// A half is added to each before the odds are taken, so that no count of 0 makes them infinite
    /// (Anscombe 1956, "On estimating binomial response relations", Biometrika 43); the interval
    /// is Woolf's, by the normal distribution of the logarithm.
    pub fn of(counts: [f64; 4]) -> Option<Fourfold> {
        if counts.iter().sum::<f64>() <= 0.0 {
            return None;
        }
        let [both, first, second, neither] = counts;
        let [a, b, c, d] = counts.map(|count| count + 0.5);
        let log = (a * d / (b * c)).ln();
        let error = (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
        let [low, high] = [-1.0, 1.0].map(|by: f64| (log + by * INTERVAL * error).exp());
        Some(Fourfold { both, first, second, neither, odds_ratio: log.exp(), low, high })
    }
}

/// The mean of some numbers; none of none.
pub fn average(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0u64), |(sum, count), one| (sum + one, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The squared standard error of the mean of some numbers; none of fewer than two.
fn squared_error(numbers: &[f64]) -> Option<f64> {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|one| (one - mean).powi(2)).sum();
    (numbers.len() > 1).then(|| squares / (count - 1.0) / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_mean_of_the_differences_with_the_errors_of_items_and_seeds() {
        let of = |numbers: &[f64]| numbers.iter().map(|one| Some(*one)).collect::<Vec<_>>();
        let before = [of(&[0.0, 0.0, 1.0, 1.0]), of(&[0.0, 0.0, 1.0, 1.0])];
        let after = [of(&[1.0, 0.0, 1.0, 1.0]), of(&[1.0, 1.0, 1.0, 1.0])];
        let found = change(&before, &after).expect("four items");
        assert_eq!((found.value, found.items), (0.375, 4));
        // Items' means: 1, 0.5, 0, 0; seeds' means: 0.25, 0.5.
        let of_items = ((0.625f64.powi(2) + 0.125f64.powi(2) + 2.0 * 0.375f64.powi(2)) / 3.0) / 4.0;
        let of_seeds = 2.0 * 0.125f64.powi(2) / 2.0;
        let wanted = (of_items + of_seeds).sqrt();
        assert!((found.error.expect("four items") - wanted).abs() < 1e-12);
        assert!(!found.is_significant());
        let unknown = [vec![None, Some(1.0)]];
        assert_eq!(mean(&unknown).map(|found| (found.value, found.items)), Some((1.0, 1)));
        assert_eq!(mean(&[vec![None]]), None);
    }

    #[test]
    fn items_that_are_all_the_same_are_not_certain() {
        let found = mean(&[vec![Some(0.0); 60]]).expect("items");
        assert_eq!((found.value, found.low, found.high), (0.0, Some(-0.05), Some(0.05)));
        assert!(mean(&[vec![Some(1.0); 60]]).is_some_and(|found| found.is_significant()));
    }

    #[test]
    fn a_ratio_weighs_rows_by_their_size() {
        let found = ratio(&[2.0, 9.0], &[1.0, 3.0]).expect("two rows");
        assert_eq!(found.value, 2.75);
        // (2 − 2.75)² + (9 − 8.25)², doubled, and its root by 4.
        assert!((found.error.expect("two rows") - (2.25f64).sqrt() / 4.0).abs() < 1e-12);
        assert_eq!(ratio(&[], &[]), None);
    }

    #[test]
    fn odds_of_what_goes_together_are_above_one_and_their_interval_says_how_sure_that_is() {
        let found = Fourfold::of([30.0, 10.0, 10.0, 30.0]).expect("items");
        assert!((found.odds_ratio - 30.5 * 30.5 / (10.5 * 10.5)).abs() < 1e-12);
        assert!(found.low > 1.0 && found.high > found.odds_ratio);
        let few = Fourfold::of([1.0, 0.0, 0.0, 1.0]).expect("items");
        assert!(few.odds_ratio > 1.0 && few.low < 1.0);
        assert_eq!(Fourfold::of([0.0; 4]), None);
    }
}
