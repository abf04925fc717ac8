//! Some numbers, and what is said of them.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Numbers in ascending order, one at least.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    values: Vec<f64>,
}

impl Column {
    /// Of these numbers.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Column {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Column { values }
    }

    pub fn count(&self) -> usize {
        self.values.len()
    }

    pub fn total(&self) -> f64 {
        self.values.iter().sum()
    }

    pub fn mean(&self) -> f64 {
        self.total() / self.values.len() as f64
    }

    pub fn least(&self) -> f64 {
        self.values[0]
    }

    pub fn greatest(&self) -> f64 {
        self.values[self.values.len() - 1]
    }

    /// Between two numbers in proportion.
    pub fn quantile(&self, share: f64) -> f64 {
        let place = share * (self.values.len() - 1) as f64;
        let (below, above) =
            (self.values[place.floor() as usize], self.values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }

    fn squares(&self) -> f64 {
        let mean = self.mean();
        self.values.iter().map(|value| (value - mean).powi(2)).sum()
    }

    /// The standard deviation of a sample; 0 of a single number.
    pub fn deviation(&self) -> f64 {
        (self.squares() / (self.values.len() as f64 - 1.0).max(1.0)).sqrt()
    }

    /// The standard deviation of all that there is.
    pub fn own_deviation(&self) -> f64 {
        (self.squares() / self.values.len() as f64).sqrt()
    }

    /// The standard error of the mean.
    pub fn error(&self) -> f64 {
        self.deviation() / (self.values.len() as f64).sqrt()
    }

    /// Where the mean is with 95 %, by Student's t; none for a single number.
    pub fn interval(&self) -> Option<(f64, f64)> {
        let (mean, error) = (self.mean(), self.error());
        if self.values.len() < 2 || error == 0.0 {
            return (self.values.len() > 1).then_some((mean, mean));
        }
        let student = StudentsT::new(0.0, 1.0, self.values.len() as f64 - 1.0).ok()?;
        let reach = student.inverse_cdf(0.975) * error;
        Some((mean - reach, mean + reach))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_described() {
        let column = Column::of([4.0, 1.0, 2.0, 3.0]);
        assert_eq!((column.mean(), column.least(), column.greatest()), (2.5, 1.0, 4.0));
        assert_eq!([0.25, 0.5, 0.75].map(|share| column.quantile(share)), [1.75, 2.5, 3.25]);
        assert!((column.deviation() - 1.290_994_448_735_805_6).abs() < 1e-12);
        // scipy.stats.t.interval(0.95, df=3, loc=2.5, scale=0.6454972243679028)
        let (low, high) = column.interval().expect("several numbers");
        assert!((low - 0.445_739_743_239_121).abs() < 1e-9, "{low}");
        assert!((high - 4.554_260_256_760_879).abs() < 1e-9, "{high}");
    }

    #[test]
    fn a_single_number_has_no_interval() {
        let one = Column::of([7.0]);
        assert_eq!((one.deviation(), one.interval(), one.quantile(0.9)), (0.0, None, 7.0));
        assert_eq!(Column::of([7.0, 7.0]).interval(), Some((7.0, 7.0)));
    }
}
