//! Losses as a function of the mixture, `c + exp(b + w·p)`, fitted to runs, and the mixture at
//! which their mean is least.
//!
//! The form is that of data mixing laws (Ye and others, 2024, arXiv 2403.16952) and of Olmix (2026,
//! arXiv 2602.12237), which also keeps the optimum near a prior by the Kullback–Leibler divergence.

/// Fits from different values of the least loss are compared: these shares of the range of losses
/// lie between it and the least one seen.
const STARTS: [f64; 6] = [0.02, 0.1, 0.3, 1.0, 3.0, 10.0];
/// Gauss–Newton steps of a fit.
const STEPS: usize = 60;
/// Weight decay of `w` beside the mean square: it settles what few runs leave open.
const RIDGE: f64 = 1e-4;
/// What is above the least loss is no less than this.
const SMALLEST: f64 = 1e-4;
/// Steps of the search for the least loss.
const DESCENTS: usize = 4000;

/// A loss as a function of the mixture weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The loss that no mixture is below.
    pub least: f64,
    /// `b`, then a number for each template.
    pub exponents: Vec<f64>,
}

impl Fit {
    /// Fits the losses of runs, none of which is below 0, by least squares.
    ///
    /// # Panics
    /// If there are no runs.
    pub fn of(mixtures: &[Vec<f64>], losses: &[f64]) -> Fit {
        let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = (highest - lowest).max(1e-9);
        let fits = STARTS.map(|share| {
            let mut fit = start(mixtures, losses, (lowest - share * range).max(0.0));
            refine(&mut fit, mixtures, losses, range);
            (cost(&fit, mixtures, losses, range), fit)
        });
        let best = fits.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
        best.expect("there are starts").1
    }

    /// The loss of a mixture.
    pub fn loss(&self, mixture: &[f64]) -> f64 {
        self.least + self.rise(mixture)
    }

    /// What is above the least loss.
    fn rise(&self, mixture: &[f64]) -> f64 {
        let sum: f64 = self.exponents[1..].iter().zip(mixture).map(|(w, p)| w * p).sum();
        (self.exponents[0] + sum).min(50.0).exp()
    }
}

/// The mixture at which the mean of the losses and `pull` times the divergence from a prior are
/// least. Both are convex: there is one.
pub fn optimum(fits: &[Fit], prior: &[f64], pull: f64) -> Vec<f64> {
    let mut mixture = prior.to_vec();
    let value = |mixture: &[f64]| {
        let losses = fits.iter().map(|fit| fit.loss(mixture)).sum::<f64>() / fits.len() as f64;
        losses + pull * divergence(mixture, prior)
    };
    let (mut rate, mut now) = (1.0, value(&mixture));
    for _ in 0..DESCENTS {
        let slope = |at: usize| -> f64 {
            let each = fits.iter().map(|fit| fit.rise(&mixture) * fit.exponents[at + 1]);
            let of_prior = (mixture[at].max(1e-300) / prior[at].max(1e-300)).ln() + 1.0;
            each.sum::<f64>() / fits.len() as f64 + pull * of_prior
        };
        let slopes: Vec<f64> = (0..mixture.len()).map(slope).collect();
        let least = slopes.iter().copied().fold(f64::INFINITY, f64::min);
        let next: Vec<f64> = mixture
            .iter()
            .zip(&slopes)
            .map(|(share, slope)| share * (-rate * (slope - least)).exp())
            .collect();
        let sum: f64 = next.iter().sum();
        let next: Vec<f64> = next.iter().map(|share| share / sum).collect();
        let then = value(&next);
        match then < now {
            true => {
                let is_still = now - then < 1e-13;
                (mixture, now) = (next, then);
                rate *= 1.3;
                if is_still {
                    break;
                }
            }
            false if rate < 1e-12 => break,
            false => rate *= 0.5,
        }
    }
    mixture
}

/// The Kullback–Leibler divergence of a mixture from a prior.
fn divergence(mixture: &[f64], prior: &[f64]) -> f64 {
    let both = mixture.iter().zip(prior).filter(|(share, _)| **share > 0.0);
    both.map(|(share, prior)| share * (share / prior.max(1e-300)).ln()).sum()
}

/// With that least loss, the logarithms of what is above it are linear.
fn start(mixtures: &[Vec<f64>], losses: &[f64], least: f64) -> Fit {
    let rows: Vec<Vec<f64>> = mixtures.iter().map(|mixture| with_one(mixture)).collect();
    let logs: Vec<f64> = losses.iter().map(|loss| (loss - least).max(SMALLEST).ln()).collect();
    Fit { least, exponents: least_squares(&rows, &logs, RIDGE) }
}

fn with_one(mixture: &[f64]) -> Vec<f64> {
    std::iter::once(1.0).chain(mixture.iter().copied()).collect()
}

/// The mean square of what the fit leaves, in units of the range, with the decay.
fn cost(fit: &Fit, mixtures: &[Vec<f64>], losses: &[f64], range: f64) -> f64 {
    let each = mixtures.iter().zip(losses);
    let squares: f64 =
        each.map(|(mixture, loss)| ((fit.loss(mixture) - loss) / range).powi(2)).sum();
    let decay: f64 = fit.exponents[1..].iter().map(|w| w * w).sum();
    let cost = squares / losses.len() as f64 + RIDGE * decay / losses.len() as f64;
    if cost.is_finite() { cost } else { f64::INFINITY }
}

