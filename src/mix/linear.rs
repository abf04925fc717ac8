//! A schedule: mixture weights in a straight line from one mixture to another.

use super::{Evaluated, Policy, restore_nothing};
use crate::recipe::Recipe;

/// As a recipe calls it.
pub const NAME: &str = "linear";

#[derive(Debug)]
struct Linear {
    /// The weights of the first step and of the last.
    ends: Vec<[f64; 2]>,
    /// The number of the last step.
    last: u64,
}

/// From each template's `weight` to its `end_weight`, where it has one.
pub fn make(recipe: &Recipe) -> Box<dyn Policy> {
    let entries = recipe.templates.iter();
    let ends = entries.map(|entry| [entry.weight, entry.end_weight.unwrap_or(entry.weight)]);
    Box::new(Linear { ends: ends.collect(), last: recipe.train.steps.saturating_sub(1) })
}

impl Policy for Linear {
    fn weights(&self, step: u64) -> Vec<f64> {
        let share = step.min(self.last) as f64 / self.last.max(1) as f64;
        self.ends.iter().map(|[first, last]| first * (1.0 - share) + last * share).collect()
    }
    fn update(&mut self, _: &Evaluated) {}

    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), String> {
        restore_nothing(state)
    }
}
