//! The evaluations of a run: which was the best, and whether to stop early.

use crate::recipe::Eval;

/// Scores that differ by less are the same: some come from `metrics.jsonl`, where a number may
/// lose its last bit.
const SAME: f64 = 1e-9;

/// What is known of the evaluations so far.
#[derive(Clone, Debug)]
pub struct Watch {
    patience: u64,
    until_exact: Option<f64>,
    /// Step and mean share of exact replies of the best evaluation, the first of equal ones.
    pub best: Option<(u64, f64)>,
    /// Step and the same share of the last.
    pub last: Option<(u64, f64)>,
    /// Evaluations since the best.
    since: u64,
}

impl Watch {
    /// None yet.
    pub fn new(eval: &Eval) -> Watch {
        let (patience, until_exact) = (eval.patience, eval.until_exact);
        Watch { patience, until_exact, best: None, last: None, since: 0 }
    }

    /// Takes in an evaluation, and returns whether it is the best so far.
    pub fn add(&mut self, step: u64, exact: f64) -> bool {
        self.last = Some((step, exact));
        let better = self.best.is_none_or(|(_, best)| exact > best + SAME);
        if better {
            self.best = self.last;
            self.since = 0;
        } else {
            self.since += 1;
        }
        better
    }

    /// Why to stop now, if so.
    pub fn reason_to_stop(&self) -> Option<String> {
        let (step, exact) = self.last?;
        if self.until_exact.is_some_and(|until| exact + SAME >= until) {
            return Some(format!("exact has reached {exact:.3}"));
        }
        let (best_step, best) = self.best?;
        let waited = self.patience > 0 && self.since >= self.patience;
        waited.then(|| {
            format!("exact is {exact:.3} at step {step}, and was {best:.3} at {best_step}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(patience: u64, until_exact: Option<f64>) -> Watch {
        Watch::new(&Eval { samples: 1, every: 1, patience, until_exact, tasks: None })
    }

    #[test]
    fn it_waits_for_so_many_judgements_after_the_first_best_one() {
        let mut watch = watch(2, None);
        for (step, exact, is_best, stops) in [
            (1, 0.1, true, false),
            (2, 0.1, false, false),
            (3, 0.2, true, false),
            (4, 0.1, false, false),
            (5, 0.2 + SAME / 2.0, false, true),
        ] {
            assert_eq!(watch.add(step, exact), is_best, "after step {step}");
            assert_eq!(watch.reason_to_stop().is_some(), stops, "after step {step}");
        }
        assert_eq!(watch.best, Some((3, 0.2)));
    }

    #[test]
    fn it_stops_when_enough_is_exact_and_not_before() {
        let mut watch = watch(0, Some(0.9));
        watch.add(1, 0.89);
        assert_eq!(watch.reason_to_stop(), None);
        watch.add(2, 0.9);
        assert_eq!(watch.reason_to_stop().as_deref(), Some("exact has reached 0.900"));
    }

    #[test]
    fn it_never_stops_unasked() {
        let mut watch = watch(0, None);
        for step in 1..100 {
            watch.add(step, 1.0 / step as f64);
        }
        assert_eq!((watch.reason_to_stop(), watch.best), (None, Some((1, 1.0))));
    }
}