/// Gauss–Newton with the step halved until it helps (Levenberg's damping in its simplest form).
fn refine(fit: &mut Fit, mixtures: &[Vec<f64>], losses: &[f64], range: f64) {
    let mut now = cost(fit, mixtures, losses, range);
    for _ in 0..STEPS {
        let mut rows = Vec::new();
        let mut left = Vec::new();
        for (mixture, loss) in mixtures.iter().zip(losses) {
            let rise = fit.rise(mixture) / range;
            let row = std::iter::once(1.0 / range);
            rows.push(row.chain(with_one(mixture).iter().map(|x| rise * x)).collect());
            left.push((loss - fit.loss(mixture)) / range);
        }
        // The decay as rows of their own: each exponent wants to be 0.
        for at in 1..fit.exponents.len() {
            let mut row = vec![0.0; fit.exponents.len() + 1];
            row[at + 1] = RIDGE.sqrt();
            left.push(-RIDGE.sqrt() * fit.exponents[at]);
            rows.push(row);
        }
        let step = least_squares(&rows, &left, 1e-9);
        let mut share = 1.0;
        let better = loop {
            let mut next = fit.clone();
            next.least = (next.least + share * step[0]).max(0.0);
            let moved = next.exponents.iter_mut().zip(&step[1..]);
            moved.for_each(|(w, change)| *w += share * change);
            let then = cost(&next, mixtures, losses, range);
            if then < now {
                break Some((next, then));
            }
            share *= 0.5;
            if share < 1e-6 {
                break None;
            }
        };
        let Some((next, then)) = better else { return };
        let is_still = now - then < 1e-12 * now;
        (*fit, now) = (next, then);
        if is_still {
            return;
        }
    }
}

/// The `x` at which `|rows·x − values|² + ridge·|x|²` is least, by Cholesky's decomposition of the
/// normal equations.
fn least_squares(rows: &[Vec<f64>], values: &[f64], ridge: f64) -> Vec<f64> {
    let count = rows.first().map_or(0, Vec::len);
    let product = |a: usize, b: usize| rows.iter().map(|row| row[a] * row[b]).sum::<f64>();
    let mut lower = vec![vec![0.0; count]; count];
    let mut solved = vec![0.0; count];
    for a in 0..count {
        for b in 0..=a {
            let known: f64 = (0..b).map(|k| lower[a][k] * lower[b][k]).sum();
            let left = product(a, b) + if a == b { ridge } else { 0.0 } - known;
            lower[a][b] = if a == b { left.max(1e-300).sqrt() } else { left / lower[b][b] };
        }
        let right: f64 = rows.iter().zip(values).map(|(row, value)| row[a] * value).sum();
        let known: f64 = (0..a).map(|k| lower[a][k] * solved[k]).sum();
        solved[a] = (right - known) / lower[a][a];
    }
    for a in (0..count).rev() {
        let known: f64 = (a + 1..count).map(|k| lower[k][a] * solved[k]).sum();
        solved[a] = (solved[a] - known) / lower[a][a];
    }
    solved
}

#[cfg(test)]
mod tests {
    use super::super::draws;
    use super::*;

    fn known() -> Fit {
        Fit { least: 0.2, exponents: vec![-0.5, 1.0, -2.0, 0.3] }
    }

    #[test]
    fn a_fit_finds_the_function_that_made_the_losses() {
        let mixtures = draws::mixtures(3, 24, 1);
        let losses: Vec<f64> = mixtures.iter().map(|mixture| known().loss(mixture)).collect();
        let fit = Fit::of(&mixtures, &losses);
        for mixture in draws::mixtures(3, 10, 2) {
            let (found, wanted) = (fit.loss(&mixture), known().loss(&mixture));
            assert!((found - wanted).abs() < 2e-3, "{found}, not {wanted}");
        }
    }

    #[test]
    fn the_optimum_is_below_every_other_mixture_and_the_pull_keeps_it_near_the_prior() {
        let prior = vec![1.0 / 3.0; 3];
        let value =
            |mixture: &[f64], pull: f64| known().loss(mixture) + pull * divergence(mixture, &prior);
        for pull in [0.01, 0.1, 1.0] {
            let best = optimum(&[known()], &prior, pull);
            for other in draws::mixtures(3, 50, 3) {
                assert!(value(&best, pull) <= value(&other, pull) + 1e-9, "{best:?} {other:?}");
            }
        }
        let far = optimum(&[known()], &prior, 0.01);
        let near = optimum(&[known()], &prior, 10.0);
        assert!(far[1] > 0.9 && (near[1] - 1.0 / 3.0).abs() < 0.05, "{far:?} {near:?}");
    }

    #[test]
    fn no_loss_is_predicted_below_0() {
        let mixtures = draws::mixtures(3, 8, 5);
        let losses: Vec<f64> = mixtures.iter().map(|mixture| 0.4 * (1.0 - mixture[1])).collect();
        let fit = Fit::of(&mixtures, &losses);
        for mixture in draws::mixtures(3, 50, 6).iter().chain([&vec![0.0, 1.0, 0.0]]) {
            assert!(fit.loss(mixture) >= 0.0, "{mixture:?}");
        }
    }

    #[test]
    fn few_runs_leave_a_finite_fit() {
        let fit = Fit::of(&[vec![1.0, 0.0], vec![0.0, 1.0]], &[0.5, 0.5]);
        assert!((fit.loss(&[0.5, 0.5]) - 0.5).abs() < 0.05);
    }
}
