//! The same mixture weights at every step.

use super::{Evaluated, Policy, restore_nothing};
use crate::recipe::Recipe;

#[derive(Debug)]
struct Fixed(Vec<f64>);

/// The weights of the recipe's templates.
pub fn make(recipe: &Recipe) -> Box<dyn Policy> {
    Box::new(Fixed(recipe.templates.iter().map(|entry| entry.weight).collect()))
}

/// Equal ones, whatever the recipe's are; those that are 0 stay so.
pub fn equal(recipe: &Recipe) -> Box<dyn Policy> {
    let weights = recipe.templates.iter().map(|entry| f64::from(u8::from(entry.weight > 0.0)));
    Box::new(Fixed(weights.collect()))
}

impl Policy for Fixed {
    fn weights(&self, _: u64) -> Vec<f64> {
        self.0.clone()
    }

    fn update(&mut self, _: &Evaluated) {}

    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), String> {
        restore_nothing(state)
    }
}
